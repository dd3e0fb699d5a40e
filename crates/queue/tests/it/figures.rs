use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use queue::metrics::{Figures, Measure, Span};
use queue::{Batch, Outcome};

use crate::lab::{Engines, LEASE, Lab, Store, does, job, land};

/// All figures of the last 40 days, together.
async fn total(lab: &Lab<Engines>, span: Span) -> Figures {
    let to = lab.in_seconds(3600);
    let from = to.checked_sub(Duration::from_hours(24 * 40)).unwrap();
    let mut total = Figures::default();
    lab.queue.figures(span, from, to).await.unwrap().values().for_each(|figures| total.merge(figures));
    total
}

async fn run_three(lab: &Lab<Engines>) {
    lab.queue.push(vec![job("a"); 3]).await.unwrap();
    lab.advance(2);
    lab.drain(does("a", |_: Batch| async {
        Ok(vec![Outcome::Done, Outcome::Retry("x".to_owned()), Outcome::discard("x")])
    }))
    .await;
    lab.queue.flush_metrics().await.unwrap();
}

#[tokio::test]
async fn what_happens_is_counted_by_minute_and_by_hour() {
    let lab = Lab::<Engines>::new().await;
    run_three(&lab).await;
    for span in Span::ALL {
        let figures = total(&lab, span).await;
        let counted: Vec<(Measure, u64)> = figures.counts.iter().map(|(measure, n)| (*measure, *n)).collect();
        let expected =
            [(Measure::Enqueued, 3), (Measure::Completed, 1), (Measure::Failed, 1), (Measure::Retried, 1)];
        assert_eq!(counted, expected);
        assert_eq!((figures.wait.count(), figures.run.count()), (3, 3));
        let wait = figures.wait.quantile(0.5).unwrap();
        assert!((2.0..2.6).contains(&wait.as_secs_f64()), "{wait:?}");
    }
}

#[tokio::test]
async fn flushes_of_one_minute_add_up() {
    let lab = Lab::<Engines>::new().await;
    run_three(&lab).await;
    lab.queue.push(vec![job("a"); 2]).await.unwrap();
    lab.queue.flush_metrics().await.unwrap();
    lab.queue.flush_metrics().await.unwrap();
    let to = lab.in_seconds(60);
    let from = to.checked_sub(Duration::from_mins(2)).unwrap();
    let minutes = lab.queue.figures(Span::Minute, from, to).await.unwrap();
    assert_eq!(minutes.len(), 1);
    assert_eq!(minutes.values().next().unwrap().count(Measure::Enqueued), 5);
}

#[tokio::test]
async fn minutes_are_kept_for_a_day_and_hours_for_thirty() {
    let lab = Lab::<Engines>::new().await;
    run_three(&lab).await;
    for (hours, minutes_kept, hours_kept) in [(23, 3, 3), (2, 0, 3), (24 * 30, 0, 0)] {
        lab.clock.advance(Duration::from_hours(hours));
        lab.queue.flush_metrics().await.unwrap();
        assert_eq!(total(&lab, Span::Minute).await.count(Measure::Enqueued), minutes_kept);
        assert_eq!(total(&lab, Span::Hour).await.count(Measure::Enqueued), hours_kept);
    }
}

#[tokio::test]
async fn a_refused_result_is_counted_once_and_not_as_completed() {
    let lab = Lab::<Engines>::new().await;
    lab.push(job("a")).await;
    let (ledger, clock) = (lab.store.ledger().clone(), Arc::clone(&lab.clock));
    let runs = AtomicUsize::new(0);
    lab.drain(does("a", move |batch: Batch| {
        let (ledger, clock) = (ledger.clone(), Arc::clone(&clock));
        let is_first = runs.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if is_first {
                clock.advance(LEASE);
                batch.queue().reap(1).await?;
            }
            land(&ledger, batch.queue(), batch.jobs()).await?;
            Ok(batch.all_done())
        }
    }))
    .await;
    lab.queue.flush_metrics().await.unwrap();
    let figures = total(&lab, Span::Minute).await;
    assert_eq!((figures.count(Measure::Refused), figures.count(Measure::Completed)), (1, 1));
    assert_eq!(lab.effects().await.len(), 1);
}
