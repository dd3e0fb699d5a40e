//! Lists of jobs: read in bounded pieces, and filtered here, as those of rows are.

use std::collections::BTreeMap;

use super::RedisBackend;
use super::packed::{Stored, id_text, micros_text};
use crate::backend::Pausable;
use crate::monitor::{Cursor, Filter, JobRecord, Merged, Page, PageRequest, QueueDepth, SEEN_AT_MOST};
use crate::sql::rows::{PRIORITY_STEP, available_due};
use crate::{JobId, Result, State};

/// What a list is read along.
struct Along {
    /// A sorted set; none where it is the ids of all jobs.
    set: Option<String>,
    backwards: bool,
    state: Option<State>,
}

impl RedisBackend {
    pub(super) async fn list_jobs(&self, filter: &Filter, page: &PageRequest) -> Result<Page> {
        self.arrived().await;
        let along = Along::of(filter);
        let queues = match (&filter.tag, filter.state, &filter.queue) {
            (None, Some(_), Some(queue)) => vec![queue.clone()],
            _ => self.jobs.queues().await?,
        };
        let mut found = Vec::new();
        let mut after = page.after;
        let mut scanned = 0;
        loop {
            let size = filter.piece(page.size(), queues.len());
            let Merged { jobs, is_last } = self.piece(&along, &queues, after, size).await?;
            scanned += jobs.len();
            for (cursor, job) in jobs {
                after = Some(cursor);
                let fits = filter.matches(&job)
                    && (filter.error.is_none()
                        || job.errors.iter().any(|e| filter.matches_error(&e.message)));
                if fits {
                    found.push(job);
                }
                if found.len() == page.size() {
                    return Ok(Page { jobs: found, next: after });
                }
            }
            if is_last || scanned >= SEEN_AT_MOST {
                return Ok(Page { jobs: found, next: after.filter(|_| !is_last) });
            }
        }
    }

    /// The next jobs of all queues, in one order.
    async fn piece(
        &self,
        along: &Along,
        queues: &[String],
        after: Option<Cursor>,
        size: usize,
    ) -> Result<Merged> {
        let from = along.bound(after);
        let mut lists = Vec::with_capacity(queues.len());
        for queue in queues {
            let jobs = match &along.set {
                Some(set) => self.jobs.page(queue, set, along.backwards, &from, size).await?,
                None => self.jobs.newest(queue, after.map(|cursor| JobId(cursor.id)), size).await?,
            };
            let placed = jobs.into_iter().map(|job| Ok((along.cursor(&job), job.record(queue)?)));
            lists.push(placed.collect::<Result<_>>()?);
        }
        Ok(Merged::of(lists, size, along.backwards))
    }

    pub(super) async fn find_job(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.arrived().await;
        let found = self.jobs.locate(&[id]).await?;
        found.first().map(|(queue, job)| job.record(queue)).transpose()
    }

    pub(super) async fn count_jobs(&self, at_most: Option<usize>) -> Result<Vec<QueueDepth>> {
        self.arrived().await;
        let paused = self.paused_queues().await?;
        let mut names = self.jobs.queues().await?;
        names.extend(paused.iter().cloned());
        names.sort_unstable();
        names.dedup();
        let mut depths = Vec::with_capacity(names.len());
        for queue in names {
            let (counts, oldest_waiting) = self.jobs.depth(&queue).await?;
            let counts = State::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0);
            let counted = |(state, count): (State, usize)| (state, count.min(at_most.unwrap_or(usize::MAX)));
            let states: BTreeMap<State, usize> = counts.map(counted).collect();
            let paused = paused.contains(&queue);
            if paused || !states.is_empty() {
                depths.push(QueueDepth { queue, paused, states, oldest_waiting });
            }
        }
        Ok(depths)
    }

    pub(super) async fn paused_queues(&self) -> Result<Vec<String>> {
        use crate::backend::Console as _;
        self.sql.paused(Pausable::Queue).await
    }
}

impl Along {
    fn of(filter: &Filter) -> Self {
        match (&filter.tag, filter.state) {
            (Some(tag), _) => Along { set: Some(format!("t:{tag}")), backwards: true, state: None },
            (None, Some(state)) => {
                let set = format!("z{}", state.code());
                Along { set: Some(set), backwards: state.has_ended(), state: Some(state) }
            }
            (None, None) => Along { set: None, backwards: true, state: None },
        }
    }

    /// The same cursors as those of rows: where a job stands in its state, or its id alone.
    fn cursor(&self, job: &Stored) -> Cursor {
        let due = match self.state {
            None => 0,
            Some(State::Available) => available_due(job.data.priority, job.data.due),
            Some(_) => job.data.due.as_microsecond(),
        };
        Cursor { due, id: job.id.0 }
    }

    fn bound(&self, after: Option<Cursor>) -> String {
        let Some(Cursor { due, id }) = after else {
            return if self.backwards { "+" } else { "-" }.to_owned();
        };
        let id = id_text(JobId(id.max(0)));
        match self.state {
            None => format!("({id}"),
            Some(State::Available) => {
                let (priority, since) = (due.max(0) / PRIORITY_STEP, due.max(0) % PRIORITY_STEP);
                format!("({priority:03}{}{id}", micros_text(since))
            }
            Some(_) => format!("({}{id}", micros_text(due)),
        }
    }
}
