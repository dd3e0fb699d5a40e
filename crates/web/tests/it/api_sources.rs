//! Files that are named over the API, and fetched from folders and object stores.

use std::path::Path;
use std::time::Duration;

use app::config::{Config, StoreSettings};
use domain::Role;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::s3::{BUCKET, KEY_ID, ObjectStore, SECRET};

use crate::support::{Answer, Shop, Speaker, client, free_port, reliable};

const FILE: &str = "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
                    A-1,2029-12-01,ann@example.org,MUG,2,12.50,EUR\n\
                    A-2,2029-12-01,bob@example.org,MUG,none,12.50,EUR\n\
                    A-3,2029-12-01,bob@example.org,CUP,1,3.00,EUR\n";

struct Lab {
    shop: Shop,
    speaker: Speaker,
    store: ObjectStore,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn open() -> Self {
        Self::open_with(ObjectStore::start(), |_| ()).await
    }

    async fn open_with(store: ObjectStore, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = |config: &mut Config| {
            config.gateway = reliable();
            config.imports.folders = vec![folder.path().to_owned()];
            config.imports.stores.insert("archive".to_owned(), settings_of(&store));
            change(config);
        };
        let shop = Shop::open_with(free_port().await, settings).await;
        let speaker = shop.speaker(Role::Operator).await;
        Lab { shop, speaker, store, folder }
    }

    async fn import(&self, query: &str, mut named: Value) -> Answer {
        if named.get("options").is_none() {
            named["options"] = options();
        }
        self.speaker.post(&format!("/orders/import{query}"), &named).await
    }

    async fn import_object(&self, key: &str) -> Answer {
        self.import("", json!({ "url": url(key) })).await
    }

    /// How an import stands once its jobs had some time, also those that wait after a failure.
    async fn ended(&self, begun: &Answer) -> Value {
        assert_eq!(begun.status, 202, "{begun:?}");
        for _ in 0..8 {
            self.shop.work().await;
            self.shop.clock.advance(Duration::from_mins(2));
        }
        self.speaker.get(&format!("/imports/{}", begun.body["id"])).await.body
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn settings_of(store: &ObjectStore) -> StoreSettings {
    StoreSettings {
        endpoint: store.endpoint(),
        bucket: BUCKET.to_owned(),
        prefix: "orders/".to_owned(),
        access_key_id: Some(KEY_ID.to_owned()),
        secret_access_key: Some(SECRET.to_owned()),
        ..StoreSettings::default()
    }
}

fn options() -> Value {
    json!({ "source": "shop", "initial_stock": 100, "notify": false })
}

fn url(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// What a file brought, whichever way it came.
fn told(import: &Value) -> Vec<&Value> {
    ["status", "rows_total", "orders_imported", "rows_rejected", "source", "profile", "error", "file_bytes"]
        .map(|name| &import[name])
        .to_vec()
}

async fn upload(lab: &Lab, text: &str) -> Answer {
    let file = Part::bytes(text.as_bytes().to_vec()).file_name("orders.csv");
    let form = Form::new().text("options", options().to_string()).part("file", file);
    let request = client().post(format!("{}/api/orders/import", lab.shop.url)).multipart(form);
    lab.speaker.send(request).await
}

#[tokio::test]
async fn a_file_is_the_same_import_whichever_way_it_comes() {
    let lab = Lab::open().await;
    lab.store.put("orders/a.csv", FILE.as_bytes());
    let begun = lab.import_object("orders/a.csv").await;
    assert_eq!((&begun.body["outcome"], &begun.body["status"]), (&json!("new"), &json!("fetching")));
    assert_eq!(
        (&begun.body["origin"], &begun.body["file_name"]),
        (&json!(url("orders/a.csv")), &json!("a.csv"))
    );
    let fetched = lab.ended(&begun).await;
    assert_eq!(
        (&fetched["status"], &fetched["orders_imported"]),
        (&json!("completed"), &json!(2)),
        "{fetched}"
    );
    assert_eq!((&fetched["bytes_fetched"], &fetched["file_bytes"]), (&json!(FILE.len()), &json!(FILE.len())));
    assert!(fetched["etag"].as_str().unwrap().starts_with('"'), "{fetched}");
    assert_eq!(lab.speaker.get("/orders/shop:A-1").await.body["status"], "confirmed");

    // The same file from elsewhere changes nothing.
    let by_upload = upload(&lab, FILE).await;
    assert_eq!((by_upload.status, &by_upload.body["outcome"]), (200, &json!("done")), "{by_upload:?}");
    assert_eq!(by_upload.body["id"], begun.body["id"]);
    let path = lab.write("b.csv", FILE);
    lab.store.put("orders/c.csv", FILE.as_bytes());
    for named in [json!({ "path": path }), json!({ "url": url("orders/c.csv") })] {
        let again = lab.import("", named).await;
        let again = lab.ended(&again).await;
        assert_eq!(
            (&again["status"], &again["same_as"]),
            (&json!("duplicate"), &begun.body["id"]),
            "{again}"
        );
        assert_eq!((&again["rows_total"], &again["error"]), (&json!(0), &Value::Null));
    }
    let forced = lab.import("?force=true", json!({ "path": path })).await;
    let forced = lab.ended(&forced).await;
    assert_eq!(
        (&forced["status"], &forced["orders_duplicate"]),
        (&json!("completed"), &json!(2)),
        "{forced}"
    );

    // What it brought is what the file itself brings to another shop.
    let other = Lab::open_with(ObjectStore::stopped(), |_| ()).await;
    let sent = upload(&other, FILE).await;
    assert_eq!(told(&other.ended(&sent).await), told(&fetched));
    let by_path = other.write("d.csv", &FILE.replace("A-", "B-"));
    let by_path = other.import("", json!({ "path": by_path })).await;
    assert_eq!(told(&other.ended(&by_path).await), told(&fetched));
    assert_eq!((lab.shop.spooled(), other.shop.spooled()), (0, 0));
    let report = app::verify::run(&lab.shop.app, app::verify::Scope::All).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_packed_object_is_unpacked() {
    let lab = Lab::open().await;
    lab.store.put("orders/a.csv.zst", &zstd::encode_all(FILE.as_bytes(), 1).unwrap());
    let begun = lab.import_object("orders/a.csv.zst").await;
    assert_eq!(lab.ended(&begun).await["orders_imported"], 2);
    assert_eq!(lab.shop.spooled(), 0);
}

#[tokio::test]
async fn a_dry_run_of_a_named_file_leaves_nothing() {
    let lab = Lab::open().await;
    lab.store.put("orders/a.csv", FILE.as_bytes());
    let path = lab.write("a.csv", FILE);
    for named in [json!({ "url": url("orders/a.csv") }), json!({ "path": path })] {
        let tried = lab.import("?dry_run=true", named).await;
        assert_eq!((tried.status, &tried.body["orders_imported"]), (200, &json!(2)), "{tried:?}");
    }
    let missing = lab.import("?dry_run=true", json!({ "url": url("orders/none.csv") })).await;
    assert_eq!((missing.status, missing.problem()), (422, "invalid-request"), "{missing:?}");
    assert_eq!(missing.body["errors"][0]["pointer"], "/url");
    let Lab { shop, speaker, mut store, .. } = lab;
    store.stop();
    let named = json!({ "url": url("orders/a.csv"), "options": options() });
    let away = speaker.post("/orders/import?dry_run=true", &named).await;
    assert_eq!((away.status, away.problem()), (503, "unavailable"), "{away:?}");
    assert_eq!(speaker.get("/imports").await.body["data"], json!([]));
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn an_object_that_is_missing_or_kept_from_us_fails_its_import_with_the_reason() {
    let wrong = |config: &mut Config| {
        let mut store = config.imports.stores["archive"].clone();
        (store.prefix, store.secret_access_key) = ("private/".to_owned(), Some("wrong".to_owned()));
        config.imports.stores.insert("private".to_owned(), store.clone());
        (store.prefix, store.access_key_id, store.secret_access_key) = ("public/".to_owned(), None, None);
        config.imports.stores.insert("public".to_owned(), store);
    };
    let lab = Lab::open_with(ObjectStore::start(), wrong).await;
    lab.store.put("private/a.csv", FILE.as_bytes());
    lab.store.put("public/a.csv", FILE.as_bytes());
    for (key, reason) in [
        ("orders/none.csv", "there is no such object (404 Not Found, NoSuchKey)"),
        ("private/a.csv", "the store does not let us (403 Forbidden, SignatureDoesNotMatch)"),
        ("public/a.csv", "the store does not let us (403 Forbidden, SignatureDoesNotMatch)"),
    ] {
        let begun = lab.import_object(key).await;
        let failed = lab.ended(&begun).await;
        assert_eq!(failed["status"], "failed", "{failed}");
        assert!(failed["error"].as_str().unwrap().starts_with(reason), "{key}: {failed}");
        let rejects = lab.speaker.get(&format!("/imports/{}/rejects.csv", begun.body["id"])).await;
        assert_eq!((rejects.status, rejects.problem()), (409, "refused"), "{rejects:?}");
    }
    assert_eq!(lab.store.reads("orders/none.csv").len(), 1, "it is not asked for again");
    assert_eq!(lab.shop.spooled(), 0);
}

#[tokio::test]
async fn a_store_that_is_away_is_asked_again() {
    let mut lab = Lab::open_with(ObjectStore::stopped(), |_| ()).await;
    let begun = lab.import_object("orders/busy.csv").await;
    assert_eq!(lab.ended(&begun).await["status"], "fetching");
    let again = lab.import_object("orders/busy.csv").await;
    assert_eq!((&again.body["outcome"], &again.body["id"]), (&json!("resumed"), &begun.body["id"]));
    lab.store.run();
    lab.store.put("orders/busy.csv", FILE.as_bytes());
    let fetched = lab.ended(&begun).await;
    assert_eq!(
        (&fetched["status"], &fetched["orders_imported"]),
        (&json!("completed"), &json!(2)),
        "{fetched}"
    );
    let reads: Vec<u16> = lab.store.reads("orders/busy.csv").into_iter().map(|(_, status)| status).collect();
    assert_eq!(reads, [503, 200]);
}

#[tokio::test]
async fn an_object_that_breaks_off_goes_on_where_it_broke_off() {
    let lab = Lab::open().await;
    lab.store.put("orders/breaks.csv", FILE.as_bytes());
    let begun = lab.import_object("orders/breaks.csv").await;
    let fetched = lab.ended(&begun).await;
    assert_eq!(
        (&fetched["status"], &fetched["orders_imported"]),
        (&json!("completed"), &json!(2)),
        "{fetched}"
    );
    let half = format!("bytes={}-", FILE.len() / 2);
    assert_eq!(lab.store.reads("orders/breaks.csv"), [("-".to_owned(), 200), (half, 206)]);
}

#[tokio::test]
async fn an_object_that_is_changed_on_the_way_is_fetched_anew() {
    let lab = Lab::open().await;
    lab.store.put("orders/breaks-changes.csv", FILE.as_bytes());
    let begun = lab.import_object("orders/breaks-changes.csv").await;
    let fetched = lab.ended(&begun).await;
    assert_eq!((&fetched["status"], &fetched["file_bytes"]), (&json!("completed"), &json!(FILE.len() + 1)));
    let statuses: Vec<u16> =
        lab.store.reads("orders/breaks-changes.csv").into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [200, 412, 200]);
    // Another object under the same key is another file.
    lab.store.put("orders/breaks-changes.csv", FILE.replace("A-", "C-").as_bytes());
    let begun = lab.import_object("orders/breaks-changes.csv").await;
    assert_eq!(lab.ended(&begun).await["orders_imported"], 2);
}

#[tokio::test]
async fn a_fetch_is_called_off() {
    let mut lab = Lab::open_with(ObjectStore::stopped(), |_| ()).await;
    let begun = lab.import_object("orders/a.csv").await;
    let address = format!("/imports/{}", begun.body["id"]);
    let paused = lab.speaker.post(&format!("{address}/pause"), &json!({})).await;
    assert_eq!((paused.status, paused.problem()), (409, "refused"));
    assert_eq!(lab.speaker.post(&format!("{address}/continue"), &json!({})).await.status, 200);
    let cancelled = lab.speaker.post(&format!("{address}/cancel"), &json!({})).await;
    assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");
    lab.store.run();
    lab.store.put("orders/a.csv", FILE.as_bytes());
    assert_eq!(lab.ended(&begun).await["status"], "cancelled");
    assert_eq!((lab.store.reads("orders/a.csv").len(), lab.shop.spooled()), (0, 0));
}

#[tokio::test]
async fn what_is_no_order_file_fails_its_import() {
    let lab = Lab::open_with(ObjectStore::stopped(), |config| config.imports.max_file_bytes = 1_000).await;
    let text = lab.write("no.csv", "a,b\n1,2\n");
    let large = lab.write("large.csv", &"x".repeat(1_001));
    for (path, reason) in [(text, "column"), (large, "max_file_bytes")] {
        let begun = lab.import("", json!({ "path": path })).await;
        let failed = lab.ended(&begun).await;
        assert_eq!(failed["status"], "failed", "{failed}");
        assert!(failed["error"].as_str().unwrap().contains(reason), "{failed}");
    }
    assert_eq!(lab.shop.spooled(), 0);
}

#[tokio::test]
async fn nothing_else_can_be_named() {
    let lab = Lab::open_with(ObjectStore::stopped(), |_| ()).await;
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.csv");
    std::fs::write(&secret, FILE).unwrap();
    std::os::unix::fs::symlink(&secret, lab.folder.path().join("link.csv")).unwrap();
    let within = |name: &str| lab.folder.path().join(name).to_str().unwrap().to_owned();
    let up = Path::new("..").join(outside.path().file_name().unwrap()).join("secret.csv");
    let cases = [
        ("path", "/etc/passwd".to_owned()),
        ("path", secret.to_str().unwrap().to_owned()),
        ("path", within("link.csv")),
        ("path", within(up.to_str().unwrap())),
        ("path", within("%2e%2e/secret.csv")),
        ("path", within("missing.csv")),
        ("path", within("")),
        ("path", "orders.csv".to_owned()),
        ("path", "\0".to_owned()),
        ("path", format!("file://{}", within("link.csv"))),
        ("url", "http://169.254.169.254/latest/meta-data/iam/".to_owned()),
        ("url", "https://example.org/orders.csv".to_owned()),
        ("url", format!("{}/exports/orders/a.csv", lab.store.endpoint())),
        ("url", "file:///etc/passwd".to_owned()),
        ("url", "s3://other/orders/a.csv".to_owned()),
        ("url", url("secret/a.csv")),
        ("url", url("orders/../secret/a.csv")),
    ];
    for (name, value) in cases {
        for query in ["", "?dry_run=true"] {
            let refused = lab.import(query, json!({ name: value })).await;
            assert_eq!((refused.status, refused.problem()), (422, "invalid-request"), "{value}: {refused:?}");
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{name}"), "{value}");
        }
    }
    for neither in [json!({}), json!({ "path": within("a.csv"), "url": url("orders/a.csv") })] {
        let refused = lab.import("", neither).await;
        assert_eq!((refused.status, refused.problem()), (422, "invalid-request"), "{refused:?}");
    }
    let unknown = lab.import("", json!({ "url": url("orders/a.csv"), "colour": "red" })).await;
    assert_eq!((unknown.status, unknown.problem()), (422, "unfit-body"), "{unknown:?}");
    let options = json!({ "url": url("orders/a.csv"), "options": { "chunk_size": 0 } });
    assert_eq!(lab.import("", options).await.status, 422);
    assert_eq!(lab.speaker.get("/imports").await.body["data"], json!([]), "nothing was begun");
    assert_eq!(lab.shop.spooled(), 0);
}

#[tokio::test]
async fn a_link_that_appears_after_the_request_leads_nowhere() {
    let lab = Lab::open_with(ObjectStore::stopped(), |_| ()).await;
    let path = lab.write("a.csv", FILE);
    let begun = lab.import("", json!({ "path": path })).await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.csv"), FILE).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), &path).unwrap();
    let failed = lab.ended(&begun).await;
    assert_eq!(
        (&failed["status"], &failed["error"]),
        (&json!("failed"), &json!("the path leads out of its folder"))
    );
}
