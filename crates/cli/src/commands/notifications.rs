use anyhow::Result;
use app::notifications::{self, History, Notification, NotificationView, Which};
use app::{Actor, App};
use clap::{Args, Subcommand};
use comfy_table::Cell;
use domain::NotificationId;
use serde_json::json;

use crate::output::{Listing, Out, cell, maybe, plain, second, status, time};
use crate::session::{Exit, Session};
use crate::words;

/// See what customers were told, and tell them again
#[derive(Debug, Subcommand)]
pub enum Notifications {
    List(List),
    /// Show one with its words and its failed attempts
    Show {
        /// Its id
        id: NotificationId,
    },
    /// Send one once more
    Resend {
        /// Its id
        id: NotificationId,
    },
    /// See how the shop's own receiver of webhooks does
    Webhook {
        /// Call it again after it was switched off
        #[arg(long)]
        enable: bool,
    },
}

/// List them, newest first, with how well each channel did
#[derive(Debug, Args)]
pub struct List {
    /// Only those of this order: its id, or SOURCE/EXTERNAL_ID
    #[arg(long, conflicts_with_all = ["troubled", "before"])]
    order: Option<String>,
    /// Only those of which some attempt did not succeed
    #[arg(long)]
    troubled: bool,
    /// Only those before this one: the next page
    #[arg(long, value_name = "ID")]
    before: Option<NotificationId>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

impl Notifications {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        match self {
            Notifications::List(list) => list.run(&app, out).await?,
            Notifications::Show { id } => show(out, &notifications::view(&app, id).await?)?,
            Notifications::Webhook { enable } => webhook(&app, out, enable).await?,
            Notifications::Resend { id } => {
                let repeated = notifications::resend(&app, &Actor::CLI, id).await?;
                if out.is_json() {
                    out.json(&repeated)?;
                } else {
                    let recipient = &repeated.recipient;
                    out.line(format_args!("notification {} is queued for {recipient}", repeated.id))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(self, app: &App, out: Out) -> Result<()> {
        let listed = if let Some(name) = &self.order {
            notifications::of_order(app, words::order(app, name).await?).await?
        } else {
            let which = if self.troubled { Which::Troubled } else { Which::All };
            let page = History { which, before: self.before, limit: self.limit };
            notifications::history(app, page).await?
        };
        let rates = notifications::success_rate(app).await?;
        if out.is_json() {
            out.json(&json!({ "notifications": listed, "success": rates }))?;
            return Ok(());
        }
        out.table(&listing(out, &listed), "there are none")?;
        for rate in rates {
            let share = rate.rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
            let text = format!("{}: {share} of the last {} arrived", rate.channel, notifications::RATED);
            out.line(out.dim(text))?;
        }
        Ok(())
    }
}

/// A table of notifications.
pub fn listing(out: Out, listed: &[Notification]) -> Listing {
    let columns = ["id", "order", "kind", "channel", "recipient", "status", "attempts", "recorded", "remark"];
    let mut listing = out.listing(&columns).right(&[0, 1, 6]);
    for one in listed {
        let duplicate = one.possible_duplicate.then(|| "may have arrived twice".to_owned());
        let cells: [Cell; 9] = [
            cell(one.id),
            cell(one.order),
            cell(one.kind),
            cell(one.channel),
            cell(&one.recipient),
            status(one.status.as_str()),
            cell(one.attempts),
            time(one.created_at),
            maybe(one.error.clone().or(duplicate)),
        ];
        listing.row(cells);
    }
    listing
}

fn show(out: Out, view: &NotificationView) -> Result<()> {
    if out.is_json() {
        return Ok(out.json(view)?);
    }
    out.table(&listing(out, std::slice::from_ref(&view.notification)), "")?;
    for failure in &view.failures {
        out.line(out.bad(failure_text(failure)))?;
    }
    if let Some(subject) = &view.notification.subject {
        out.heading(subject)?;
    }
    if let Some(text) = &view.text {
        out.line(text.trim_end())?;
    }
    Ok(())
}

fn failure_text(failure: &notifications::FailureRow) -> String {
    let error = failure.error.as_deref().map(|error| format!(": {}", plain(error))).unwrap_or_default();
    format!("attempt {} at {}, {}{error}", failure.attempt, second(failure.started_at), failure.outcome)
}

async fn webhook(app: &App, out: Out, enable: bool) -> Result<()> {
    let receiver = if enable {
        Some(notifications::enable(app, &Actor::CLI).await?)
    } else {
        notifications::receiver(app).await?
    };
    if out.is_json() {
        return Ok(out.json(&json!({ "webhook": receiver }))?);
    }
    let Some(receiver) = receiver else {
        return Ok(out.line("there is no receiver: `webhook` is not one of [notifications] channels")?);
    };
    out.line(format_args!("{}: {}", plain(&receiver.address), receiver.status))?;
    if let (Some(since), Some(error)) = (receiver.failing_since, &receiver.error) {
        let failures = words::count(receiver.failures, "call", "calls");
        out.line(
            out.bad(format_args!("nothing has arrived since {since}; {failures} failed: {}", plain(error))),
        )?;
    }
    if receiver.disabled_at.is_some() {
        out.line("`ordermill notifications webhook --enable` calls it again")?;
    }
    Ok(())
}
