use std::time::Duration;

use sql::{Database, Error, Settings};
use testkit::{Port, Space};

use super::server::Server;
use super::{add, make_two_things, numbers, two_things};
use crate::SCHEMAS;

fn refused(url: &str) -> String {
    let lock_timeout = Duration::from_secs(1);
    let refused = Database::open(&Settings { lock_timeout, ..Settings::new(url) }).unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused:?}");
    format!("{refused}\n{refused:?}")
}

#[tokio::test]
async fn a_first_server_that_is_dead_leads_to_the_next() {
    let ((space, db), nobody) = (two_things().await, Port::reserve());
    let url = space.database_url().replace("root@", &format!("root@{nobody},"));
    let through = Database::open(&Settings::new(url)).unwrap();
    through.write("add", |tx| add(tx, 1)).await.unwrap();
    assert_eq!((numbers(&db).await, numbers(&through).await), (vec![1, 0], vec![1, 0]));
}

/// Two servers with the same database and a user who cannot write where only reading is allowed.
async fn pair() -> ([Server; 2], Settings) {
    let servers = [Server::start(), Server::start()];
    for server in &servers {
        server.run("CREATE DATABASE shop");
        server.run("CREATE USER shop@'%' IDENTIFIED BY 's3cret'");
        server.run("GRANT ALL ON shop.* TO shop@'%'");
        let db = Database::open(&Settings::new(format!("{}/shop", server.url()))).unwrap();
        db.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        make_two_things(&db).await;
    }
    let url = format!("mysql://shop:s3cret@{},{}/shop", servers[0].place(), servers[1].place());
    (servers, Settings { writers: 2, readers: 1, ..Settings::new(url) })
}

async fn numbers_of(server: &Server) -> Vec<i64> {
    numbers(&Database::open(&Settings::new(format!("{}/shop", server.url()))).unwrap()).await
}

#[tokio::test]
async fn writers_and_readers_pass_over_a_server_that_only_reads() {
    let (servers, settings) = pair().await;
    servers[0].run("SET GLOBAL read_only = 1");
    let db = Database::open(&settings).unwrap();
    db.write("add", |tx| add(tx, 1)).await.unwrap();
    assert_eq!(numbers(&db).await, [1, 0], "a reader sees what was written");
    assert_eq!((numbers_of(&servers[0]).await, numbers_of(&servers[1]).await), (vec![0, 0], vec![1, 0]));
}

#[tokio::test]
async fn writers_follow_when_their_server_takes_no_more_writes() {
    let (servers, settings) = pair().await;
    servers[1].run("SET GLOBAL read_only = 1");
    let db = Database::open(&settings).unwrap();
    db.write("add", |tx| add(tx, 1)).await.unwrap();
    servers[0].run("SET GLOBAL read_only = 1");
    // For a while nobody takes writes, as in every fail-over.
    let (written, ()) = tokio::join!(db.write("add", |tx| add(tx, 2)), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        servers[1].run("SET GLOBAL read_only = 0");
    });
    written.unwrap();
    assert_eq!((numbers_of(&servers[0]).await, numbers_of(&servers[1]).await), (vec![1, 0], vec![0, 1]));
}

/// What a server that was left behind replays is late, and what is read decides what is done.
#[tokio::test]
async fn readers_follow_when_their_server_takes_no_more_writes() {
    let (servers, settings) = pair().await;
    servers[1].run("UPDATE shop.things SET n = 7");
    servers[1].run("SET GLOBAL read_only = 1");
    let db = Database::open(&settings).unwrap();
    assert_eq!(numbers(&db).await, [0, 0]);
    servers[0].run("SET GLOBAL read_only = 1");
    // For a while nobody takes writes, as in every fail-over.
    let (read, ()) = tokio::join!(numbers(&db), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        servers[1].run("SET GLOBAL read_only = 0");
    });
    assert_eq!(read, [7, 7]);
}

#[tokio::test]
async fn where_nobody_takes_writes_that_is_told_to_whoever_writes_or_reads() {
    let (servers, settings) = pair().await;
    for server in &servers {
        server.run("SET GLOBAL read_only = 1");
    }
    let db = Database::open(&Settings { lock_timeout: Duration::from_secs(1), ..settings }).unwrap();
    let answer = db.write("add", |tx| add(tx, 1)).await;
    assert!(matches!(answer, Err(Error::Lost { .. })), "{answer:?}");
    let told = answer.unwrap_err().to_string();
    assert!(told.contains("takes writes") && !told.contains("s3cret"), "{told}");
    let answer = db.read("read", |tx| tx.query_one("SELECT 1", &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(answer, Err(Error::Lost { .. })), "{answer:?}");
}

#[test]
fn a_password_that_is_wrong_is_told_but_not_shown() {
    let space = Space::on(true, false);
    // A name that MySQL does not know is answered as if it had one of several ways to sign in, drawn at random.
    let url = space.database_url().replace("root@", "root:s3cret@");
    let told = refused(&url);
    assert!(told.contains("Access denied") && told.contains("root") && !told.contains("s3cret"), "{told}");
}

#[test]
fn a_database_that_is_not_there_is_told_by_its_name() {
    let space = Space::on(true, false);
    let told = refused(&format!("{}_2", space.database_url()));
    assert!(told.contains("Unknown database") && told.contains("_2'"), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_told_by_its_address() {
    let nobody = Port::reserve();
    let told = refused(&format!("mysql://shop:s3cret@{nobody}/shop"));
    assert!(told.contains(&nobody.to_string()) && !told.contains("s3cret"), "{told}");
}
