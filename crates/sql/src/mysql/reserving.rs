use std::sync::{Arc, Mutex, PoisonError};

use mysql::Error as Fault;
use mysql::prelude::Queryable;

use super::connect::{Connector, Rest};
use super::fault;
use super::worker::Kind;
use crate::ids::{IdBlocks, Wanted};
use crate::{Error, Result};

/// Reserves blocks of ids on a connection of its own, in transactions of its own: whoever lacks some in the middle of a
/// transaction goes on with it.
pub(super) struct Reserver {
    connector: Arc<Connector>,
    ids: Arc<IdBlocks>,
    /// One reserves at a time: several at once would each lose what another has just reserved.
    connection: Mutex<Rest>,
}

impl Reserver {
    pub(super) fn new(connector: Arc<Connector>, ids: Arc<IdBlocks>) -> Self {
        let connection = Mutex::new(Rest::of(&connector));
        Reserver { connector, ids, connection }
    }

    /// Reserves the next block, unless another has done so by now.
    pub(super) fn reserve(&self, wanted: Wanted) -> Result<()> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.ids.still_lacks(wanted) {
            return Ok(());
        }
        let size = self.ids.block_size(wanted).cast_signed();
        match self.take_block(&mut connection, wanted.sequence, size) {
            Ok(Some(end)) => {
                self.ids.put(wanted.sequence, end - size..end);
                Ok(())
            }
            Ok(None) => Err(Error::Missing),
            // Ids that were reserved all the same are never given out.
            Err(fault) => {
                if fault::breaks_connection(&fault) {
                    self.connector.look_elsewhere();
                }
                Err(self.connector.error(&fault, "reserving ids"))
            }
        }
    }

    /// The id behind the last of the next `size`.
    fn take_block(
        &self,
        rest: &mut Rest,
        sequence: &str,
        size: i64,
    ) -> std::result::Result<Option<i64>, Fault> {
        let mut connection = match rest.take() {
            Some(connection) => connection,
            None => self.connector.connect(Kind::Write)?,
        };
        connection.exec_drop(
            "INSERT INTO id_sequences (name, next) VALUES (?, 1 + ?) ON DUPLICATE KEY UPDATE next = next + ?",
            (sequence, size, size),
        )?;
        let end = connection.exec_first("SELECT next FROM id_sequences WHERE name = ?", (sequence,))?;
        connection.query_drop("COMMIT")?;
        rest.put(connection);
        Ok(end)
    }
}
