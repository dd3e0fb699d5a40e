//! The pages of how everything does.

use app::config::{GatewayMode, GatewaySettings};
use app::recent::KeepTroubles;
use app::verify::{self, Scope};
use domain::Role;
use reqwest::StatusCode;
use testkit::Port;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::pages::text;
use crate::support::{Shop, reliable};

/// The row of a dependency.
fn dependency<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("<tr><td>{name}</td>")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split_once("</tr>").unwrap().0
}

#[tokio::test]
async fn the_page_tells_how_each_dependency_does() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let page = text(&browser, "/system").await;
    for name in ["Database, reading", "Database, writing", "Payment gateway"] {
        assert!(dependency(&page, name).contains(">up<"), "{name}: {page}");
    }
    let engine = if shop.is_on_sqlite() { "SQLite 3." } else { "<dt>Engine</dt>" };
    assert!(page.contains(engine) && page.contains(" writing</dd>"), "{page}");
    assert_eq!(page.contains("[redis] url"), shop.app.redis().is_none(), "{page}");
    if shop.app.redis().is_some() {
        assert!(dependency(&page, "Redis").contains(">up<") && page.contains("<dt>Keys</dt>"), "{page}");
    }
    assert!(page.contains(" free (") && page.contains("None was heard of: jobs wait"), "{page}");
    assert!(!page.contains("Settings in force"), "a viewer may not");
    assert!(page.contains("No run that found nothing wrong is known"), "{page}");
    assert!(verify::run(&shop.app, Scope::All).await.unwrap().is_clean());
    let page = text(&browser, "/system").await;
    assert!(page.contains("The last run that found nothing wrong began at"), "{page}");
}

#[tokio::test]
async fn a_dependency_that_is_down_is_told_and_takes_nothing_else_along() {
    let nobody = Port::reserve();
    let gateway = GatewaySettings { mode: GatewayMode::Http, url: format!("http://{nobody}"), ..reliable() };
    let shop = Shop::open(gateway).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let page = text(&browser, "/system").await;
    assert!(dependency(&page, "Payment gateway").contains(">down<"), "{page}");
    assert!(dependency(&page, "Database, writing").contains(">up<"), "{page}");
}

#[tokio::test]
async fn the_last_warnings_and_errors_are_shown_as_they_are() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let kept = tracing_subscriber::registry().with(KeepTroubles::new());
    tracing::subscriber::with_default(kept, || {
        tracing::error!(error = "<b>it broke</b>", "an order could not be placed");
    });
    let page = text(&browser, "/system").await;
    assert!(page.contains("an order could not be placed; error: &#60;b&#62;it broke"), "{page}");
    assert!(page.contains("badge bad\">error<") && !page.contains("<b>it broke"), "{page}");
}

#[tokio::test]
async fn admins_see_the_settings() {
    let shop = Shop::open(reliable()).await;
    let operator = shop.signed_in(Role::Operator).await;
    assert_eq!(operator.get("/system/settings").await.status(), StatusCode::FORBIDDEN);
    let admin = shop.signed_in(Role::Admin).await;
    assert!(text(&admin, "/system").await.contains("href=\"/system/settings\""));
    let page = text(&admin, "/system/settings").await;
    assert!(page.contains("without telling where its settings came from"), "{page}");
}
