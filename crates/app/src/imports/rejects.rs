use std::io::Write;

use domain::ImportId;
use importer::{Field, Reject, RejectsWriter};

use super::plan::read_stored;
use crate::{App, Error, Result};

/// Rejects read at a time.
const PAGE: u32 = 1_000;

/// Writes the rows that were not imported as CSV: line, code, field and message, then the row as it stood, so that it
/// can be corrected and imported again. Returns how many there were.
pub async fn write_rejects(app: &App, id: ImportId, out: impl Write) -> Result<u64> {
    let import = app.read("get_import", move |tx| store::imports::get(tx, id)).await?;
    let (_, plan) = read_stored(&import)?;
    let failed =
        |error: std::io::Error| Error::Internal(format!("the rejects could not be written: {error}"));
    let mut writer = RejectsWriter::new(out, &plan.layout).map_err(failed)?;
    let (mut after, mut count) = ((0, -1), 0);
    loop {
        let page =
            app.read("list_rejects", move |tx| store::imports::list_rejects(tx, id, after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = (last.line, last.position);
        count += page.len() as u64;
        for reject in page {
            writer.write(&parsed(reject)?).map_err(failed)?;
        }
    }
    writer.finish().map_err(failed)?;
    Ok(count)
}

/// A reject as the importer knows it.
fn parsed(reject: store::imports::Reject) -> Result<Reject> {
    let unknown = |what: String| Error::Invalid(format!("line {}: {what}", reject.line));
    Ok(Reject {
        line: reject.line.cast_unsigned(),
        code: reject.code.parse().map_err(|error| unknown(format!("{error}")))?,
        field: reject.field.as_deref().and_then(Field::parse),
        message: reject.message,
        raw: reject.raw,
    })
}
