//! What a person reads when something went wrong: what failed, why, what to do.

use std::io::{self, Write as _};
use std::process::ExitCode;

use app::config::Mistakes;
use importer::ReadError;

use crate::output::StdoutClosed;
use crate::session::Exit;

/// The command could not be understood; 2 would say that an import rejected rows.
const USAGE: u8 = 64;

/// Prints what clap has to say: help, the version, or what it did not understand.
pub fn report_usage(usage: &clap::Error) -> ExitCode {
    // Whoever reads may have gone away.
    let _ = usage.print();
    ExitCode::from(if usage.use_stderr() { USAGE } else { 0 })
}

/// Prints an error and gives the exit code. A reader that has gone away is no error.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if error.chain().any(is_closed_stdout) {
        return ExitCode::SUCCESS;
    }
    let mut lines = vec![format!("error: {error}")];
    let mut last = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some messages tell their cause themselves.
        if !last.contains(&cause) {
            lines.push(format!("  because: {cause}"));
            last = cause;
        }
    }
    lines.extend(advice(error).map(|advice| format!("  what to do: {advice}")));
    // There is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    ExitCode::from(Exit::Failed.code())
}

fn is_closed_stdout(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.is_some_and(
        <dyn std::error::Error + std::marker::Send + std::marker::Sync + 'static>::is::<StdoutClosed>,
    )
}

/// What to do, where the message does not say it.
fn advice(error: &anyhow::Error) -> Option<&'static str> {
    if error.is::<Mistakes>() {
        return Some(
            "correct them and run the command again; `ordermill config --reference` explains every setting",
        );
    }
    if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<sql::Error>()) {
        return of_database(error);
    }
    if let Some(app::Error::Import(error)) = error.chain().find_map(|cause| cause.downcast_ref()) {
        return of_file(error);
    }
    let ledger = error.chain().find_map(|cause| {
        let from_app = cause.downcast_ref::<app::Error>().and_then(|error| match error {
            app::Error::Ledger(error) => Some(error),
            _ => None,
        });
        from_app.or_else(|| cause.downcast_ref::<store::Error>())
    });
    match ledger {
        Some(store::Error::Missing { what, .. }) => of_missing(what),
        Some(store::Error::Database(error)) => of_database(error),
        _ => None,
    }
}

/// Where the file cannot be read as it was found out, but may be as it is told.
fn of_file(error: &ReadError) -> Option<&'static str> {
    use ReadError as Read;
    match error {
        Read::NoHeader { .. } | Read::MissingColumns { .. } | Read::DuplicateColumns { .. } => {
            Some("`--map COLUMN=FIELD` says what a column means, `--ignore COLUMN` that it means nothing")
        }
        Read::Encoding { .. } | Read::Nul { .. } => {
            Some("`--encoding` names the encoding, such as windows-1252")
        }
        _ => None,
    }
}

fn of_missing(what: &str) -> Option<&'static str> {
    Some(match what {
        "order" => "name an order by its id or as SOURCE/EXTERNAL_ID; `ordermill orders list` shows them",
        "product with the SKU" => "`ordermill stock list` shows the products",
        "import" => "`ordermill imports list` shows the imports",
        "notification" => "`ordermill notifications list` shows them",
        "user" => "`ordermill user list` shows who may sign in",
        "token" => "`ordermill token list` shows them",
        _ => return None,
    })
}

fn of_database(error: &sql::Error) -> Option<&'static str> {
    match error {
        sql::Error::Unavailable { .. } | sql::Error::File { .. } => Some(
            "check that it is a database of ours and that its folder is yours, or name another one with --database",
        ),
        sql::Error::Exists(_) => Some(
            "name a file that is not there yet; to put a ledger back, move the old one away, and the files beside it with it",
        ),
        sql::Error::OnServer => Some(
            "docs/deployment.md has the commands; afterwards `ordermill restore` without a file readies the ledger",
        ),
        sql::Error::Busy { .. } => Some("end what holds the database, then run the command again"),
        _ => None,
    }
}
