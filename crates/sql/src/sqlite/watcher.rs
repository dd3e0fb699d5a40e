use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

/// How often another connection's commits are looked for. A look costs a few microseconds and no lock.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A counter that moves when some connection of some process commits. The thread ends with the last receiver.
pub(super) fn start(connection: Connection) -> watch::Receiver<u64> {
    let (sender, receiver) = watch::channel(0);
    let run = move || {
        let mut seen = None;
        while !sender.is_closed() {
            let version = connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0));
            match version {
                Ok(version) if seen == Some(version) => {}
                Ok(version) => {
                    seen = Some(version);
                    sender.send_modify(|count| *count += 1);
                }
                Err(error) => tracing::debug!(%error, "the database's version could not be read"),
            }
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new()
        .name("sql-watcher".to_owned())
        .spawn(run)
        .expect("the system refuses to start a thread");
    receiver
}
