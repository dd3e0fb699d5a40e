use anyhow::{Context as _, Result};
use app::Actor;
use app::notifications;
use app::orders;
use domain::{NotificationKind, NotificationStatus, OrderId};

use super::lab::{Lab, STOCK};

pub async fn run(lab: &mut Lab) -> Result<()> {
    let order = lab.place(2, Some("jane@example.com")).await?;
    lab.settle().await?;
    let told = kinds(lab, order).await?;
    let sent = |kind| (kind, NotificationStatus::Sent);
    lab.same("a confirmed order is told of once", told, vec![sent(NotificationKind::Confirmation)]);

    let first = lab.story(order).await?.notifications.into_iter().next().context("there is no mail")?;
    let view = notifications::view(&lab.app, first.id).await?;
    let mentions = view.text.as_deref().is_some_and(|text| text.contains("TEA-1"));
    lab.check("its words name what was bought", mentions, first.subject.clone().unwrap_or_default());
    lab.same("it goes to the customer", first.recipient.as_str(), "jane@example.com");

    orders::ship(&lab.app, &Actor::CLI, order, orders::Shipping::default()).await?;
    orders::deliver(&lab.app, &Actor::CLI, order).await?;
    lab.settle().await?;
    let told = kinds(lab, order).await?;
    let all =
        [NotificationKind::Confirmation, NotificationKind::Shipped, NotificationKind::Delivered].map(sent);
    lab.same("shipping and delivery are told of", told, all.to_vec());

    notifications::resend(&lab.app, &Actor::CLI, first.id).await?;
    lab.settle().await?;
    let repeated = kinds(lab, order).await?;
    let confirmations = repeated.iter().filter(|told| **told == sent(NotificationKind::Confirmation)).count();
    lab.same("a mail can be sent once more", confirmations, 2);

    let cancelled = lab.place(1, Some("omar@example.com")).await?;
    lab.settle().await?;
    orders::cancel(&lab.app, &Actor::CLI, cancelled, Some("tried".to_owned())).await?;
    lab.settle().await?;
    let told = kinds(lab, cancelled).await?;
    let is_told = told.contains(&sent(NotificationKind::Cancelled));
    lab.check("a cancelled order is told of", is_told, format!("{told:?}"));

    let short = lab.place(STOCK + 1, Some("mila@example.com")).await?;
    lab.settle().await?;
    let told = kinds(lab, short).await?;
    lab.same("an order that cannot be served is told of", told, vec![sent(NotificationKind::OutOfStock)]);

    let rates = notifications::success_rate(&lab.app).await?;
    let all_arrived = rates.iter().all(|rate| rate.rate == Some(1.0)) && !rates.is_empty();
    lab.check("all that were sent arrived", all_arrived, format!("{} channel", rates.len()));
    Ok(())
}

/// What was told of an order, oldest first, and how far it got.
async fn kinds(lab: &Lab, order: OrderId) -> Result<Vec<(NotificationKind, NotificationStatus)>> {
    let told = notifications::of_order(&lab.app, order).await?;
    Ok(told.into_iter().map(|one| (one.kind, one.status)).collect())
}
