use std::path::PathBuf;

use anyhow::{Context as _, Result};
use app::App;
use app::imports::{self, DryRun, ImportOptions};
use serde_json::{Value, json};

use super::object;
use crate::output::{Out, cell, plain};
use crate::session::Exit;
use crate::words::grouped;

/// Products that are too few and rejected rows that are printed; JSON has all that were kept.
const PRINTED: usize = 10;

/// Tries files with all the rules, and writes nothing.
pub async fn run(app: &App, out: Out, files: &[PathBuf], options: &ImportOptions) -> Result<Exit> {
    let mut exit = Exit::Done;
    let mut shown = Vec::new();
    for path in files {
        let what = || format!("{} cannot be imported", path.display());
        let tried = match object(app, path).with_context(what)? {
            Some(origin) => imports::dry_run_of(app, &origin, options.clone()).await,
            None => imports::dry_run(app, path, options.clone()).await,
        };
        let tried = tried.with_context(what)?;
        if tried.rows_rejected > 0 {
            exit = exit.and(Exit::Partly);
        }
        if out.is_json() {
            let rejects: Vec<Value> = tried.rejects.iter().map(|reject| json!(reject)).collect();
            shown.push(json!({ "file": path, "dry_run": tried, "rejects": rejects }));
        } else {
            out.line(format_args!("{}: tried, nothing was written", out.bold(path.display())))?;
            print(out, &tried)?;
        }
    }
    if out.is_json() {
        out.json(&json!({ "dry_runs": shown }))?;
    }
    Ok(exit)
}

fn print(out: Out, tried: &DryRun) -> Result<()> {
    let number = |count: u64| grouped(count.cast_signed());
    out.line(format_args!(
        "  {} rows; orders: {} would be imported, {} are there already, {} would be rejected",
        number(tried.rows),
        number(tried.orders_imported),
        number(tried.orders_duplicate),
        number(tried.orders_rejected)
    ))?;
    if tried.products_created > 0 {
        out.line(format_args!("  {} products would be made", number(tried.products_created)))?;
    }
    for reject in tried.rejects.iter().take(PRINTED) {
        let code = out.dim(format_args!("({})", reject.code));
        out.line(format_args!("  line {}: {} {code}", reject.line, plain(&reject.message)))?;
    }
    let unprinted = tried.rows_rejected.saturating_sub(tried.rejects.len().min(PRINTED) as u64);
    if unprinted > 0 {
        out.line(format_args!("  and {} more rows would be rejected", number(unprinted)))?;
    }
    if tried.orders_short > 0 {
        out.line(format_args!("  {} orders would fail for want of stock:", number(tried.orders_short)))?;
    }
    let mut listing = out.listing(&["SKU", "wanted", "available"]).right(&[1, 2]);
    for short in tried.shortfalls.iter().take(PRINTED) {
        listing.row([cell(&short.sku), cell(grouped(short.wanted)), cell(grouped(short.available))]);
    }
    if !tried.shortfalls.is_empty() {
        out.table(&listing, "")?;
        let unprinted = tried.shortfalls.len().saturating_sub(PRINTED);
        if unprinted > 0 {
            out.line(format_args!("  and {unprinted} more products"))?;
        }
    }
    Ok(())
}
