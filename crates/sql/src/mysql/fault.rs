//! What the server's errors mean. Codes are those of MySQL's and MariaDB's reference manuals.

use mysql::Error as Fault;

use crate::Error;

/// Whether the connection is of no use any more, or leads to a server that takes no writes now.
pub(super) fn breaks_connection(fault: &Fault) -> bool {
    match fault {
        Fault::MySqlError(error) => matches!(
            error.code,
            // Too many connections, of all or of this user; the server shuts down; killed.
            1040 | 1203 | 1226 | 1053 | 1078 | 1079 | 1317 | 1927 | 3169
            // It only reads: another one of its group writes now. A minority of a group, or a node that joins.
            | 1290 | 1836 | 3100 | 1047
            // Idle for too long; taken out of service.
            | 4031 | 3032
        ),
        Fault::UrlError(_) | Fault::FromValueError(_) | Fault::FromRowError(_) => false,
        _ => true,
    }
}

/// Whether the server, asked to commit, said that it gives the connection up: it does not say whether before or after it
/// had committed.
pub(super) fn leaves_a_commit_open(fault: &Fault) -> bool {
    matches!(fault, Fault::MySqlError(error) if matches!(error.code, 1053 | 1317 | 1927 | 3032 | 3169))
}

/// How a failed commit names the system's error for a disk without room (ENOSPC).
const FULL: &str = "error 28 ";

/// Our error for a server's.
pub(super) fn translate(fault: &Fault, statement: &str, target: &str) -> Error {
    let Fault::MySqlError(error) = fault else {
        return if breaks_connection(fault) {
            Error::Lost { target: target.to_owned(), reason: fault.to_string() }
        } else {
            Error::statement(fault.to_string(), statement)
        };
    };
    let message = format!("{} (code {})", error.message, error.code);
    match error.code {
        1062 | 1586 => Error::Duplicate { constraint: message },
        // A CHECK of MySQL, of MariaDB; NULL; too long; out of range; not a value of the type.
        3819 | 4025 | 1048 | 1406 | 1264 | 1366 | 1364 => Error::Check { constraint: message },
        1180 if error.message.contains(FULL) => Error::Full,
        // A deadlock, or a conflict that a cluster found at the commit; a lock that did not come; a row that changed.
        1213 | 3101 | 1180 | 1205 | 1020 => Error::Deadlock { reason: message },
        1021 | 1114 | 1041 => Error::Full,
        1026 | 1030 | 3 => Error::Storage { reason: message },
        1034 | 1194 | 1195 => Error::Damaged { reason: message },
        _ if breaks_connection(fault) => Error::Lost { target: target.to_owned(), reason: message },
        _ => Error::statement(message, statement),
    }
}

#[cfg(test)]
mod tests {
    use mysql::MySqlError;

    use super::*;

    fn of_server(code: u16, message: &str) -> Fault {
        Fault::MySqlError(MySqlError { state: "HY000".to_owned(), message: message.to_owned(), code })
    }

    #[test]
    fn a_commit_that_found_no_room_on_the_disk_is_told_from_one_that_met_another() {
        let told = |message| translate(&of_server(1180, message), "COMMIT", "there");
        let full = told("Got error 28 \"No space left on device\" during COMMIT");
        assert!(matches!(full, Error::Full), "{full:?}");
        let conflict = told("Got error 149 \"Lock deadlock; Retry transaction\" during COMMIT");
        assert!(matches!(conflict, Error::Deadlock { .. }), "{conflict:?}");
    }

    #[test]
    fn a_session_that_was_ended_for_its_silence_has_committed_nothing() {
        let ended = of_server(4031, "The client was disconnected by the server because of inactivity.");
        assert!(breaks_connection(&ended) && !leaves_a_commit_open(&ended));
    }
}
