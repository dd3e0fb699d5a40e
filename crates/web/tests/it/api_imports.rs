//! Files over the API.

use std::fmt::Write as _;

use domain::Role;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Answer, Shop, Speaker, client, free_port, reliable};

const FILE: &str = "order_id,order_date,customer_email,sku,quantity,unit_price,currency\n\
                    A-1,2029-12-01,ann@example.org,MUG,2,12.50,EUR\n\
                    A-2,2029-12-01,bob@example.org,MUG,none,12.50,EUR\n\
                    A-3,2029-12-01,bob@example.org,CUP,1,3.00,EUR\n";

fn options() -> Value {
    json!({ "source": "shop", "initial_stock": 100, "notify": false })
}

fn form(bytes: impl Into<Vec<u8>>, name: &str) -> Form {
    let file = Part::bytes(bytes.into()).file_name(name.to_owned());
    Form::new().text("options", options().to_string()).part("file", file)
}

async fn send(shop: &Shop, speaker: &Speaker, query: &str, form: Form) -> Answer {
    speaker.send(client().post(format!("{}/api/orders/import{query}", shop.url)).multipart(form)).await
}

async fn open() -> (Shop, Speaker) {
    let shop = Shop::open(reliable()).await;
    let speaker = shop.speaker(Role::Operator).await;
    (shop, speaker)
}

#[tokio::test]
async fn a_file_is_imported_and_its_rejects_come_back() {
    let (shop, speaker) = open().await;
    let taken = send(&shop, &speaker, "", form(FILE, "../../etc/orders.csv")).await;
    assert_eq!((taken.status, &taken.body["outcome"]), (202, &json!("new")), "{taken:?}");
    assert_eq!(taken.body["file_name"], "orders.csv");
    let address = taken.headers["location"].to_str().unwrap().strip_prefix("/api").unwrap().to_owned();
    assert_eq!(shop.spooled(), 1);
    shop.work().await;

    let status = speaker.get(&address).await;
    assert_eq!(
        (&status.body["status"], &status.body["orders_imported"]),
        (&json!("completed"), &json!(2)),
        "{status:?}"
    );
    assert_eq!(speaker.get("/orders/shop:A-1").await.body["status"], "confirmed");
    let url = format!("{}/api{address}/rejects.csv", shop.url);
    let rejects = client().get(url).bearer_auth(&speaker.token).send().await.unwrap();
    assert_eq!(rejects.headers()["content-type"], "text/csv; charset=utf-8");
    let rejects = rejects.text().await.unwrap();
    assert!(rejects.contains("A-2") && rejects.contains("quantity") && !rejects.contains("A-1"), "{rejects}");
    assert_eq!(shop.spooled(), 0);

    let again = send(&shop, &speaker, "", form(FILE, "orders.csv")).await;
    assert_eq!((again.status, &again.body["outcome"]), (200, &json!("done")), "{again:?}");
    let forced = send(&shop, &speaker, "?force=true", form(FILE, "orders.csv")).await;
    assert_eq!((forced.status, &forced.body["outcome"]), (202, &json!("new")));
    shop.work().await;
    assert_eq!(speaker.get("/orders").await.body["data"].as_array().unwrap().len(), 2);
    assert_eq!(speaker.get("/imports?limit=1").await.body["data"][0]["orders_duplicate"], 2);
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_packed_file_is_unpacked() {
    let (shop, speaker) = open().await;
    let packed = zstd::encode_all(FILE.as_bytes(), 1).unwrap();
    let bytes = packed.len();
    let taken = send(&shop, &speaker, "", form(packed, "orders.csv.zst")).await;
    assert_eq!((taken.status, &taken.body["file_bytes"]), (202, &json!(bytes)), "{taken:?}");
    shop.work().await;
    assert_eq!(speaker.get("/orders/shop:A-3").await.body["status"], "confirmed");
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_dry_run_of_a_file_leaves_nothing() {
    let (shop, speaker) = open().await;
    let told = send(&shop, &speaker, "?dry_run=true", form(FILE, "orders.csv")).await;
    assert_eq!((told.status, &told.body["orders_imported"]), (200, &json!(2)), "{told:?}");
    assert_eq!((&told.body["orders_rejected"], &told.body["products_created"]), (&json!(1), &json!(2)));
    assert_eq!(told.body["rows_rejected"], 1);
    let reject = &told.body["rejects"][0];
    assert_eq!((&reject["line"], &reject["code"]), (&json!(3), &json!("invalid_quantity")), "{reject}");
    assert!(reject["raw"].as_str().unwrap().starts_with("A-2,"), "{reject}");
    assert_eq!(shop.spooled(), 0);
    assert_eq!(speaker.get("/imports").await.body["data"], json!([]));
    assert_eq!(speaker.get("/products").await.body["data"], json!([]));
}

#[tokio::test]
async fn an_import_is_paused_continued_and_cancelled() {
    let (shop, speaker) = open().await;
    let id = send(&shop, &speaker, "", form(FILE, "orders.csv")).await.body["id"].clone();
    let planning = speaker.post(&format!("/imports/{id}/pause"), &json!({})).await;
    assert_eq!(
        (planning.status, planning.problem()),
        (409, "refused"),
        "it is not planned yet: {planning:?}"
    );
    let going_on = speaker.post(&format!("/imports/{id}/continue"), &json!({})).await;
    assert_eq!(going_on.status, 200, "{going_on:?}");
    let cancelled = speaker.post(&format!("/imports/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");
    let log = shop.speaker(Role::Admin).await.get("/operator-actions").await;
    let kinds: Vec<&str> =
        log.body["data"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[1..4], ["import_cancelled", "import_continued", "import_started"], "{log:?}");
    assert!(log.body["data"][1]["actor"].as_str().unwrap().starts_with("token:operator-"), "{log:?}");
    shop.work().await;
    assert_eq!(speaker.get("/orders").await.body["data"], json!([]));
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_form_that_does_not_fit_is_told_why_and_leaves_nothing() {
    let (shop, speaker) = open().await;
    let file = || Part::bytes(FILE.as_bytes()).file_name("orders.csv");
    let cases: Vec<(Form, &str, &str)> = vec![
        (Form::new().text("options", "{}"), "invalid-request", "/file"),
        (Form::new().part("file", file()).part("file", file()), "invalid-request", "/file"),
        (Form::new().part("file", file()).text("colour", "red"), "invalid-request", "/colour"),
        (Form::new().part("file", file()).text("options", "{\"colour\": 1}"), "unfit-body", "/colour"),
        (
            Form::new().part("file", file()).text("options", "{\"source\": \"..\\\\x\"}"),
            "unfit-body",
            "/source",
        ),
    ];
    for (form, problem, pointer) in cases {
        let answer = send(&shop, &speaker, "", form).await;
        assert_eq!((answer.status, answer.problem()), (422, problem), "{pointer}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
        assert_eq!(shop.spooled(), 0);
    }
    let url = format!("{}/api/orders/import", shop.url);
    let no_form = client().post(&url).header("content-type", "text/csv").body(FILE);
    let no_form = speaker.send(no_form).await;
    assert_eq!((no_form.status, no_form.problem()), (415, "unsupported-media-type"));
    let keyed = client().post(&url).header("idempotency-key", "k").multipart(form(FILE, "orders.csv"));
    let keyed = speaker.send(keyed).await;
    assert_eq!((keyed.status, keyed.problem()), (400, "bad-idempotency-key"), "{keyed:?}");
    let cut = client().post(&url).header("content-type", "multipart/form-data; boundary=x");
    let cut =
        speaker.send(cut.body("--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nhalf")).await;
    assert_eq!((cut.status, cut.problem()), (400, "bad-form"), "{cut:?}");
    let no_csv = send(&shop, &speaker, "", form(vec![0, 1, 2, 3], "orders.csv")).await;
    assert_eq!((no_csv.status, no_csv.problem()), (422, "invalid-request"), "{no_csv:?}");
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_file_above_the_limit_is_refused_before_its_end() {
    let shop = Shop::open_with(free_port().await, |config| config.imports.max_file_bytes = 100).await;
    let speaker = shop.speaker(Role::Operator).await;
    let refused = send(&shop, &speaker, "", form(FILE, "orders.csv")).await;
    assert_eq!((refused.status, refused.problem()), (413, "body-too-large"), "{refused:?}");
    assert!(refused.body["detail"].as_str().unwrap().contains("max_file_bytes"), "{refused:?}");
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn what_was_left_behind_in_the_spool_is_removed_after_a_day_and_nothing_else() {
    let (shop, speaker) = open().await;
    assert_eq!(send(&shop, &speaker, "", form(FILE, "orders.csv")).await.status, 202);
    let waiting = std::fs::read_dir(shop.spool()).unwrap().next().unwrap().unwrap().path();
    let hash = "0a".repeat(32);
    let fresh = shop.spool().join("receiving-7-00000001");
    let old: Vec<_> =
        ["receiving-7-00000002".to_owned(), format!("{hash}-7-00000003.csv"), "mine.csv".to_owned()]
            .map(|name| shop.spool().join(name))
            .to_vec();
    for path in old.iter().chain([&fresh]) {
        std::fs::write(path, "what came").unwrap();
    }
    let now = fresh.metadata().unwrap().modified().unwrap();
    let yesterday = now - std::time::Duration::from_hours(25);
    for path in old.iter().chain([&waiting]) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(yesterday).unwrap();
    }
    // The server looks for what was left behind too, when it starts: it may have been faster.
    app::imports::remove_left_behind(&shop.app).await.unwrap();
    let left = [&fresh, &waiting, &old[2]].map(|path| path.exists());
    assert_eq!((left, old[0].exists(), old[1].exists()), ([true; 3], false, false));
    shop.work().await;
    assert_eq!(speaker.get("/orders/shop:A-1").await.status, 200, "its import had its file");
}

#[tokio::test]
async fn the_head_of_a_field_that_does_not_end_is_not_kept() {
    let (shop, speaker) = open().await;
    let endless = format!("--x\r\ncontent-disposition: form-data; name=\"{}", "a".repeat(3 * 1024 * 1024));
    for body in [endless, "b".repeat(3 * 1024 * 1024)] {
        let request = client().post(format!("{}/api/orders/import", shop.url)).body(body);
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        let answer = speaker.send(request).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad-form"), "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains("head of a field"), "{answer:?}");
    }
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_file_much_larger_than_what_is_read_ahead_is_taken() {
    let (shop, speaker) = open().await;
    let mut text = FILE.to_owned();
    for number in 10..120_000 {
        writeln!(text, "A-{number},2029-12-01,ann@example.org,MUG,1,12.50,EUR").unwrap();
    }
    let told = send(&shop, &speaker, "?dry_run=true", form(text, "orders.csv")).await;
    assert_eq!((told.status, &told.body["orders_imported"]), (200, &json!(119_992)), "{told:?}");
}
