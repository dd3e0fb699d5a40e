//! Quick pipeline run.
use std::sync::Arc;
use std::time::Instant;
use app::{App, SystemClock, config::Config, imports, workers::Workers};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let orders: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(20_000);
    let file = match std::env::args().nth(2) {
        Some(f) if !f.is_empty() => std::path::PathBuf::from(f),
        _ => {
            let path = dir.path().join("orders.csv");
            let spec = importer::sample::Sample { lines: (2, 2), customers: 100_000, ..importer::sample::Sample::shop(orders, 7) };
            spec.write(std::io::BufWriter::new(std::fs::File::create(&path)?))?;
            path
        }
    };
    let mut config = Config::default();
    config.database.url = dir.path().join("b.db").to_string_lossy().into_owned();
    config.gateway.decline_rate = 0.0;
    if std::env::args().nth(3).is_some() { config.notifications.channels.clear(); }
    let app = App::open(config, Arc::new(SystemClock), true).await?;
    let t = Instant::now();
    let options = imports::ImportOptions { initial_stock: 100_000_000, ..Default::default() };
    let started = imports::start(&app, &file, options, false).await?;
    println!("start {:?} {:?}", t.elapsed(), started);
    let imports::Started::New(id) = started else { panic!() };
    let workers = Workers::start(&app).await?;
    let app2 = app.clone();
    tokio::spawn(async move {
        loop {
            let s = imports::status(&app2, id).await.unwrap();
            if s.import.status.is_final() { println!("import done {:?} {:?} {:?}", t.elapsed(), s.progress, s.import.error); break; }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    workers.run_until_idle().await?;
    let e = t.elapsed();
    let n = app.read("n", |tx| tx.query("SELECT status, COUNT(*) FROM orders GROUP BY status", &[], |r| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?)))).await?;
    let _: Vec<(i64,i64)> = n.clone();
    println!("{e:?} {n:?} {:.0} orders/s", n.iter().map(|x| x.1).sum::<i64>() as f64 / e.as_secs_f64());
    println!("{}", std::fs::read_to_string("/proc/self/status")?.lines().filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS")).collect::<Vec<_>>().join(" "));
    let cpu = std::fs::read_to_string("/proc/self/stat")?;
    let f: Vec<&str> = cpu.rsplit(')').next().unwrap().split_whitespace().collect();
    println!("utime {} stime {} (ticks)", f[11], f[12]);
    Ok(())
}
