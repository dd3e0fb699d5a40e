//! What only files have.

use std::process::{Command, Stdio};
use std::time::Duration;

use sql::{Database, Error, Tx};
use testkit::Space;

use crate::{open, settings};

#[tokio::test]
async fn a_lock_held_too_long_is_a_clear_error() {
    let space = Space::on(false, false);
    // Its writer would hold the turn for a moment after its last answer.
    open(&space).await.close();
    // `flock` is a process of its own, as a stuck ordermill would be.
    let turn = space.folder().join("shop.db-turn");
    let mut holder = Command::new("flock")
        .arg("--no-fork")
        .arg(&turn)
        .args(["sleep", "60"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut settings = settings(&space);
    settings.lock_timeout = Duration::from_millis(300);
    while Command::new("flock").arg("--nonblock").arg(&turn).arg("true").status().unwrap().success() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = Database::open(&settings).map(|_| ());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
}

#[tokio::test]
async fn whoever_looks_something_up_need_not_wait_for_another_thread() {
    let space = Space::on(false, false);
    let db = open(&space).await;
    let at = |_: &mut Tx<'_>| Ok::<_, Error>(std::thread::current().id());
    assert_eq!(db.look_up("look", at).await.unwrap(), std::thread::current().id());
    assert_ne!(db.read("read", at).await.unwrap(), std::thread::current().id());
}
