//! Kept figures.

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::Result;
use crate::clock::earlier;
use crate::metrics::{Measure, Point, Sample, Span};

pub(super) fn add(tx: &mut Tx<'_>, samples: &[Sample], at: Timestamp) -> Result<()> {
    let mut rows = Vec::with_capacity(samples.len() * 14);
    for span in Span::ALL {
        for sample in samples {
            rows.extend([
                Value::from(span.seconds()),
                span.start(at).into(),
                sample.queue.as_ref().into(),
                sample.kind.as_ref().into(),
                sample.measure.code().into(),
                (sample.bucket as i64).into(),
                i64::try_from(sample.n).unwrap_or(i64::MAX).into(),
            ]);
        }
    }
    let insert = Insert {
        table: "job_metrics",
        columns: &["span", "at", "queue", "kind", "measure", "bucket", "n"],
        conflict: Conflict::Update {
            key: &["span", "at", "queue", "kind", "measure", "bucket"],
            set: &["n = n + new.n"],
        },
    };
    tx.insert_rows(&insert, &rows)?;
    for span in Span::ALL {
        let before = earlier(at, span.kept());
        tx.execute(
            "DELETE FROM job_metrics WHERE span = ? AND at < ?",
            &[span.seconds().into(), before.into()],
        )?;
    }
    Ok(())
}

pub(super) fn points(tx: &mut Tx<'_>, span: Span, from: Timestamp, to: Timestamp) -> Result<Vec<Point>> {
    let rows = tx.query(
        "SELECT at, queue, kind, measure, bucket, n FROM job_metrics WHERE span = ? AND at >= ? AND at < ? \
         ORDER BY at, queue, kind, measure, bucket",
        &[span.seconds().into(), from.into(), to.into()],
        |row| {
            let Some(measure) = Measure::from_code(row.get(3)?) else { return Ok(None) };
            Ok(Some(Point {
                at: row.get(0)?,
                queue: row.get(1)?,
                kind: row.get(2)?,
                measure,
                bucket: row.get(4)?,
                n: row.get(5)?,
            }))
        },
    )?;
    Ok(rows.into_iter().flatten().collect())
}
