//! What only a server has: connections that get in each other's way, that are cut, and servers that go.

mod giving_way;
mod lost;
mod proxy;
mod reaching;
mod server;
mod values;

use ::mysql::Conn;
use ::mysql::prelude::Queryable as _;
use sql::{Database, Error, Result, Tx};
use testkit::Space;

use crate::{insert, open};

/// A database on the server, whatever the run is on, with two things in it whose numbers are 0.
async fn two_things() -> (Space, Database) {
    let space = Space::on(true, false);
    let db = open(&space).await;
    make_two_things(&db).await;
    (space, db)
}

async fn make_two_things(db: &Database) {
    let make = |tx: &mut Tx<'_>| insert(tx, 1, "one", 0).and_then(|_| insert(tx, 2, "two", 0));
    db.write("make", make).await.unwrap();
}

/// Adds 1 to the number of a thing.
fn add(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    match tx.execute("UPDATE things SET n = n + 1 WHERE id = ?", &[id.into()])? {
        1 => Ok(()),
        _ => Err(Error::Missing),
    }
}

/// The numbers of all things.
async fn numbers(db: &Database) -> Vec<i64> {
    let read = |tx: &mut Tx<'_>| tx.query("SELECT n FROM things ORDER BY id", &[], |row| row.get(0));
    db.read::<_, Error>("numbers", read).await.unwrap()
}

/// The number that the server knows the transaction's connection by.
fn connection_id(tx: &mut Tx<'_>) -> Result<u64> {
    tx.query_one("SELECT CONNECTION_ID()", &[], |row| row.get(0))
}

/// Somebody else's connection to a server or a database.
fn somebody(url: &str) -> Conn {
    Conn::new(url).unwrap()
}

/// Cuts a connection, and waits until it is gone.
fn kill(url: &str, id: u64) {
    let mut somebody = somebody(url);
    somebody.query_drop(format!("KILL {id}")).unwrap();
    let there = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id}");
    while somebody.query_first::<u64, _>(&there).unwrap() != Some(0) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
