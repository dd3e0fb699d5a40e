//! Requests that may come more than once and are done once.
//!
//! The answer is kept by the transaction that does the work, so no crash separates the two; a request that comes while
//! the first one runs waits for its end and gets its answer.

use domain::IdempotencyKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sql::Tx;
use store::idempotency;

use crate::hex::hex;
use crate::{Actor, App, Error, Result};

/// How long answers are kept.
pub const KEPT_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A request that its sender named.
#[derive(Debug, Clone)]
pub struct Keyed {
    account: String,
    key: IdempotencyKey,
    hash: String,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What came of it.
    pub result: T,
    /// Whether the request came before, so that nothing was done.
    pub replayed: bool,
}

impl Keyed {
    /// A request to `address` with this key and body.
    pub fn new(who: &Actor, key: IdempotencyKey, address: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(address.as_bytes());
        hash.update([0]);
        hash.update(body);
        Keyed { account: who.account().to_owned(), key, hash: hex(&hash.finalize()) }
    }
}

/// Does `work` within `tx` unless it was done before, and keeps what it answers.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    app: &App,
    tx: &mut Tx<'_>,
    keyed: Option<&Keyed>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<Answer<T>> {
    let Some(Keyed { account, key, hash }) = keyed else {
        return Ok(Answer { result: work(tx)?, replayed: false });
    };
    if let Some(known) = idempotency::find(tx, account, key.as_str())? {
        if known.request_hash != *hash {
            return Err(Error::KeyTaken { key: key.to_string() });
        }
        let result = serde_json::from_str(&known.answer).map_err(unkept)?;
        return Ok(Answer { result, replayed: true });
    }
    // The key comes before the work, so that a second request waits here, and not where the first has changed what it looks at.
    idempotency::insert(tx, account, key.as_str(), hash, app.now())?;
    let result = work(tx)?;
    let answer = serde_json::to_string(&result).map_err(unkept)?;
    idempotency::keep_answer(tx, account, key.as_str(), &answer)?;
    Ok(Answer { result, replayed: false })
}

fn unkept(error: serde_json::Error) -> Error {
    Error::Internal(format!("the answer cannot be kept or read: {error}"))
}

/// How many old answers one transaction forgets.
const FORGET_AT_ONCE: u32 = 500;

/// Forgets answers that are older than a day.
pub async fn forget_old(app: &App) -> Result<u64> {
    let before = app.now().saturating_sub(KEPT_FOR).unwrap_or(jiff::Timestamp::MIN);
    let mut forgotten = 0;
    loop {
        let delete = move |tx: &mut Tx<'_>| idempotency::delete_before(tx, before, FORGET_AT_ONCE);
        let deleted = app.transaction("forget_answers", delete).await?;
        forgotten += deleted;
        if deleted < u64::from(FORGET_AT_ONCE) {
            return Ok(forgotten);
        }
    }
}
