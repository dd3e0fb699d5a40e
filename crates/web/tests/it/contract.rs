//! What is answered is what the document says: asked by a program that reads it and makes up requests, good and bad.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::session::Session;

/// The Python that has the program; installed on first use.
fn python() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/get-schemathesis");
    let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "scripts/get-schemathesis failed");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_is_what_the_document_says() {
    let session = Session::walk().await;
    // As in `ordermill serve`, workers go on meanwhile.
    let registry = app::jobs::registry(&session.shop.app).unwrap();
    let supervisor = queue::Supervisor::start(session.shop.app.queue().clone(), registry).await.unwrap();
    let (folder, url, token) = (session.shop.folder(), session.shop.url.clone(), session.token.clone());
    let ask = move || {
        let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract.py");
        Command::new(python()).arg(script).args([url, token]).current_dir(folder).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(ask).await.unwrap();
    supervisor.stop();
    supervisor.wait().await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}
