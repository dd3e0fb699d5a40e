//! A worker killed while a mail is under way: nobody knows whether it arrived, so it is tried once more at most.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread::sleep;
use std::time::Duration;

use domain::NotificationStatus;
use testkit::Cell;
use testkit::smtp::SmtpServer;

use crate::chaos::{self, Chance};
use crate::support::{Shop, text, wait_until};

#[test]
fn a_mail_in_doubt_is_sent_once_more_and_marked() {
    let server = SmtpServer::start();
    let shop = shop(&server);
    import(&shop, &["silent-once@example.com"]);
    let worker = shop.start(&["work"]);
    wait_until("the mail has arrived", || server.mails().len() == 1);
    assert!(worker.kill());
    shop.done(&["work", "--until-idle"]);
    assert_eq!(server.mails().len(), 2);
    assert_eq!(standing(&shop), [("silent-once@example.com".to_owned(), NotificationStatus::Sent, true)]);
    shop.assert_clean();
}

#[test]
fn a_mail_in_doubt_twice_is_not_sent_a_third_time() {
    let server = SmtpServer::start();
    let shop = shop(&server);
    import(&shop, &["silent@example.com"]);
    for attempt in 1..=2 {
        let worker = shop.start(&["work"]);
        wait_until("the mail has arrived", || server.mails().len() == attempt);
        assert!(worker.kill());
    }
    shop.done(&["work", "--until-idle"]);
    assert_eq!(server.mails().len(), 2);
    assert_eq!(standing(&shop), [("silent@example.com".to_owned(), NotificationStatus::Unknown, true)]);
    shop.assert_clean();
}

#[test]
fn killed_at_random_workers_send_no_mail_three_times_and_mark_what_went_out_twice() {
    let server = SmtpServer::start();
    let shop = shop(&server);
    let kills = chaos::count(100);
    let recipients: Vec<String> =
        (0..kills * 20).map(|number| format!("slow-{number}@example.com")).collect();
    import(&shop, &recipients.iter().map(String::as_str).collect::<Vec<_>>());
    let mut chance = Chance::new();
    for _ in 0..kills {
        let worker = shop.start(&["work"]);
        sleep(Duration::from_millis(100) + chance.below(Duration::from_millis(700)));
        assert!(worker.kill());
    }
    shop.done(&["work", "--until-idle"]);
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for mail in server.mails() {
        *arrived.entry(mail.recipients[0].clone()).or_default() += 1;
    }
    let standing = standing(&shop);
    assert_eq!(standing.len(), recipients.len());
    for (recipient, status, is_marked) in standing {
        let times = arrived.get(&recipient).copied().unwrap_or(0);
        match status {
            NotificationStatus::Sent => assert!((1..=2).contains(&times), "{recipient} got {times} mails"),
            // Killed twice between the claim and the record.
            NotificationStatus::Unknown => assert!(times <= 2, "{recipient} got {times} mails"),
            other => panic!("the mail to {recipient} is {other}"),
        }
        assert!(times < 2 || is_marked, "{recipient} got two mails, and nothing marks it");
    }
    println!(
        "{} of {} mails arrived twice",
        arrived.values().filter(|times| **times == 2).count(),
        recipients.len()
    );
    shop.assert_clean();
}

fn shop(server: &SmtpServer) -> Shop {
    Shop::new()
        .set("queue.lease", "1s")
        .set("notifications.channels", "smtp")
        .set("notifications.from", "Shop <orders@shop.example>")
        .set("notifications.smtp.security", "none")
        .set("notifications.smtp.port", server.port())
        .set("notifications.smtp.timeout", "20s")
}

/// Imports one order for each of these customers, for others to work on.
fn import(shop: &Shop, recipients: &[&str]) {
    let mut file =
        "external_order_id,order_placed_at,currency,customer_email,product_sku,unit_price_cents,qty\n"
            .to_owned();
    for (number, recipient) in recipients.iter().enumerate() {
        writeln!(file, "{number},2026-03-01 10:00:00,EUR,{recipient},MUG,900,1").expect("a text takes it");
    }
    let path = shop.write("orders.csv", file);
    shop.done(&["import", text(&path), "--initial-stock", "100000", "--detach"]);
}

/// What the ledger says of each mail, and whether it is marked as a possible duplicate.
fn standing(shop: &Shop) -> Vec<(String, NotificationStatus, bool)> {
    let sql = "SELECT recipient, status, possible_duplicate FROM notifications ORDER BY id";
    let status = |code: &Cell| code.number().and_then(NotificationStatus::from_code).expect("a status");
    let mail = |row: &Vec<Cell>| (row[0].to_string(), status(&row[1]), row[2].number() == Some(1));
    shop.ledger().rows(sql).iter().map(mail).collect()
}
