//! Retrying, cancelling and deleting jobs: one, those that were selected, or all that match.

use app::App;
use app::queues::{self, Deed};
use askama::Template;
use axum::extract::{RawQuery, State as From};
use axum::http::StatusCode;
use queue::{BatchId, Filter, JobId, PageRequest, Selection, State};
use serde::Deserialize;

use super::{Answer, JOBS, filled, list_of, told};
use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::body::from_pairs;
use crate::pages::asked::Filled;
use crate::pages::frame::Frame;
use crate::pages::words::number;
use crate::pages::{QUEUES, go_on, page};
use crate::server::Web;

/// The field of the jobs that were selected; it may come often.
const IDS: &str = "ids";

/// What is to be done to which jobs.
struct Wanted {
    deed: Deed,
    selection: Selection,
    /// The list that it was asked for in.
    list: Filter,
    back: Back,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    deed: Deed,
    which: Which,
    #[serde(default)]
    back: Back,
    state: Option<State>,
    queue: Option<String>,
    kind: Option<String>,
    tag: Option<String>,
    batch: Option<BatchId>,
    args: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Which {
    Selected,
    All,
}

/// Where the result shows.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
enum Back {
    #[default]
    List,
    Job,
}

impl Wanted {
    fn of(pairs: Vec<(String, String)>) -> Result<Self, ApiError> {
        let pairs = pairs.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        let filled = pairs.filter(|(_, value)| !value.is_empty());
        let (ids, fields): (Vec<_>, Vec<_>) = filled.partition(|(name, _)| name == IDS);
        let Fields { deed, which, back, state, queue, kind, tag, batch, args, error } = from_pairs(fields)?;
        let list = Filter { state, queue, kind, tag, batch, args, error };
        let ids = ids.iter().map(|(_, id)| id.parse().map(JobId)).collect::<Result<Vec<_>, _>>();
        let ids = ids.map_err(|_| refused(IDS, "a job's id is a number"))?;
        let selection = match which {
            Which::Selected if ids.is_empty() => {
                return Err(refused(IDS, "no job is selected; go back, and tick those that are meant"));
            }
            Which::Selected => Selection::Ids(ids),
            Which::All if list == Filter::default() => {
                return Err(refused(
                    "filter",
                    "name what the jobs have in common; not all of them can be meant",
                ));
            }
            Which::All => Selection::Matching(list.clone()),
        };
        Ok(Wanted { deed, selection, list, back })
    }

    /// Where the result shows: on the page of the job, if it still is there, or in the list.
    fn result(&self, changed: usize) -> String {
        let deed = self.deed.as_str();
        match (&self.selection, self.back) {
            (Selection::Ids(ids), Back::Job) if self.deed != Deed::Delete && ids.len() == 1 => {
                format!("{JOBS}/{}{}", ids[0], Filled::default().after(deed, changed))
            }
            _ => format!("{JOBS}{}", filled(&self.list).after(deed, changed)),
        }
    }
}

fn refused(field: &str, detail: &str) -> ApiError {
    ApiError::wrong(format!("?{field}"), detail)
}

/// Where somebody is asked whether all jobs that a filter chooses are meant.
pub(super) fn all_matching(deed: Deed, filter: &Filter) -> String {
    format!(
        "{JOBS}/change{}",
        filled(filter).with("which", "all").replacen('?', &format!("?deed={}&", deed.as_str()), 1)
    )
}

/// Where somebody is asked whether this job is meant.
pub(super) fn this_one(deed: Deed, id: JobId) -> String {
    format!("{JOBS}/change?deed={}&which=selected&{IDS}={id}&back=job", deed.as_str())
}

/// What is done, in the words of a button.
pub(super) const fn word(deed: Deed) -> &'static str {
    match deed {
        Deed::Retry => "Retry",
        Deed::Cancel => "Cancel",
        Deed::Delete => "Delete",
    }
}

#[derive(Template)]
#[template(path = "queues/change.html")]
struct ChangePage<'p> {
    frame: Frame<'p>,
    title: String,
    which: Vec<String>,
    follows: &'static str,
    button: &'static str,
    is_grave: bool,
    is_empty: bool,
    fields: Vec<(String, String)>,
    back: String,
}

/// `GET /queues/jobs/change`: says what will happen, and asks.
pub(in crate::pages) async fn ask(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = query.unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let wanted = Wanted::of(pairs.clone())?;
    let (count, which) = meant(&web.app, &wanted.selection).await?;
    page(
        StatusCode::OK,
        &ChangePage {
            frame: Frame::new(&web.app, &session, QUEUES),
            title: format!("{} {count}?", word(wanted.deed)),
            which,
            follows: follows(wanted.deed),
            button: word(wanted.deed),
            is_grave: wanted.deed != Deed::Retry,
            is_empty: count == NONE,
            fields: pairs,
            back: match (&wanted.selection, wanted.back) {
                (Selection::Ids(ids), Back::Job) if ids.len() == 1 => format!("{JOBS}/{}", ids[0]),
                _ => list_of(&wanted.list),
            },
        },
    )
}

/// Jobs that are counted before somebody is asked.
const COUNTED: usize = 500;
const NONE: &str = "no job";

/// How many jobs are meant, and which, in words.
async fn meant(app: &App, selection: &Selection) -> Result<(String, Vec<String>), ApiError> {
    let jobs = |count: usize| app::words::count(count as i64, "job", "jobs");
    match selection {
        Selection::Ids(ids) => Ok((jobs(ids.len()), ids.iter().map(|id| format!("job {id}")).collect())),
        Selection::Matching(filter) => {
            let request = PageRequest { after: None, limit: COUNTED };
            let found = app.queue().list(filter.clone(), request).await.map_err(app::Error::from)?;
            let count = match (found.jobs.len(), found.next) {
                (0, None) => NONE.to_owned(),
                (found, None) => format!("all {}", jobs(found)),
                (found, Some(_)) => format!("all jobs that match, {} or more", number(found as i64)),
            };
            Ok((count, told(filter)))
        }
    }
}

/// What follows from it.
const fn follows(deed: Deed) -> &'static str {
    match deed {
        Deed::Retry => {
            "They are available at once, with all their attempts before them. Those that wait or run already stay as they \
             are. What a job had done before is not done twice: its own page says why."
        }
        Deed::Cancel => {
            "Those that wait are called off at once; those that run are asked to stop. What they were to do is not done \
             until somebody retries them: an order stays where it is."
        }
        Deed::Delete => {
            "They are gone with their arguments and errors, and cannot be retried any more. What had not run will never \
             run. Those that run stay."
        }
    }
}

/// `POST /queues/jobs/change`
pub(in crate::pages) async fn change(
    From(web): From<Web>,
    SignedForm { session, fields }: SignedForm<Vec<(String, String)>>,
) -> Answer {
    let wanted = Wanted::of(fields)?;
    let who = &session.caller.actor;
    let changed = queues::change(&web.app, who, wanted.deed, wanted.selection.clone()).await?;
    Ok(go_on(&wanted.result(changed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Result<Wanted, ApiError> {
        Wanted::of(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    #[test]
    fn what_was_selected_is_meant_and_the_list_is_come_back_to() {
        let wanted = wanted("deed=retry&which=selected&ids=3&ids=4&state=discarded&queue=").unwrap();
        assert!(matches!(&wanted.selection, Selection::Ids(ids) if *ids == [JobId(3), JobId(4)]));
        assert_eq!(wanted.result(1), "/queues/jobs?state=discarded&done=retry.1");
    }

    #[test]
    fn a_job_shows_the_result_itself_as_long_as_it_is_there() {
        let result = |deed| wanted(&format!("deed={deed}&which=selected&ids=3&back=job")).unwrap().result(1);
        assert_eq!(result("cancel"), "/queues/jobs/3?done=cancel.1");
        assert_eq!(result("delete"), "/queues/jobs?done=delete.1");
    }

    #[test]
    fn all_that_match_are_named_by_what_they_have_in_common() {
        let filter = Filter { error: Some("at #&3".to_owned()), ..Filter::state(State::Discarded) };
        let address = all_matching(Deed::Delete, &filter);
        let again = wanted(address.split_once('?').unwrap().1).unwrap();
        assert!(matches!(&again.selection, Selection::Matching(found) if *found == filter), "{address}");
        assert_eq!(told(&filter), ["state discarded", "with “at #&3” in an error"]);
    }

    #[test]
    fn neither_nothing_nor_everything_can_be_meant() {
        for query in
            ["deed=retry&which=selected", "deed=retry&which=all", "deed=retry", "which=all&state=discarded"]
        {
            assert!(wanted(query).is_err(), "{query}");
        }
        assert!(wanted("deed=retry&which=selected&ids=x").is_err());
    }
}
