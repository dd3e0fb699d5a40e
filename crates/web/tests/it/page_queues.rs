//! The queue monitor of the dashboard.

use app::Actor;
use app::jobs::{Prospect, outlook};
use app::notifications::{History, Which};
use app::refunds::{self, Request};
use app::verify::Scope;
use domain::{IdempotencyKey, OrderId, RefundRequest, Role};
use queue::metrics::Span;
use queue::{BatchId, Filter, JobId, JobRecord, NewBatch, NewJob, PageRequest, State, Supervisor};
use reqwest::StatusCode;

use crate::support::{Browser, Shop, reliable, silent};

async fn text(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// Sends a form of a page of ours; answers where the browser is sent.
async fn submit(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let token = browser.csrf().to_owned();
    let fields = [&[("csrf_token", token.as_str())], fields].concat();
    let answer = browser.submit(path, &fields).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path} {fields:?}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn jobs(shop: &Shop, filter: Filter) -> Vec<JobRecord> {
    shop.app.queue().list(filter, PageRequest::default()).await.unwrap().jobs
}

fn of_kind(kind: &str) -> Filter {
    Filter { kind: Some(kind.to_owned()), ..Filter::default() }
}

/// Pushes jobs whose arguments nobody can read, and has them fail for good.
async fn fail(shop: &Shop, count: usize) -> Vec<JobId> {
    let job = |number| {
        NewJob::new("stock", "reserve_stock", format!(r#"{{"order":"none-{number}"}}"#)).max_attempts(1)
    };
    let pushed = shop.app.queue().push((0..count).map(job).collect()).await.unwrap();
    shop.work().await;
    pushed.iter().map(|one| one.id()).collect()
}

async fn states(shop: &Shop, ids: &[JobId]) -> Vec<State> {
    let mut states = Vec::new();
    for id in ids {
        states.push(shop.app.queue().get(*id).await.unwrap().state);
    }
    states
}

/// The row of a table that begins so.
fn row<'p>(page: &'p str, begins: &str) -> &'p str {
    let (_, rest) = page.split_once(begins).unwrap_or_else(|| panic!("no {begins}: {page}"));
    rest.split_once("</tr>").unwrap().0
}

#[tokio::test]
async fn the_workload_tells_what_waits_in_which_queue_and_leads_to_it() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let empty = text(&browser, "/queues").await;
    assert!(empty.contains("Nothing has failed") && empty.contains("nothing waits"), "{empty}");
    assert!(!empty.contains("Needs somebody") && !empty.contains("/queues/pause"), "{empty}");
    shop.stock(10).await;
    shop.place(1).await;
    let page = text(&browser, "/queues").await;
    let stock = row(&page, ">stock</a>");
    assert!(stock.contains("<a href=\"/queues/jobs?state=available&#38;queue=stock\">1</a>"), "{stock}");
    assert!(page.contains("nobody takes the jobs of queue stock"), "{page}");
    shop.clock.advance(std::time::Duration::from_mins(3));
    let live = text(&browser, "/queues/live").await;
    assert!(
        live.contains("queue stock has waited for 3 min 0 s") && row(&live, ">stock</a>").contains("3 min")
    );
    assert!(!live.contains("<html") && page.contains("sse-connect=\"/api/events?topics=queues\""));
}

#[tokio::test]
async fn what_was_done_is_told_by_kind_and_over_time() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/queues").await.contains("No job ran in this time"));
    shop.stock(10).await;
    shop.place(1).await;
    shop.work().await;
    shop.app.queue().flush_metrics().await.unwrap();
    for over in ["hour", "day", "week", "month"] {
        let page = text(&browser, &format!("/queues?over={over}")).await;
        let kind = row(
            &page,
            "<td>stock</td><td><a href=\"/queues/jobs?kind=reserve_stock\">reserve_stock</a></td>",
        );
        assert!(kind.starts_with("<td class=\"number\">1</td><td class=\"number\">0</td>"), "{over}: {kind}");
        assert!(kind.contains(" ms") || kind.contains(" µs"), "{over}: {kind}");
        assert!(page.contains("class=\"good\""), "{over} has no bar");
    }
    let tables = text(&browser, "/queues?over=hour&queue=stock&tables=true").await;
    assert!(
        tables.contains("<tr><td>00:00</td><td class=\"number\">1</td><td class=\"number\">0</td>"),
        "{tables}"
    );
    assert!(!tables.contains("take_payment</a>") && !tables.contains("<svg class=\"bars\""), "{tables}");
    let answer = browser.get("/queues/work?queue=nowhere").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let steps = app::work::stretch(&shop.app, None, (Span::Hour, 6), shop.app.now()).await.unwrap().steps;
    assert_eq!(steps.len(), 1);
}

#[tokio::test]
async fn failures_are_grouped_and_a_group_leads_to_its_jobs_and_to_what_can_be_done() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Operator).await;
    fail(&shop, 3).await;
    let page = text(&browser, "/queues").await;
    let (_, failed) = page.split_once("What fails</h2>").unwrap();
    assert!(failed.contains(">3</a></td><td>reserve_stock</td>") && failed.contains("discarded"), "{failed}");
    let address = |begins: &str| {
        let (_, rest) = failed.split_once(begins).unwrap_or_else(|| panic!("no {begins}: {failed}"));
        format!(
            "{}{}",
            begins.trim_start_matches("href=\""),
            rest.split_once('"').unwrap().0.replace("&#38;", "&")
        )
    };
    let list = text(&browser, &address("href=\"/queues/jobs?state=discarded")).await;
    assert_eq!(list.matches("name=\"ids\"").count(), 3, "{list}");
    let asked = text(&browser, &address("href=\"/queues/jobs/change?deed=retry")).await;
    assert!(asked.contains("Retry all 3 jobs?") && asked.contains("<li>kind reserve_stock</li>"), "{asked}");
}

#[tokio::test]
async fn jobs_are_found_by_what_a_form_asks() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/queues/jobs").await.contains("The queues hold no job"));
    let failed = fail(&shop, 1).await[0];
    let queue = shop.app.queue();
    let job = NewJob::new("webhooks", "send_webhook", r#"{"notification":7}"#).tag("shop/ann & bob");
    let tagged = queue.push(vec![job]).await.unwrap()[0].id();
    let refund = NewJob::new("refunds", "refund_payment", r#"{"refund":9}"#);
    let batch = NewBatch { name: "three letters".to_owned(), jobs: vec![refund], callback: None };
    let engine = queue.clone();
    let batched = shop
        .app
        .transaction("batch", move |tx| -> app::Result<_> { Ok(engine.create_batch_in(tx, &batch)?) })
        .await
        .unwrap();
    let (batch, batched) = (batched.id, batched.jobs[0].id());
    for (query, expected) in [
        ("state=discarded", failed),
        ("queue=webhooks", tagged),
        ("kind=refund_payment", batched),
        ("tag=shop%2Fann+%26+bob", tagged),
        (&*format!("batch={batch}"), batched),
        ("args=%22REFUND%22%3A9", batched),
        ("error=none-0", failed),
        ("error=none-%23&state=discarded&queue=stock", failed),
    ] {
        let page = text(&browser, &format!("/queues/jobs?{query}&limit=&cursor=")).await;
        let shown = page.matches("<td><a href=\"/queues/jobs/").count();
        assert!(shown == 1 && page.contains(&format!("/queues/jobs/{expected}\"")), "{query}: {page}");
        assert!(!page.contains("name=\"ids\""), "viewers select nothing");
    }
    let none = text(&browser, "/queues/jobs?tag=nobody").await;
    assert!(none.contains("No job here fits"), "{none}");
    let first = text(&browser, "/queues/jobs?limit=2").await;
    let (_, rest) = first.split_once("href=\"/queues/jobs?limit=2&#38;cursor=").expect("a next part");
    let next =
        text(&browser, &format!("/queues/jobs?limit=2&cursor={}", rest.split_once('"').unwrap().0)).await;
    assert_eq!(next.matches("<td><a href=\"/queues/jobs/").count(), 1, "{next}");
    assert_eq!(browser.get("/queues/jobs?state=lost").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn those_that_were_selected_are_retried_and_no_other() {
    let shop = Shop::open(reliable()).await;
    let mut browser = shop.signed_in(Role::Operator).await;
    let ids = fail(&shop, 3).await;
    let (first, second) = (ids[0].to_string(), ids[1].to_string());
    let query = format!("deed=retry&which=selected&state=discarded&ids={first}&ids={second}");
    let asked = text(&browser, &format!("/queues/jobs/change?{query}")).await;
    assert!(asked.contains("Retry 2 jobs?") && asked.contains(&format!("<li>job {first}</li>")), "{asked}");
    assert_eq!(states(&shop, &ids).await, [State::Discarded; 3], "asking does nothing");
    let fields = [
        ("deed", "retry"),
        ("which", "selected"),
        ("state", "discarded"),
        ("ids", &*first),
        ("ids", &*second),
    ];
    let to = submit(&mut browser, "/queues/jobs/change", &fields).await;
    assert_eq!(to, "/queues/jobs?state=discarded&done=retry.2");
    assert_eq!(states(&shop, &ids).await, [State::Available, State::Available, State::Discarded]);
    assert!(text(&browser, &to).await.contains("2 jobs were made available again."));
    let none = browser.get("/queues/jobs/change?deed=retry&which=selected&state=discarded").await;
    assert_eq!(none.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn all_that_match_are_cancelled_and_deleted_and_the_log_names_them() {
    let shop = Shop::open(reliable()).await;
    let mut browser = shop.signed_in(Role::Operator).await;
    shop.stock(10).await;
    for number in 0..3 {
        shop.place(number).await;
    }
    let failed = fail_beside(&shop).await;
    let filter = [("kind", "reserve_stock"), ("state", "available")];
    let all = |deed: &'static str| [[("deed", deed), ("which", "all")], filter].concat();
    let to = submit(&mut browser, "/queues/jobs/change", &all("cancel")).await;
    assert_eq!(to, "/queues/jobs?state=available&kind=reserve_stock&done=cancel.3");
    assert_eq!(jobs(&shop, Filter::state(State::Cancelled)).await.len(), 3);
    assert_eq!(states(&shop, &[failed]).await, [State::Available], "of another kind");
    let fields = [("deed", "delete"), ("which", "all"), ("state", "cancelled")];
    submit(&mut browser, "/queues/jobs/change", &fields).await;
    assert_eq!(jobs(&shop, Filter::default()).await.len(), 1);
    let token = browser.csrf().to_owned();
    let everything = [("csrf_token", &*token), ("deed", "delete"), ("which", "all")];
    assert_eq!(
        browser.submit("/queues/jobs/change", &everything).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let admin = shop.signed_in(Role::Admin).await;
    let log = text(&admin, "/audit?about=queues").await;
    assert!(log.contains("cancel jobs") && log.contains("delete jobs"), "{log}");
    assert!(log.contains("&#34;kind&#34;:&#34;reserve_stock&#34;"), "{log}");
}

/// A job of another kind that waits.
async fn fail_beside(shop: &Shop) -> JobId {
    let job = NewJob::new("payments", "settle_overdue", "{}");
    shop.app.queue().push(vec![job]).await.unwrap()[0].id()
}

#[tokio::test]
async fn viewers_see_everything_and_change_nothing() {
    let shop = Shop::open(reliable()).await;
    let mut browser = shop.signed_in(Role::Viewer).await;
    let id = fail(&shop, 1).await[0].to_string();
    for path in
        ["/queues", "/queues/jobs", &*format!("/queues/jobs/{id}"), "/queues/workers", "/queues/batches"]
    {
        let page = text(&browser, path).await;
        assert!(!page.contains("action=\"/queues") && !page.contains("change?"), "{path}: {page}");
    }
    let token = browser.csrf().to_owned();
    let fields = [("csrf_token", &*token), ("deed", "delete"), ("which", "selected"), ("ids", &*id)];
    assert_eq!(browser.submit("/queues/jobs/change", &fields).await.status(), StatusCode::FORBIDDEN);
    let fields = [("csrf_token", &*token), ("queue", "stock")];
    assert_eq!(browser.submit("/queues/pause", &fields).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/audit").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(states(&shop, &[JobId(id.parse().unwrap())]).await, [State::Discarded]);
}

#[tokio::test]
async fn a_job_tells_what_it_carries_what_became_of_it_and_whose_order_it_is() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Operator).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    let id = jobs(&shop, of_kind("reserve_stock")).await[0].id;
    let page = text(&browser, &format!("/queues/jobs/{id}")).await;
    assert!(page.contains(&format!("<a href=\"/orders/{order}\">order {order}</a>")), "{page}");
    assert!(page.contains(&format!("{{\n  &#34;order&#34;: {order}\n}}")), "{page}");
    assert!(page.contains("It needs no retry") && page.contains("pushed to queue stock"), "{page}");
    assert!(page.contains("deed=cancel") && !page.contains(">Retry</button>"), "{page}");
    let failed = fail(&shop, 1).await[0];
    let page = text(&browser, &format!("/queues/jobs/{failed}")).await;
    assert!(page.contains("attempt 1: discarded") && page.contains("its arguments cannot be read"), "{page}");
    assert!(page.contains(">Retry</button>") && !page.contains("deed=cancel"), "{page}");
    assert_eq!(browser.get("/queues/jobs/999999").await.status(), StatusCode::NOT_FOUND);
}

/// A job like the one that has done its work, failed for good.
async fn again(shop: &Shop, queue: &str, kind: &str, args: String) -> JobRecord {
    let job = NewJob::new(queue, kind, args);
    let id = shop.app.queue().push(vec![job]).await.unwrap()[0].id();
    shop.app.queue().cancel(queue::Selection::Ids(vec![id]), "a test").await.unwrap();
    shop.app.queue().get(id).await.unwrap()
}

/// Places an order and lets everything be done that follows.
async fn sell(shop: &Shop) -> OrderId {
    shop.stock(10).await;
    let order = shop.place_with(1, true).await;
    shop.work_until(async || shop.status(order).await == "confirmed/paid").await;
    shop.work().await;
    order
}

#[tokio::test]
async fn a_retry_says_beforehand_that_it_repeats_nothing_and_then_does_not() {
    let shop = Shop::open(reliable()).await;
    let mut browser = shop.signed_in(Role::Operator).await;
    let order = sell(&shop).await;
    let wanted = Request {
        order,
        key: IdempotencyKey::parse("once").unwrap(),
        what: RefundRequest::All,
        restock: true.into(),
        reason: None,
    };
    let refund = refunds::request(&shop.app, &Actor::SYSTEM, wanted).await.unwrap().refund.id;
    shop.work().await;
    let page = History { which: Which::All, before: None, limit: 1 };
    let notification = app::notifications::history(&shop.app, page).await.unwrap()[0].id;
    let key = shop.charge_key(order);
    let done = [
        again(&shop, "stock", "reserve_stock", format!(r#"{{"order":{order}}}"#)).await,
        again(&shop, "payments", "take_payment", format!(r#"{{"order":{order},"attempt":1}}"#)).await,
        again(&shop, "payments", "void_charge", format!(r#"{{"order":{order}}}"#)).await,
        again(
            &shop,
            "callbacks",
            "deliver_callback",
            format!(r#"{{"key":"{key}","kind":"charge.captured"}}"#),
        )
        .await,
        again(&shop, "refunds", "refund_payment", format!(r#"{{"refund":{refund}}}"#)).await,
        again(&shop, "notifications", "send_notification", format!(r#"{{"notification":{notification}}}"#))
            .await,
    ];
    let story = async || {
        let mut story = app::orders::story(&shop.app, order).await.unwrap();
        // That a delivery came again is kept, with the verdict that it was a duplicate.
        story.webhooks.retain(|delivery| delivery.verdict != domain::Verdict::Duplicate);
        serde_json::to_value(story).unwrap()
    };
    let (before, mugs) = (story().await, serde_json::to_value(shop.mugs().await).unwrap());
    for job in &done {
        let told = outlook(&shop.app, job).await.unwrap();
        assert_eq!((told.prospect, told.order()), (Prospect::Settled, Some(order)), "{}: {told:?}", job.kind);
        let page = text(&browser, &format!("/queues/jobs/{}", job.id)).await;
        assert!(page.contains("It would repeat nothing: there is nothing left"), "{}: {page}", job.kind);
        let id = job.id.to_string();
        let fields = [("deed", "retry"), ("which", "selected"), ("ids", &*id), ("back", "job")];
        let to = submit(&mut browser, "/queues/jobs/change", &fields).await;
        assert_eq!(to, format!("/queues/jobs/{id}?done=retry.1"));
        assert!(text(&browser, &to).await.contains("1 job was made available again."));
        shop.work().await;
        assert!(shop.app.queue().find(job.id).await.unwrap().is_none(), "{} is done", job.kind);
        assert_eq!(story().await, before, "{} repeated something", job.kind);
    }
    assert_eq!(serde_json::to_value(shop.mugs().await).unwrap(), mugs);
    let report = app::verify::run(&shop.app, Scope::All).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_retry_says_what_it_would_do_that_was_not_done() {
    let shop = Shop::open(silent()).await;
    shop.stock(10).await;
    let order = shop.place(1).await;
    let told = async |job: &JobRecord| outlook(&shop.app, job).await.unwrap();
    let reserve = jobs(&shop, of_kind("reserve_stock")).await.remove(0);
    let open = told(&reserve).await;
    assert!(open.prospect == Prospect::Open && open.told.contains("is pending"), "{open:?}");
    shop.work().await;
    let charge =
        again(&shop, "payments", "take_payment", format!(r#"{{"order":{order},"attempt":1}}"#)).await;
    let open = told(&charge).await;
    assert!(open.prospect == Prospect::Open && open.told.contains(&shop.charge_key(order)), "{open:?}");
    let nobody = again(&shop, "payments", "take_payment", r#"{"order":999,"attempt":1}"#.to_owned()).await;
    assert_eq!(told(&nobody).await.prospect, Prospect::Hopeless);
    let unknown = again(&shop, "payments", "sing", "{}".to_owned()).await;
    assert!(told(&unknown).await.told.contains("sing"));
    assert_eq!(told(&again(&shop, "refunds", "refund_payment", "7".to_owned()).await).await.about, []);
}

#[tokio::test]
async fn queues_and_supervisors_are_paused_continued_and_stopped_and_the_log_says_by_whom() {
    let shop = Shop::open(reliable()).await;
    let mut browser = shop.signed_in(Role::Operator).await;
    assert_eq!(submit(&mut browser, "/queues/pause", &[("queue", "stock")]).await, "/queues");
    let page = text(&browser, "/queues").await;
    assert!(
        page.contains("queue stock is paused")
            && row(&page, ">stock</a>").contains("action=\"/queues/continue\"")
    );
    shop.stock(10).await;
    let order = shop.place(1).await;
    shop.work().await;
    assert_eq!(shop.status(order).await, "pending/unpaid");
    submit(&mut browser, "/queues/continue", &[("queue", "stock")]).await;
    shop.work().await;
    assert_ne!(shop.status(order).await, "pending/unpaid");

    assert!(text(&browser, "/queues/workers").await.contains("Nobody works"));
    let registry = app::jobs::registry(&shop.app).unwrap();
    let supervisor = Supervisor::start(shop.app.queue().clone(), registry).await.unwrap();
    let name = shop.app.queue().settings().supervisor.name.clone();
    let page = text(&browser, "/queues/workers").await;
    assert!(page.contains(&format!("process {} on", std::process::id())) && page.contains(" MiB"), "{page}");
    submit(&mut browser, "/queues/workers/pause", &[("supervisor", &name)]).await;
    assert!(text(&browser, "/queues/workers").await.contains("action=\"/queues/workers/continue\""));
    assert!(text(&browser, "/queues").await.contains(&format!("the supervisors called {name} are paused")));
    submit(&mut browser, "/queues/workers/continue", &[("supervisor", &name)]).await;
    let asked = text(&browser, &format!("/queues/workers/terminate?supervisor={name}")).await;
    assert!(asked.contains("Nobody else works") && asked.contains("finish what they run"), "{asked}");
    submit(&mut browser, "/queues/workers/terminate", &[("supervisor", &name)]).await;
    tokio::time::timeout(std::time::Duration::from_secs(20), supervisor.wait()).await.expect("it stops");
    for (path, name) in [("/queues/pause", "queue"), ("/queues/workers/pause", "supervisor")] {
        let token = browser.csrf().to_owned();
        let fields = [("csrf_token", token.as_str()), (name, "nowhere")];
        assert_eq!(browser.submit(path, &fields).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let log = text(&shop.signed_in(Role::Admin).await, "/audit?about=queues").await;
    let deeds =
        ["terminate supervisor", "continue supervisor", "pause supervisor", "continue queue", "pause queue"];
    let places: Vec<usize> =
        deeds.iter().map(|deed| log.find(&format!("<td>{deed}</td>")).expect(deed)).collect();
    assert!(places.is_sorted(), "newest first: {log}");
    assert!(log.contains("user:operator-"), "{log}");
}

#[tokio::test]
async fn the_log_is_searched_and_read_part_by_part() {
    let shop = Shop::open(reliable()).await;
    let admin = shop.signed_in(Role::Admin).await;
    let mut operator = shop.signed_in(Role::Operator).await;
    for queue in ["stock", "refunds"] {
        submit(&mut operator, "/queues/pause", &[("queue", queue)]).await;
    }
    let found = text(&admin, "/audit?text=REFUNDS").await;
    assert!(found.contains("<td>refunds</td>") && !found.contains("<td>stock</td>"), "{found}");
    let first = text(&admin, "/audit?about=queues&limit=1").await;
    assert!(first.contains("<td>refunds</td>") && !first.contains("<td>stock</td>"), "{first}");
    let (_, rest) =
        first.split_once("href=\"/audit?about=queues&#38;limit=1&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    let next = text(&admin, &format!("/audit?about=queues&limit=1&cursor={cursor}")).await;
    assert!(next.contains("<td>stock</td>") && !next.contains("<td>refunds</td>"), "{next}");
    assert!(text(&admin, "/audit?text=nobody-did-this").await.contains("Nothing here fits"));
}

#[tokio::test]
async fn a_batch_tells_how_far_it_is() {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/queues/batches").await.contains("There is no batch"));
    let job = || NewJob::new("payments", "settle_overdue", "{}");
    let batch = NewBatch { name: "<two>".to_owned(), jobs: vec![job(), job()], callback: None };
    let engine = shop.app.queue().clone();
    let create =
        move |tx: &mut sql::Tx<'_>| -> app::Result<BatchId> { Ok(engine.create_batch_in(tx, &batch)?.id) };
    let id = shop.app.transaction("batch", create).await.unwrap();
    let page = text(&browser, &format!("/queues/batches/{id}")).await;
    assert!(page.contains("0 % of its jobs") && page.contains("&#60;two&#62;"), "{page}");
    assert_eq!(page.matches("<td><a href=\"/queues/jobs/").count(), 2);
    shop.work().await;
    let page = text(&browser, &format!("/queues/batches/{id}")).await;
    assert!(page.contains("100 % of its jobs") && page.contains("<dt>Completed</dt><dd>2</dd>"), "{page}");
    assert!(text(&browser, "/queues/batches").await.contains("&#60;two&#62;"));
    assert_eq!(browser.get("/queues/batches/99").await.status(), StatusCode::NOT_FOUND);
}
