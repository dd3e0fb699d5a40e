//! What the machine does to a database that is a file: a full disk, a locked, damaged or forbidden file.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use crate::books::Books;
use crate::faults::{assert_clear_error, import, orders};
use crate::support::{Shop, finish};

#[test]
fn a_full_disk_stops_an_import_with_a_clear_error_and_the_same_command_completes_it() {
    let shop = Shop::on_file().set("queue.lease", "1s");
    let file = orders(&shop, 1, 5_000);
    // No file may grow beyond so many blocks of 1,024 bytes.
    for blocks in [300, 3_000] {
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        assert_clear_error(&finish(shop.shell(&limited, &import(&file))), "the disk that holds the database");
    }
    shop.assert_clean_but_unfinished();
    let done = shop.done(&import(&file));
    assert!(done.stdout.contains("5,000 confirmed"), "{done}");
    Books::of(&shop).assert_each_effect_once(5_000);
    shop.assert_clean();
}

#[test]
fn a_lock_that_others_hold_for_too_long_is_a_clear_error() {
    let shop = Shop::on_file().set("database.lock_timeout", "1s");
    let file = orders(&shop, 1, 10);
    shop.done(&["migrate"]);
    let turn =
        File::options().write(true).open(shop.path("shop.db-turn")).expect("the file of the write turn");
    turn.lock().expect("the write turn");
    assert_clear_error(
        &shop.run(&import(&file)),
        "the database stayed locked for 1 s; another process holds it",
    );
    turn.unlock().expect("the write turn");
    // Somebody who knows nothing of turns: a shell, a backup.
    let foreign = Connection::open(shop.path("shop.db")).expect("the database opens");
    foreign.execute_batch("BEGIN IMMEDIATE").expect("SQLite's own lock");
    assert_clear_error(
        &shop.run(&import(&file)),
        "the database stayed locked for 1 s; another process holds it",
    );
    drop(foreign);
    shop.done(&import(&file));
    shop.assert_clean();
}

#[test]
fn a_damaged_database_is_a_clear_error() {
    let shop = Shop::on_file();
    shop.write(
        "shop.db",
        "this was never a database, but it is long enough to look like the header of one".repeat(50),
    );
    assert_clear_error(&shop.run(&["status"]), "cannot open the database shop.db: file is not a database");

    let shop = Shop::on_file();
    shop.done(&import(&orders(&shop, 1, 2_000)));
    let checkpoint = Connection::open(shop.path("shop.db")).expect("the database opens");
    checkpoint.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("the log is moved");
    drop(checkpoint);
    let mut database = File::options().write(true).open(shop.path("shop.db")).expect("the database");
    let size = database.metadata().expect("its size").len();
    // The first pages hold the schema, without which it cannot be opened at all.
    for page in (128..size / 4096).step_by(3) {
        database.seek(SeekFrom::Start(page * 4096)).expect("a page");
        database.write_all(&[0xff; 4096]).expect("a page");
    }
    assert_clear_error(&shop.run(&["verify"]), "the database is damaged");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let shop = Shop::on_file().set("database.url", "kept/shop.db");
    shop.write("kept", "a file where the folder should be");
    assert_clear_error(&shop.run(&["migrate"]), "cannot create the folder kept");
    fs::remove_file(shop.path("kept")).expect("a file of ours");
    fs::create_dir(shop.path("kept")).expect("a folder");
    fs::set_permissions(shop.path("kept"), fs::Permissions::from_mode(0o555)).expect("a folder of ours");
    if File::create(shop.path("kept/probe")).is_ok() {
        println!("whoever runs this test may write anywhere: read-only folders do not stop root");
        return;
    }
    assert_clear_error(&shop.run(&["migrate"]), "cannot open");
}
