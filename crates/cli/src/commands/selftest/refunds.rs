use anyhow::Result;
use app::refunds::{self, Asked, Request, Restock};
use app::{Actor, Error};
use domain::{IdempotencyKey, OrderId, RefundRequest};

use super::lab::{Lab, PRICE, STOCK};

/// Units of the order that is refunded.
const UNITS: i64 = 4;

pub async fn run(lab: &mut Lab) -> Result<()> {
    let order = lab.place(UNITS, Some("jane@example.com")).await?;
    lab.settle().await?;
    lab.same("a paid order is confirmed", lab.story(order).await?.order.row.status, "confirmed");
    lab.same("it holds its units", lab.stock().await?, (STOCK, UNITS));

    let part = ask(lab, order, "key-1", RefundRequest::Amount(PRICE)).await?;
    lab.same("a part can be asked for", part.refund.amount.amount, PRICE);
    let again = ask(lab, order, "key-1", RefundRequest::Amount(PRICE)).await?;
    lab.same("the same key is the same refund", (again.replayed, again.refund.id), (true, part.refund.id));
    let other = ask(lab, order, "key-1", RefundRequest::Amount(PRICE + 1)).await;
    lab.check("a key is never taken for another refund", is_key_reused(&other), told(&other));
    let above = ask(lab, order, "key-2", RefundRequest::Amount(UNITS * PRICE)).await;
    lab.check("no more than is left is refunded", above.is_err(), told(&above));
    lab.settle().await?;
    let row = lab.story(order).await?.order.row;
    lab.same("it is paid back once", (row.refunded.amount, row.payment), (PRICE, "partially_refunded"));
    lab.same("money alone moves no goods", lab.stock().await?, (STOCK, UNITS));

    let line = RefundRequest::Lines { lines: vec![(1, 1)], shipping: 0 };
    ask(lab, order, "key-3", line).await?;
    lab.settle().await?;
    lab.same("a refunded unit goes back on sale", lab.stock().await?, (STOCK, UNITS - 1));

    ask(lab, order, "key-4", RefundRequest::All).await?;
    lab.settle().await?;
    let row = lab.story(order).await?.order.row;
    lab.same(
        "all that is left can be refunded",
        (row.refunded.amount, row.payment),
        (UNITS * PRICE, "refunded"),
    );
    lab.same("then all goods are back on sale", lab.stock().await?, (STOCK, 0));
    let nothing = ask(lab, order, "key-5", RefundRequest::All).await;
    lab.check("nothing can be refunded twice", nothing.is_err(), told(&nothing));

    at_once(lab).await
}

/// Many refunds with one key at the same moment.
async fn at_once(lab: &mut Lab) -> Result<()> {
    let order = lab.place(1, None).await?;
    lab.settle().await?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let app = lab.app.clone();
        tasks.spawn(async move {
            refunds::request(&app, &Actor::CLI, wish(order, "at-once", RefundRequest::All)?).await
        });
    }
    let answers = tasks.join_all().await;
    let fresh = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|asked| !asked.replayed)).count();
    let replayed = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|asked| asked.replayed)).count();
    lab.settle().await?;
    lab.same("twenty at once with one key are one refund", (fresh, replayed), (1, 19));
    let refunded = lab.story(order).await?.order.row.refunded.amount;
    lab.same("and its money goes back once", refunded, PRICE);
    Ok(())
}

async fn ask(lab: &Lab, order: OrderId, key: &str, what: RefundRequest) -> app::Result<Asked> {
    refunds::request(&lab.app, &Actor::CLI, wish(order, key, what)?).await
}

fn wish(order: OrderId, key: &str, what: RefundRequest) -> app::Result<Request> {
    let key = IdempotencyKey::parse(key).map_err(|error| Error::Invalid(error.to_string()))?;
    Ok(Request { order, key, what, restock: Restock::All, reason: None })
}

fn is_key_reused(answer: &app::Result<Asked>) -> bool {
    matches!(answer, Err(Error::KeyReused { .. }))
}

fn told(answer: &app::Result<Asked>) -> String {
    match answer {
        Ok(asked) => format!("refund {} was made", asked.refund.id),
        Err(error) => error.to_string(),
    }
}
