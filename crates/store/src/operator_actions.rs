//! The operators' log: who did what, append-only.

use domain::ActionId;
use jiff::Timestamp;
use serde_json::Value as Json;
use sql::{Conflict, Insert, Tx, Value};

use crate::Result;
use crate::walk::{Part, walk};

/// Something that an operator does.
#[derive(Debug, Clone)]
pub struct NewAction<'a> {
    /// What, as a stable word such as `user_disabled`.
    pub kind: &'static str,
    /// To what.
    pub subject: &'a str,
    /// How it stood before.
    pub before: Option<Json>,
    /// How it stands after.
    pub after: Option<Json>,
}

/// Something that an operator did.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RecordedAction {
    /// Our id; later actions have higher ones.
    pub id: ActionId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, as a stable word.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// How it stood before.
    pub before: Option<Json>,
    /// How it stood after.
    pub after: Option<Json>,
}

/// Records what `actor` does.
pub fn insert(tx: &mut Tx<'_>, actor: &str, action: &NewAction<'_>, at: Timestamp) -> Result<()> {
    let id = tx.next_ids("operator_actions", 1)?.start;
    let text = |value: &Option<Json>| value.as_ref().map(Json::to_string);
    let (before, after) = (text(&action.before), text(&action.after));
    let columns = &["id", "at", "actor", "kind", "subject", "value_before", "value_after"];
    let values = [
        Value::Int(id),
        at.into(),
        actor.into(),
        action.kind.into(),
        action.subject.into(),
        before.as_ref().into(),
        after.as_ref().into(),
    ];
    tx.insert_rows(&Insert { table: "operator_actions", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Which actions. Every field narrows the choice.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// With this text in who, what or to what, whatever its case.
    pub text: Option<String>,
    /// What, as one of these words; any where there are none.
    pub kinds: &'static [&'static str],
    /// Only what came before this one.
    pub before: Option<ActionId>,
    /// At most so many.
    pub limit: u32,
}

impl Search {
    fn matches(&self, action: &RecordedAction) -> bool {
        let text = self.text.as_ref().map(|text| text.to_lowercase());
        let fields = [&action.actor, &action.kind, &action.subject];
        let has = |text: String| fields.iter().any(|field| field.to_lowercase().contains(&text));
        text.is_none_or(has) && (self.kinds.is_empty() || self.kinds.contains(&action.kind.as_str()))
    }
}

/// What was done last, newest first.
pub fn search(tx: &mut Tx<'_>, search: &Search) -> Result<Part<RecordedAction, ActionId>> {
    let narrows = search.text.is_some() || !search.kinds.is_empty();
    let keep = |_: &mut Tx<'_>, piece: Vec<(ActionId, RecordedAction)>| -> Result<_> {
        Ok(piece.into_iter().filter(|(_, action)| search.matches(action)).collect())
    };
    walk(tx, (search.before, search.limit), newest, narrows.then_some(keep))
}

fn newest(tx: &mut Tx<'_>, before: Option<ActionId>, limit: u32) -> Result<Vec<(ActionId, RecordedAction)>> {
    let sql = "SELECT id, at, actor, kind, subject, value_before, value_after FROM operator_actions \
               WHERE id < ? ORDER BY id DESC LIMIT ?";
    let before = before.map_or(i64::MAX, ActionId::get);
    Ok(tx.query(sql, &[before.into(), limit.into()], |row| {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let id = ActionId::from_ledger(row.get(0)?);
        let action = RecordedAction {
            id,
            at: row.get(1)?,
            actor: row.get(2)?,
            kind: row.get(3)?,
            subject: row.get(4)?,
            before: json(row.get(5)?),
            after: json(row.get(6)?),
        };
        Ok((id, action))
    })?)
}
