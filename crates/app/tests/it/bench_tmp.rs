use crate::support::{TestApp, order};
#[tokio::test(flavor = "multi_thread")]
#[ignore]
async fn bench() {
    let test = TestApp::with(|_| ()).await;
    test.stock("MUG-1", "Mug with a handle", 1_000_000).await;
    test.stock("POT-1", "Teapot of clay", 1_000_000).await;
    test.app.queue().pause_queue("notifications").await.unwrap();
    for n in 0..20_000 { order(&format!("A{n}")).line("MUG-1", 2, 999).line("POT-1", 1, 4500).place(&test).await; }
    test.run_jobs().await;
    test.app.queue().continue_queue("notifications").await.unwrap();
    let began = std::time::Instant::now();
    let n = test.run_jobs().await;
    println!("{n} jobs {:?} each", began.elapsed() / n as u32);
}
