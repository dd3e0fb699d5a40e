use queue::backend::Change;
use queue::{Filter, JobId, NewJob, PageRequest, Selection, State};

use crate::lab::{Lab, Store, discard, job, retry};

async fn found<S: Store>(lab: &Lab<S>, filter: Filter) -> Vec<JobId> {
    let page = lab.queue.list(filter, PageRequest::default()).await.unwrap();
    page.jobs.iter().map(|job| job.id).collect()
}

pub async fn lists_find_jobs_by_state_queue_kind_tag_argument_and_error<S: Store>() {
    let lab = Lab::<S>::new().await;
    let failed = lab.push(NewJob::new("default", "mail", r#"{"to":"Ada"}"#).tag("order:7")).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, retry("Mailbox full", lab.in_seconds(60))).await);
    let waiting = lab.push(NewJob::new("default", "charge", r#"{"order":7}"#).tag("order:7")).await;
    let other = lab.push(NewJob::new("other", "mail", "{}")).await;
    let by = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        found(&lab, filter)
    };
    assert_eq!(by(|_| ()).await, [other, waiting, failed]);
    assert_eq!(by(|f| f.state = Some(State::Available)).await, [waiting, other]);
    assert_eq!(by(|f| f.state = Some(State::Retryable)).await, [failed]);
    assert_eq!(by(|f| f.queue = Some("other".to_owned())).await, [other]);
    assert_eq!(by(|f| f.kind = Some("mail".to_owned())).await, [other, failed]);
    assert_eq!(by(|f| f.tag = Some("order:7".to_owned())).await, [waiting, failed]);
    assert_eq!(by(|f| f.args = Some("ada".to_owned())).await, [failed]);
    assert_eq!(by(|f| f.error = Some("mailbox".to_owned())).await, [failed]);
    assert!(by(|f| f.error = Some("nothing like it".to_owned())).await.is_empty());
}

pub async fn pages_follow_each_other_without_gaps_or_repeats<S: Store>() {
    let lab = Lab::<S>::new().await;
    let mut all = Vec::new();
    for index in 0..25 {
        let queue = ["default", "other", "third"][index % 3];
        all.push(lab.push(NewJob::new(queue, "a", "{}").priority((index % 2) as u8)).await);
    }
    for state in [Some(State::Available), None] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let filter = Filter { state, ..Filter::default() };
            let page = lab.queue.list(filter, PageRequest { after, limit: 4 }).await.unwrap();
            assert!(page.jobs.len() <= 4);
            seen.extend(page.jobs.iter().map(|job| job.id));
            match page.next {
                // A cursor goes out as text and comes back.
                Some(next) => after = Some(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, all, "{state:?}");
    }
}

pub async fn the_newest_are_found_however_far_their_ids_are_apart<S: Store>() {
    let lab = Lab::<S>::new().await;
    let ids: Vec<JobId> = (1..=130).flat_map(|n| [n * 1_000_000 + 99, n * 1_000_000 + 100]).map(JobId).collect();
    let jobs: Vec<NewJob> = ids.iter().map(|id| job("a").id(*id)).collect();
    lab.queue.push(jobs).await.unwrap();
    let gone: Vec<JobId> = ids.iter().copied().filter(|id| id.0 / 1_000_000 % 5 == 0).collect();
    assert_eq!(lab.queue.forget(Selection::Ids(gone.clone())).await.unwrap(), gone.len());
    for limit in [7, 60, 500] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = lab.queue.list(Filter::default(), PageRequest { after, limit }).await.unwrap();
            seen.extend(page.jobs.iter().map(|job| job.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let left = ids.iter().rev().copied().filter(|id| !gone.contains(id));
        assert_eq!(seen, left.collect::<Vec<_>>(), "{limit} a page");
    }
}

pub async fn a_search_that_finds_nothing_ends<S: Store>() {
    let lab = Lab::<S>::new().await;
    for _ in 0..6 {
        lab.queue.push(vec![job("a"); 1000]).await.unwrap();
    }
    for state in [Some(State::Available), None] {
        let filter = Filter { state, args: Some("absent".to_owned()), ..Filter::default() };
        let first = lab.queue.list(filter.clone(), PageRequest::default()).await.unwrap();
        assert!(first.jobs.is_empty());
        let request = PageRequest { after: Some(first.next.expect("a bounded look")), limit: 0 };
        let second = lab.queue.list(filter, request).await.unwrap();
        assert!(second.jobs.is_empty() && second.next.is_none(), "{state:?}");
    }
}

pub async fn retrying_all_that_match_gives_them_all_attempts_again<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 600]).await.unwrap();
    let spared = lab.push(job("b")).await;
    for claimed in [lab.claim(600).await, lab.claim(1).await] {
        let changes = vec![Some(discard("broken")); claimed.len()];
        lab.queue.settle(claimed.into(), changes.into()).await.unwrap();
    }
    let filter = Filter { kind: Some("a".to_owned()), ..Filter::state(State::Discarded) };
    assert_eq!(lab.queue.retry(Selection::Matching(filter)).await.unwrap(), 600);
    let again = lab.claim(1000).await;
    assert_eq!(again.len(), 600);
    assert!(again.iter().all(|job| job.failures == 0 && job.attempt == 2));
    assert_eq!(lab.state(spared).await, State::Discarded);
}

pub async fn cancelling_a_waiting_job_ends_it_with_the_reason<S: Store>() {
    let lab = Lab::<S>::new().await;
    let waiting = lab.push(job("a")).await;
    let scheduled = lab.push(job("a").run_at(lab.in_seconds(9))).await;
    let both = Selection::Ids(vec![waiting, scheduled, JobId(12345)]);
    assert_eq!(lab.queue.cancel(both.clone(), "order cancelled").await.unwrap(), 2);
    assert_eq!(lab.queue.cancel(both, "again").await.unwrap(), 0);
    let ended = lab.job(scheduled).await;
    assert_eq!((ended.state, ended.errors[0].message.as_str()), (State::Cancelled, "order cancelled"));
    lab.advance(10);
    lab.queue.promote(10).await.unwrap();
    assert!(lab.claim(10).await.is_empty());
}

pub async fn cancelling_an_executing_job_tells_its_worker_and_ends_it<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    assert_eq!(lab.queue.cancel(Selection::Ids(vec![id]), "no").await.unwrap(), 1);
    assert!(lab.job(id).await.cancelling);
    let token = queue::Token { id, attempt: claimed.attempt };
    let beat = lab.queue.heartbeat(vec![token], crate::lab::LEASE).await.unwrap();
    assert_eq!(beat.cancelled, [id]);
    assert!(lab.settle(&claimed, retry("x", lab.in_seconds(1))).await);
    assert_eq!(lab.state(id).await, State::Cancelled);
}

pub async fn a_cancelled_job_whose_worker_is_lost_is_not_offered_again<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    lab.claim_one().await;
    lab.queue.cancel(Selection::Ids(vec![id]), "no").await.unwrap();
    lab.advance(31);
    lab.queue.reap(1).await.unwrap();
    assert_eq!(lab.state(id).await, State::Cancelled);
}

pub async fn an_executing_job_cannot_be_forgotten<S: Store>() {
    let lab = Lab::<S>::new().await;
    let id = lab.push(job("a")).await;
    let claimed = lab.claim_one().await;
    assert_eq!(lab.queue.forget(Selection::Ids(vec![id])).await.unwrap(), 0);
    assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
}

pub async fn flushing_deletes_what_failed_and_nothing_else<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 3]).await.unwrap();
    let jobs = lab.claim(2).await;
    assert!(lab.settle(&jobs[0], discard("x")).await);
    assert!(lab.settle(&jobs[1], retry("x", lab.in_seconds(1))).await);
    assert_eq!(lab.queue.flush_failed().await.unwrap(), 1);
    assert!(lab.is_gone(jobs[0].id).await);
    assert_eq!(found(&lab, Filter::default()).await.len(), 2);
}

pub async fn failures_are_grouped_by_message<S: Store>() {
    let lab = Lab::<S>::new().await;
    lab.queue.push(vec![job("a"); 4]).await.unwrap();
    let jobs = lab.claim(4).await;
    for (job, error) in jobs.iter().zip(["order 1 is gone", "order 22 is gone", "order 3 is gone"]) {
        assert!(lab.settle(job, discard(error)).await);
    }
    assert!(lab.settle(&jobs[3], retry("timed out", lab.in_seconds(5))).await);
    let groups = lab.queue.failure_groups().await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.message.as_str(), group.count)).collect();
    assert_eq!(told, [("order # is gone", 3), ("timed out", 1)]);
}

pub async fn depths_count_by_state_and_tell_the_oldest<S: Store>() {
    let lab = Lab::<S>::new().await;
    let began = lab.queue.now();
    lab.push(job("a").priority(255)).await;
    lab.advance(5);
    lab.queue.push(vec![job("a").priority(0); 3]).await.unwrap();
    lab.push(job("a").run_at(lab.in_seconds(9))).await;
    let claimed = lab.claim_one().await;
    assert!(lab.settle(&claimed, Change::Snooze { at: lab.in_seconds(9) }).await);
    let depth = lab.queue.depths(None).await.unwrap().remove(0);
    assert_eq!((depth.count(State::Available), depth.count(State::Scheduled)), (3, 2));
    assert_eq!(depth.oldest_waiting, Some(began));
    let capped = lab.queue.depths(Some(2)).await.unwrap().remove(0);
    assert_eq!(capped.count(State::Available), 2);
}
