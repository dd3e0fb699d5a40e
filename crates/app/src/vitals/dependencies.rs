use std::time::{Duration, Instant};

use domain::Channel;
use tokio::net::TcpStream;

use super::{Told, in_time};
use crate::config::GatewayMode;
use crate::{App, Error, Result};

/// Something that this program talks to.
#[derive(Debug)]
pub struct Dependency {
    /// What for.
    pub name: &'static str,
    /// What was asked of it.
    pub asked: String,
    /// How long it took to answer, or why it did not.
    pub took: Told<Duration>,
}

/// Asks each of them, all at once.
pub(super) async fn ask(app: &App) -> Vec<Dependency> {
    let (read, write, redis, gateway, mail) =
        tokio::join!(read(app), write(app), redis(app), gateway(app), mail(app));
    [Some(read), Some(write), redis, Some(gateway), mail].into_iter().flatten().collect()
}

async fn timed(name: &'static str, asked: String, answer: impl Future<Output = Result<()>>) -> Dependency {
    let begun = Instant::now();
    let answered = in_time(answer).await;
    Dependency { name, asked, took: answered.map(|()| begun.elapsed()) }
}

async fn read(app: &App) -> Dependency {
    let read = async { app.read("ping", |tx| store::instance::find(tx, "instance")).await.map(drop) };
    timed("Database, reading", "one row".to_owned(), async { Ok(read.await?) }).await
}

/// Writes for real: an empty transaction would succeed on a full disk.
async fn write(app: &App) -> Dependency {
    let now = app.now().to_string();
    let write = app.transaction("ping", move |tx| store::instance::put(tx, "looked_at", &now));
    timed("Database, writing", "one row, committed".to_owned(), async { Ok(write.await?) }).await
}

async fn redis(app: &App) -> Option<Dependency> {
    let redis = app.redis()?;
    Some(timed("Redis", redis.address().shown().to_owned(), async { Ok(redis.ping().await?) }).await)
}

async fn gateway(app: &App) -> Dependency {
    let settings = &app.config().gateway;
    let name = "Payment gateway";
    match settings.mode {
        GatewayMode::InProcess => {
            Dependency { name, asked: "simulated in this process".to_owned(), took: Ok(Duration::ZERO) }
        }
        GatewayMode::Http => {
            let url = reqwest::Url::parse(&settings.url).ok();
            let place = url.and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
            let (host, port) = place.unwrap_or_default();
            timed(name, format!("a connection to {host}:{port}"), connect(&host, port)).await
        }
    }
}

async fn mail(app: &App) -> Option<Dependency> {
    let smtp = &app.config().notifications.smtp;
    let is_used = app.channels().contains(&Channel::Smtp);
    let asked = format!("a connection to {}:{}", smtp.host, smtp.port);
    if is_used { Some(timed("Mail server", asked, connect(&smtp.host, smtp.port)).await) } else { None }
}

async fn connect(host: &str, port: u16) -> Result<()> {
    let connected = TcpStream::connect((host, port)).await;
    connected.map(drop).map_err(|error| Error::Internal(error.to_string()))
}
