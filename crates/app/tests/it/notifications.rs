//! What customers are told, over a real mail server where one is needed.

use std::time::Duration;

use app::config::{Config, NotificationSettings, SmtpSecurity, SmtpSettings};
use app::notifications::{self, History, Notification, NotificationView, Which};
use app::{Actor, App};
use domain::{IdempotencyKey, NotificationKind, NotificationStatus, OrderId, RefundRequest};
use queue::SystemClock;
use testkit::smtp::SmtpServer;

use crate::support::{TestApp, order};

/// Settings that mail over `server`.
fn mailing(server: &SmtpServer) -> impl FnOnce(&mut Config) + use<> {
    let port = server.port();
    move |config| {
        config.shop.name = String::from("Ada's Mugs");
        config.notifications = NotificationSettings {
            channels: vec!["smtp".to_owned()],
            from: "orders@mugs.example".to_owned(),
            templates: None,
            smtp: SmtpSettings {
                host: "127.0.0.1".to_owned(),
                port,
                security: SmtpSecurity::None,
                timeout: Duration::from_secs(20),
                ..SmtpSettings::default()
            },
            ..NotificationSettings::default()
        };
    }
}

async fn of(test: &TestApp, order: OrderId) -> Vec<Notification> {
    notifications::of_order(&test.app, order).await.unwrap()
}

async fn only(test: &TestApp, order: OrderId) -> NotificationView {
    let [one] = &of(test, order).await[..] else { panic!("the order has other than one notification") };
    notifications::view(&test.app, one.id).await.unwrap()
}

/// An app with mugs in stock.
async fn shop(change: impl FnOnce(&mut Config)) -> TestApp {
    let test = TestApp::with(change).await;
    test.stock("MUG-1", "Mug", 1_000).await;
    test
}

async fn view_of(test: &TestApp, order: OrderId, kind: NotificationKind) -> NotificationView {
    let all = of(test, order).await;
    let one = all.iter().rfind(|one| one.kind == kind).unwrap();
    notifications::view(&test.app, one.id).await.unwrap()
}

fn page(view: &NotificationView) -> String {
    let (subject, text) = (view.notification.subject.as_ref().unwrap(), view.text.as_ref().unwrap());
    format!("Subject: {subject}\n\n{text}\n==========\n\n{}", view.html.as_ref().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_shows_what_was_bought_and_what_it_costs() {
    let test = shop(|config| config.shop.name = "Mugs & More".to_owned()).await;
    test.stock("POT-1", "Teapot <large>", 5).await;
    let id = order("1001").line("MUG-1", 2, 999).line("POT-1", 1, 4550).shipping(490).discount(500);
    let id = id.place(&test).await;
    test.run_jobs().await;
    let view = only(&test, id).await;
    assert_eq!(view.notification.status, NotificationStatus::Sent);
    assert_eq!((view.notification.attempts, view.failures.len()), (1, 0));
    insta::assert_snapshot!("confirmation", page(&view));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_fails_says_why_and_what_to_do() {
    let test = shop(|_| ()).await;
    let id = order("1002").line("MUG-1", 2_000, 999).place(&test).await;
    test.run_jobs().await;
    insta::assert_snapshot!("out_of_stock", page(&only(&test, id).await));

    let test = shop(|config| config.gateway.decline_rate = 1.0).await;
    let id = order("1003").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    insta::assert_snapshot!("payment_failed", page(&only(&test, id).await));

    let test = shop(|config| config.gateway.silence_rate = 1.0).await;
    // Decided later than the shop waits.
    let test = test.restarted(|config| config.gateway.latency = Duration::from_hours(1)).await;
    let id = order("1004").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    test.clock.advance(Duration::from_mins(16));
    app::payments::settle_overdue(&test.app, 10).await.unwrap();
    test.run_jobs().await;
    insta::assert_snapshot!("expired", page(&only(&test, id).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_is_told_whether_money_comes_back() {
    let test = shop(|_| ()).await;
    let unpaid = order("1005").line("MUG-1", 1, 999).place(&test).await;
    app::orders::cancel(&test.app, &Actor::CLI, unpaid, Some("fraud?".to_owned())).await.unwrap();
    let paid = order("1006").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    app::orders::cancel(&test.app, &Actor::CLI, paid, None).await.unwrap();
    test.run_jobs().await;
    let view = view_of(&test, unpaid, NotificationKind::Cancelled).await;
    insta::assert_snapshot!("cancelled", page(&view));
    assert!(!page(&view).contains("fraud"), "what an operator noted is not the customer's to read");
    let view = view_of(&test, paid, NotificationKind::Cancelled).await;
    assert!(view.text.unwrap().contains("What you paid is on its way back to you."));
    let view = view_of(&test, paid, NotificationKind::Refunded).await;
    assert_eq!(view.notification.subject.unwrap(), "Your refund of 9.99 EUR for order 1006");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_tells_what_is_in_it_and_whether_more_follows() {
    let test = shop(|_| ()).await;
    test.stock("POT-1", "Teapot", 5).await;
    let id = order("1007").line("MUG-1", 3, 999).line("POT-1", 1, 4550).place(&test).await;
    test.run_jobs().await;
    let ship = async |lines: Vec<(i64, i64)>, tracking: Option<&str>| {
        test.clock.advance(Duration::from_hours(1));
        let tracking = tracking.map(str::to_owned);
        let carrier = tracking.as_ref().map(|_| "Parcel Post".to_owned());
        let parcel = app::orders::Shipping { lines, carrier, tracking };
        app::orders::ship(&test.app, &Actor::CLI, id, parcel).await.unwrap();
        test.run_jobs().await;
        view_of(&test, id, NotificationKind::Shipped).await
    };
    insta::assert_snapshot!("shipped_in_part", page(&ship(vec![(1, 2)], Some("TRACK-1")).await));
    insta::assert_snapshot!("shipped", page(&ship(Vec::new(), None).await));
    app::orders::deliver(&test.app, &Actor::CLI, id).await.unwrap();
    test.run_jobs().await;
    let view = view_of(&test, id, NotificationKind::Delivered).await;
    insta::assert_snapshot!("delivered", page(&view));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_tells_the_amount_in_the_currency_s_own_decimals() {
    let test = shop(|_| ()).await;
    let id = order("1008").line("MUG-1", 3, 1_200).currency("JPY").place(&test).await;
    test.run_jobs().await;
    let request = app::refunds::Request {
        order: id,
        key: IdempotencyKey::parse("once").unwrap(),
        what: RefundRequest::Lines { lines: vec![(1, 2)], shipping: 0 },
        restock: true.into(),
        reason: None,
    };
    app::refunds::request(&test.app, &Actor::CLI, request).await.unwrap();
    test.run_jobs().await;
    insta::assert_snapshot!("refunded", page(&view_of(&test, id, NotificationKind::Refunded).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_as_it_was_written() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    test.stock("Ü-1", "Grüner Becher ☕", 5).await;
    let id = order("№ 7").line("Ü-1", 1, 999).name("Zoë \"Zo\" O’Neil, Ph.D.").email("zoe@example.com");
    let id = id.place(&test).await;
    test.run_jobs().await;
    let view = only(&test, id).await;
    assert_eq!(view.notification.status, NotificationStatus::Sent);
    let [mail] = &server.mails()[..] else { panic!("one mail arrives") };
    assert_eq!(
        (mail.sender.as_str(), &mail.recipients[..]),
        ("orders@mugs.example", &["zoe@example.com".to_owned()][..])
    );
    assert_eq!(mail.header("Subject"), "Your order № 7 is confirmed");
    assert_eq!(mail.header("From"), "Ada's Mugs <orders@mugs.example>");
    assert_eq!(mail.header("To"), "\"Zoë \\\"Zo\\\" O’Neil, Ph.D.\" <zoe@example.com>");
    assert_eq!(mail.header("Date"), "Tue, 01 Jan 2030 00:00:00 +0000");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    let notification = view.notification.id;
    let message_id = format!("<notification-{notification}.{}@mugs.example>", test.app.instance());
    assert_eq!(mail.header("Message-ID"), message_id);
    assert_eq!(mail.text, view.text.unwrap());
    assert_eq!(mail.html, view.html.unwrap());
    assert!(mail.text.contains("1 × Grüner Becher ☕ (Ü-1): 9.99 EUR"), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_and_products_are_called_cannot_write_headers_or_html() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    test.stock("EVIL", "<script>alert(1)</script> & Söhne", 5).await;
    let name = "Eve\r\nBcc: victim@example.com\r\n\r\n<b>Hi</b>";
    let id = order("1 <i>").line("EVIL", 1, 999).name(name).email("eve@example.com").place(&test).await;
    test.run_jobs().await;
    assert_eq!(only(&test, id).await.notification.status, NotificationStatus::Sent);
    let [mail] = &server.mails()[..] else { panic!("one mail arrives") };
    assert_eq!(mail.recipients, ["eve@example.com"]);
    let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected =
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
    assert_eq!(names, expected);
    assert!(
        mail.header("To").contains("Bcc: victim@example.com"),
        "the name is a name: {}",
        mail.header("To")
    );
    assert!(mail.text.contains("<script>alert(1)</script> & Söhne"), "plain text is not escaped");
    assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt; &amp; Söhne"), "{}", mail.html);
    assert!(!mail.html.contains("<script>") && !mail.html.contains("<b>Hi") && !mail.html.contains("<i>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_who_is_refused_for_good_is_not_tried_again() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    let refused = order("1").line("MUG-1", 1, 999).email("refused@example.com").place(&test).await;
    let unwanted = order("2").line("MUG-1", 1, 999).email("unwanted@example.com").place(&test).await;
    let fine = order("3").line("MUG-1", 1, 999).email("fine@example.com").place(&test).await;
    test.run_jobs().await;
    let view = only(&test, refused).await;
    assert_eq!(view.notification.status, NotificationStatus::Failed);
    let error = view.notification.error.unwrap();
    assert!(error.contains("refused the recipient") && error.contains("nobody of that name"), "{error}");
    assert_eq!((view.failures.len(), view.failures[0].outcome.as_str()), (1, "refused"));
    let view = only(&test, unwanted).await;
    assert_eq!(view.notification.status, NotificationStatus::Failed);
    assert!(view.notification.error.unwrap().contains("these words are not welcome"));
    assert_eq!(only(&test, fine).await.notification.status, NotificationStatus::Sent);
    assert_eq!(test.run_jobs_after(Duration::from_hours(1)).await, 0, "no job is left");
    assert_eq!(server.mails().len(), 1);
    let rates = notifications::success_rate(&test.app).await.unwrap();
    assert_eq!(
        rates.iter().map(|rate| (rate.sent, rate.failed, rate.rate)).collect::<Vec<_>>(),
        [(1, 2, Some(1.0 / 3.0))]
    );
    let page = History { which: Which::Troubled, before: None, limit: 10 };
    let troubled = notifications::history(&test.app, page).await.unwrap();
    let orders: Vec<OrderId> = troubled.iter().map(|one| one.order).collect();
    assert_eq!(orders, [unwanted, refused]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_for_a_server_that_is_down() {
    let mut server = SmtpServer::stopped();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    test.run_jobs_after(Duration::from_mins(1)).await;
    let waiting = only(&test, id).await;
    assert_eq!(waiting.notification.status, NotificationStatus::Queued);
    assert_eq!(waiting.notification.attempts, 2);
    assert!(waiting.notification.error.unwrap().contains("cannot be used"));
    assert_eq!(waiting.failures.iter().map(|one| one.outcome.as_str()).collect::<Vec<_>>(), ["passing"; 2]);
    server.run();
    test.run_jobs_after(Duration::from_mins(1)).await;
    let sent = only(&test, id).await.notification;
    assert_eq!((sent.status, sent.attempts, sent.error), (NotificationStatus::Sent, 3, None));
    assert!(!sent.possible_duplicate, "none of the attempts can have arrived");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_never_gets_through_is_given_up_at_last() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).email("later@example.com").place(&test).await;
    test.run_jobs().await;
    for _ in 0..70 {
        test.run_jobs_after(Duration::from_hours(1)).await;
    }
    let given_up = only(&test, id).await.notification;
    assert_eq!((given_up.status, given_up.attempts), (NotificationStatus::Failed, 60));
    let error = given_up.error.unwrap();
    assert!(error.starts_with("given up after 60 attempts") && error.contains("come back later"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_shown_the_account() {
    let server = SmtpServer::start_with_login("shop", "correct horse");
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    assert_eq!(only(&test, id).await.notification.status, NotificationStatus::Queued);
    let login = |password: &'static str| {
        move |config: &mut Config| {
            config.notifications.smtp.username = Some("shop".to_owned());
            config.notifications.smtp.password = Some(password.to_owned());
        }
    };
    let test = test.restarted(login("wrong")).await;
    test.run_jobs_after(Duration::from_hours(1)).await;
    let waiting = only(&test, id).await.notification;
    assert_eq!(waiting.status, NotificationStatus::Queued, "a wrong password can be put right");
    let error = waiting.error.unwrap();
    assert!(error.contains("535") && !error.contains("wrong"), "{error}");
    let test = test.restarted(login("correct horse")).await;
    test.run_jobs_after(Duration::from_hours(1)).await;
    assert_eq!(only(&test, id).await.notification.status, NotificationStatus::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_gets_no_mail_that_asks_for_it() {
    let server = SmtpServer::start();
    let secured = |config: &mut Config| config.notifications.smtp.security = SmtpSecurity::StartTls;
    let test = shop(mailing(&server)).await.restarted(secured).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    let waiting = only(&test, id).await.notification;
    assert_eq!(waiting.status, NotificationStatus::Queued);
    assert!(waiting.error.unwrap().contains("STARTTLS is not supported"));
    assert_eq!(server.mails().len(), 0);
}

/// Runs jobs until the server has this many mails, then stops in the middle, as a killed worker does.
async fn run_and_die(test: &TestApp, server: &SmtpServer, mails: usize) {
    let app = test.app.clone();
    let worker = tokio::spawn(async move {
        let registry = app::jobs::registry(&app).unwrap();
        queue::drain(app.queue(), &registry).await
    });
    while server.mails().len() < mails {
        assert!(!worker.is_finished(), "the server answers nobody, so the worker waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_worker_died_is_sent_once_more_and_marked() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).email("silent-once@example.com").place(&test).await;
    run_and_die(&test, &server, 1).await;
    assert_eq!(only(&test, id).await.notification.status, NotificationStatus::Sending);
    test.run_jobs_after(Duration::from_mins(1)).await;
    let view = only(&test, id).await;
    assert_eq!((view.notification.status, view.notification.attempts), (NotificationStatus::Sent, 2));
    assert!(view.notification.possible_duplicate);
    assert_eq!(view.failures.iter().map(|one| one.outcome.as_str()).collect::<Vec<_>>(), ["interrupted"]);
    let [first, second] = &server.mails()[..] else { panic!("the mail arrives twice") };
    assert_eq!(first.raw, second.raw, "so that the receiver can tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_workers_died_twice_is_not_sent_a_third_time() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).email("silent@example.com").place(&test).await;
    run_and_die(&test, &server, 1).await;
    test.clock.advance(Duration::from_mins(1));
    test.app.queue().reap(10).await.unwrap();
    run_and_die(&test, &server, 2).await;
    test.run_jobs_after(Duration::from_mins(1)).await;
    let view = only(&test, id).await;
    assert_eq!(view.notification.status, NotificationStatus::Unknown);
    assert!(view.notification.possible_duplicate && view.notification.error.is_some());
    assert_eq!(view.failures.iter().map(|one| one.outcome.as_str()).collect::<Vec<_>>(), ["interrupted"; 2]);
    assert_eq!(test.run_jobs_after(Duration::from_hours(1)).await, 0, "no job is left");
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_an_answer_is_sent_once_more_and_then_nobody_knows() {
    let server = SmtpServer::start();
    let impatient = |config: &mut Config| config.notifications.smtp.timeout = Duration::from_secs(1);
    let test = shop(mailing(&server)).await.restarted(impatient).await;
    let id = order("1").line("MUG-1", 1, 999).email("silent@example.com").place(&test).await;
    test.run_jobs().await;
    let first = only(&test, id).await.notification;
    assert_eq!((first.status, first.attempts), (NotificationStatus::Sending, 1));
    test.run_jobs_after(Duration::from_mins(1)).await;
    let view = only(&test, id).await;
    assert_eq!((view.notification.status, view.notification.attempts), (NotificationStatus::Unknown, 2));
    assert!(view.notification.possible_duplicate);
    assert_eq!(view.failures.iter().map(|one| one.outcome.as_str()).collect::<Vec<_>>(), ["no_answer"; 2]);
    test.run_jobs_after(Duration::from_hours(1)).await;
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_once_however_often_the_news_comes() {
    let server = SmtpServer::start();
    let twice = |config: &mut Config| config.gateway.duplicate_rate = 1.0;
    let test = shop(mailing(&server)).await.restarted(twice).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    let told = only(&test, id).await.notification;
    // A job that comes back after its effect has landed finds nothing to do.
    let args = serde_json::json!({ "notification": told.id }).to_string();
    let again = queue::NewJob::new("notifications", "send_notification", args);
    test.app.queue().push(vec![again]).await.unwrap();
    assert_eq!(test.run_jobs().await, 1);
    assert_eq!(only(&test, id).await.notification.attempts, 1);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_tells_the_same_again_under_a_cause_of_its_own() {
    let server = SmtpServer::start();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    let first = only(&test, id).await.notification;
    let second = notifications::resend(&test.app, &Actor::CLI, first.id).await.unwrap();
    let early = notifications::resend(&test.app, &Actor::CLI, second.id).await.unwrap_err();
    assert!(early.to_string().contains("still on its way"), "{early}");
    test.run_jobs().await;
    let third = notifications::resend(&test.app, &Actor::CLI, second.id).await.unwrap();
    test.run_jobs().await;
    let all = of(&test, id).await;
    let links: Vec<_> = all.iter().map(|one| (one.id, one.status, one.resend_of)).collect();
    let sent = NotificationStatus::Sent;
    assert_eq!(
        links,
        [(first.id, sent, None), (second.id, sent, Some(first.id)), (third.id, sent, Some(first.id))]
    );
    assert!(all.iter().all(|one| one.recipient == first.recipient && one.subject == first.subject));
    let mails = server.mails();
    assert_eq!(mails.len(), 3);
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[0].text, mails[2].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_where_no_address_is_known_and_the_record_says_so() {
    let test = shop(|_| ()).await;
    let id = order("1").line("MUG-1", 1, 999).without_email().place(&test).await;
    test.run_jobs().await;
    let skipped = only(&test, id).await.notification;
    assert_eq!((skipped.status, skipped.attempts), (NotificationStatus::Skipped, 0));
    assert!(skipped.error.unwrap().contains("no e-mail address"));
    let refused = notifications::resend(&test.app, &Actor::CLI, skipped.id).await.unwrap_err();
    assert!(refused.to_string().contains("has no recipient"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_switched_off_skips_what_waits_for_it() {
    let server = SmtpServer::stopped();
    let test = shop(mailing(&server)).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    let test = test.restarted(|config| config.notifications.channels = vec!["log".to_owned()]).await;
    test.run_jobs_after(Duration::from_hours(1)).await;
    let skipped = only(&test, id).await.notification;
    assert_eq!(skipped.status, NotificationStatus::Skipped);
    assert_eq!(skipped.error.as_deref(), Some("the channel `smtp` is switched off"));
    let refused = notifications::resend(&test.app, &Actor::CLI, skipped.id).await.unwrap_err();
    assert!(refused.to_string().contains("add it to [notifications] channels"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_s_own_template_takes_the_place_of_a_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let own =
        "Subject: Danke, {{ customer.name }}\n\nBestellung {{ order.number }}: {% include \"_sum.txt\" %}\n";
    std::fs::write(folder.path().join("confirmation.txt"), own).unwrap();
    std::fs::write(folder.path().join("_sum.txt"), "{{ order.total }}").unwrap();
    std::fs::write(folder.path().join("README.md"), "# Ours {{").unwrap();
    let templates = folder.path().to_owned();
    let test = shop(|config| config.notifications.templates = Some(templates)).await;
    let id = order("1").line("MUG-1", 1, 999).place(&test).await;
    test.run_jobs().await;
    let view = only(&test, id).await;
    assert_eq!(view.notification.subject.unwrap(), "Danke, Ada Lovelace");
    assert_eq!(view.text.unwrap(), "Bestellung 1: 9.99 EUR\n");
    assert!(view.html.unwrap().contains("Thank you for your order"), "the HTML is still the built-in one");
}

/// What the application says that is to start with this template.
async fn refusal(name: &str, source: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), source).unwrap();
    let mut config = Config::default();
    config.database.url = String::from(folder.path().join("x.db").to_str().unwrap());
    config.notifications.templates = Some(folder.path().to_owned());
    let refused = App::open(config, std::sync::Arc::new(SystemClock), true).await.err().unwrap();
    refused.to_string().replace(folder.path().to_str().unwrap(), "FOLDER")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_is_refused_at_start_with_its_file_and_line() {
    let messages = [
        refusal("confirmation.html", "<p>\n{% if order.total %}\n</p>\n").await,
        refusal("shipped.txt", "Subject: x\n\n{{ order.nmber }}\n").await,
        refusal("lines.html", "{% for line in lines %}\n{{ line.amount | curency }}\n{% endfor %}").await,
        refusal("refunded.txt", "Your refund\n").await,
        refusal("confirmaton.txt", "Subject: x\n").await,
    ];
    insta::assert_snapshot!("broken_templates", messages.join("\n"));
}
