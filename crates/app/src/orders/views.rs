use domain::Label;
use sql::Tx;
use store::saved_views::{self, SavedView};

use crate::{Actor, App, Error, Result};

/// Views that one account keeps at most.
const AT_MOST: u32 = 30;

/// The lists of orders that somebody keeps, by name.
pub async fn views(app: &App, who: &Actor) -> Result<Vec<SavedView>> {
    let account = who.account().to_owned();
    app.read("saved_views", move |tx: &mut Tx<'_>| Ok(saved_views::list(tx, &account, AT_MOST)?)).await
}

/// Keeps what a list asks for under a name; a list that had the name gives way. An account keeps at most 30.
pub async fn keep_view(app: &App, who: &Actor, name: Label, query: String) -> Result<()> {
    let account = who.account().to_owned();
    app.transaction("keep_view", move |tx| -> Result<()> {
        let view = SavedView { name: name.as_str().to_owned(), query: query.clone() };
        let kept = saved_views::list(tx, &account, AT_MOST)?;
        if kept.len() >= AT_MOST as usize && kept.iter().all(|other| other.name != view.name) {
            return Err(Error::Invalid(format!(
                "you keep {AT_MOST} lists already; forget one of them first"
            )));
        }
        Ok(saved_views::put(tx, &account, &view)?)
    })
    .await
}

/// Forgets a list that somebody keeps.
pub async fn forget_view(app: &App, who: &Actor, name: Label) -> Result<()> {
    let account = who.account().to_owned();
    app.transaction("forget_view", move |tx| -> Result<()> {
        Ok(saved_views::delete(tx, &account, name.as_str())?)
    })
    .await
}
