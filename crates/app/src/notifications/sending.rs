//! From jobs to letters to what became of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Channel, NotificationId, NotificationStatus};
use queue::{Batch, Job, Outcome};
use sql::Tx;
use store::notifications::{Attempt, Matter, Standing};

use super::conclusion::{
    ATTEMPTS, Conclusion, INTERRUPTED, attempt, conclude, in_doubt, may_send, unwritten,
};
use super::input::Gathered;
use super::packing::Packer;
use super::webhook::{self, Fared};
use super::{Letter, Mailer, SmtpMailer, WebhookCaller};
use crate::config::Config;
use crate::jobs::land;
use crate::{App, Error, Result};

/// After this long a run begins no more letters of a slow channel: others of the batch wait for the next run.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);

/// How long letters wait whose channel was in trouble before their turn came.
const TROUBLE_PAUSE: Duration = Duration::from_secs(5);

/// How long a run can take.
pub(crate) fn longest_run(config: &Config) -> Duration {
    BEGIN_WITHIN * 2 + SmtpMailer::longest_send(&config.notifications.smtp)
}

/// How long a run of calls can take.
pub(crate) fn longest_calls(config: &Config) -> Duration {
    BEGIN_WITHIN * 2 + WebhookCaller::longest_call(&config.notifications.webhook)
}

/// A letter with its words as they are stored; or why it cannot be written.
type Written = Result<(Letter, Vec<u8>), String>;

/// Sends the notifications of a batch.
pub(crate) async fn send(app: &App, batch: &Batch, ids: &[NotificationId]) -> Result<Vec<Outcome>> {
    let wanted = ids.to_vec();
    let gathered = app.read("gather_notifications", move |tx| Gathered::read(tx, &wanted)).await?;
    let gathered = Arc::new(gathered);
    let mut by_channel: HashMap<Channel, Vec<usize>> = HashMap::new();
    let mut outcomes = vec![Outcome::Done; ids.len()];
    for (position, id) in ids.iter().enumerate() {
        match find(&gathered, *id) {
            None => outcomes[position] = Outcome::discard(format!("there is no notification {id}")),
            Some(matter) if matter.status.is_final() => {}
            Some(matter) => by_channel.entry(matter.channel).or_default().push(position),
        }
    }
    for (channel, positions) in by_channel {
        let run = Run { app, batch, gathered: &gathered, ids };
        let ended = match app.notifier().mailer(channel) {
            None => run.skip(&format!("the channel `{channel}` is switched off"), &positions).await?,
            Some(mailer) => match run.switched_off(channel).await? {
                Some(note) => run.skip(&note, &positions).await?,
                None => run.tell(&**mailer, &positions).await?,
            },
        };
        for (position, outcome) in positions.into_iter().zip(ended) {
            outcomes[position] = outcome;
        }
    }
    Ok(outcomes)
}

fn find(gathered: &Gathered, id: NotificationId) -> Option<&Matter> {
    let found = gathered.matters.binary_search_by_key(&id, |matter| matter.id);
    found.ok().map(|index| &gathered.matters[index])
}

/// A run of the job's handler.
struct Run<'r> {
    app: &'r App,
    batch: &'r Batch,
    gathered: &'r Arc<Gathered>,
    ids: &'r [NotificationId],
}

impl Run<'_> {
    fn jobs(&self, positions: &[usize]) -> Arc<[Job]> {
        let all = self.batch.jobs();
        if positions.len() == all.len() {
            return Arc::clone(all);
        }
        positions.iter().map(|position| all[*position].clone()).collect()
    }

    /// Why nothing is sent over a channel that is on.
    async fn switched_off(&self, channel: Channel) -> Result<Option<String>> {
        if channel != Channel::Webhook {
            return Ok(None);
        }
        let since = webhook::standing(self.app).await?;
        Ok(since.map(|since| format!("the receiver of webhooks is switched off since {since}")))
    }

    /// Nothing is sent.
    async fn skip(&self, note: &str, positions: &[usize]) -> Result<Vec<Outcome>> {
        let skipped = |position: &usize| Conclusion {
            id: self.ids[*position],
            status: NotificationStatus::Skipped,
            words: None,
            unclaimed: false,
            failure: None,
            note: Some(note.to_owned()),
            again: None,
        };
        let conclusions = positions.iter().map(skipped).map(Some).collect();
        record(self.app, self.jobs(positions), conclusions, None).await
    }

    /// Tells, then records; where repeating does harm, it claims before. A few at a time, so that little is in doubt when
    /// the worker is killed.
    async fn tell(&self, mailer: &dyn Mailer, positions: &[usize]) -> Result<Vec<Outcome>> {
        let began = Instant::now();
        let mut pause = None;
        let mut outcomes = Vec::with_capacity(positions.len());
        for positions in positions.chunks(mailer.at_once().max(1)) {
            if began.elapsed() > BEGIN_WITHIN || self.is_stopping().await {
                pause.get_or_insert(Duration::ZERO);
            }
            if let Some(pause) = pause {
                outcomes.extend(vec![Outcome::Snooze(pause); positions.len()]);
                continue;
            }
            let jobs = self.jobs(positions);
            let written = self.write(positions).await?;
            let claims = if mailer.is_repeatable() {
                None
            } else {
                Some(claim(self.app, Arc::clone(&jobs), &written).await?)
            };
            let (conclusions, fared) = deliver(mailer, written, &jobs, claims.as_ref()).await;
            let told = conclusions.iter().flatten();
            if told.clone().count() > 0 && told.clone().all(|one| one.again.is_some()) {
                pause = Some(TROUBLE_PAUSE);
            }
            let fared = (mailer.channel() == Channel::Webhook).then_some(fared);
            outcomes.extend(record(self.app, jobs, conclusions, fared).await?);
        }
        Ok(outcomes)
    }

    async fn is_stopping(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.batch.stopping()).await.is_ok()
    }

    /// Writes letters, on a thread that may be kept busy.
    async fn write(&self, positions: &[usize]) -> Result<Vec<(NotificationId, Written)>> {
        let (app, gathered) = (self.app.clone(), Arc::clone(self.gathered));
        let ids: Vec<NotificationId> = positions.iter().map(|position| self.ids[*position]).collect();
        let writing = tokio::task::spawn_blocking(move || write_all(&app, &gathered, &ids)).await;
        let mut written = writing
            .unwrap_or_else(|stopped| Err(Error::Invalid(format!("writing letters failed: {stopped}"))))?;
        for ((_, written), position) in written.iter_mut().zip(positions) {
            if let Ok((letter, _)) = written {
                letter.trace = self.batch.trace(*position);
            }
        }
        Ok(written)
    }
}

fn write_all(
    app: &App,
    gathered: &Gathered,
    ids: &[NotificationId],
) -> Result<Vec<(NotificationId, Written)>> {
    let cannot_pack =
        |source| Error::File { action: "compress", path: "a letter in memory".to_owned(), source };
    let mut packer = Packer::new().map_err(cannot_pack)?;
    let matters = ids.iter().filter_map(|id| find(gathered, *id));
    matters.map(|matter| Ok((matter.id, write(app, gathered, matter, &mut packer)))).collect()
}

fn write(app: &App, gathered: &Gathered, matter: &Matter, packer: &mut Packer) -> Written {
    if matter.channel == Channel::Webhook {
        return write_call(app, matter, packer);
    }
    let shop = app.config().shop.name.as_str();
    let input = gathered.input(matter, shop, app.calendar());
    let notifier = app.notifier();
    let content = notifier.templates().render(matter.kind, &input).map_err(|error| error.to_string())?;
    let body = packer.pack(&content.text, &content.html).map_err(|error| error.to_string())?;
    let letter = Letter {
        id: matter.id,
        kind: matter.kind,
        order: matter.order,
        recipient: matter.recipient.clone(),
        name: input.customer.name.map(std::borrow::Cow::into_owned),
        date: matter.created_at,
        message_id: notifier.message_id(app.instance(), matter.id),
        subject: content.subject,
        text: content.text,
        html: content.html,
        trace: None,
    };
    Ok((letter, body))
}

/// A call of the shop's receiver. Its id is the same however often it is repeated.
fn write_call(app: &App, matter: &Matter, packer: &mut Packer) -> Written {
    let (subject, text) = webhook::written(matter);
    let body = packer.pack(&text, "").map_err(|error| error.to_string())?;
    let letter = Letter {
        id: matter.id,
        kind: matter.kind,
        order: matter.order,
        recipient: matter.recipient.clone(),
        name: None,
        date: matter.created_at,
        message_id: format!("notification-{}-{}", app.instance(), matter.id),
        subject,
        text,
        html: String::new(),
        trace: None,
    };
    Ok((letter, body))
}

/// Claims the attempts of those letters that can be sent. Returns where each job's notification stood before; none
/// for a job that is another worker's by now.
async fn claim(
    app: &App,
    jobs: Arc<[Job]>,
    written: &[(NotificationId, Written)],
) -> Result<HashMap<NotificationId, Standing>> {
    let (queue, at) = (app.queue().clone(), app.now());
    let ids: Vec<NotificationId> = written.iter().map(|(id, _)| *id).collect();
    let writable: Vec<bool> = written.iter().map(|(_, letter)| letter.is_ok()).collect();
    app.transaction("claim_notifications", move |tx| -> Result<_> {
        let kept = queue.keep_in(tx, &jobs)?.positions;
        let kept: Vec<NotificationId> =
            kept.into_iter().filter(|position| writable[*position]).map(|position| ids[position]).collect();
        let standings = store::notifications::lock(tx, &kept)?;
        let interrupted: Vec<Standing> = standings
            .iter()
            .filter(|standing| standing.status == NotificationStatus::Sending)
            .copied()
            .collect();
        store::notifications::mark_interrupted(tx, &interrupted, INTERRUPTED, at)?;
        let sendable: Vec<NotificationId> =
            standings.iter().filter(|standing| may_send(standing)).map(|standing| standing.id).collect();
        store::notifications::mark_sending(tx, &sendable, at)?;
        Ok(standings.into_iter().map(|standing| (standing.id, standing)).collect())
    })
    .await
}

/// Sends the letters and says what to record of each, and how it went on the whole. `claims` are the attempts that were claimed, where the channel
/// asks for that; none is recorded of what belongs to another worker, or had ended.
async fn deliver(
    mailer: &dyn Mailer,
    written: Vec<(NotificationId, Written)>,
    jobs: &[Job],
    claims: Option<&HashMap<NotificationId, Standing>>,
) -> (Vec<Option<Conclusion>>, Fared) {
    let mut letters = Vec::with_capacity(written.len());
    let mut sent = Vec::with_capacity(written.len());
    let mut conclusions = Vec::with_capacity(written.len());
    for (position, (id, written)) in written.into_iter().enumerate() {
        let standing = claims.map(|claims| claims.get(&id));
        conclusions.push(match (written, standing) {
            (Err(reason), _) => Some(unwritten(id, reason)),
            (Ok((letter, body)), None) => {
                letters.push(letter);
                sent.push((position, body, None));
                None
            }
            (Ok((letter, body)), Some(Some(standing))) if may_send(standing) => {
                letters.push(letter);
                sent.push((position, body, Some(*standing)));
                None
            }
            (_, Some(Some(standing))) if standing.status == NotificationStatus::Sending => Some(in_doubt(id)),
            _ => None,
        });
    }
    let deliveries = mailer.send(&letters).await;
    let fared = Fared::of(&deliveries);
    for ((letter, delivery), (position, body, standing)) in letters.into_iter().zip(deliveries).zip(sent) {
        let is_last = jobs[position].failures + 1 >= ATTEMPTS;
        let conclusion = conclude(letter, body, delivery, standing.as_ref(), is_last);
        conclusions[position] = Some(conclusion);
    }
    (conclusions, fared)
}

/// Records what became of notifications, and of the receiver of calls, and ends their jobs, in one transaction.
async fn record(
    app: &App,
    jobs: Arc<[Job]>,
    conclusions: Vec<Option<Conclusion>>,
    fared: Option<Fared>,
) -> Result<Vec<Outcome>> {
    let (inner, at) = (app.clone(), app.now());
    let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
        let mine = || kept.iter().filter_map(|position| Some((*position, conclusions[*position].as_ref()?)));
        let attempts: Vec<Attempt<'_>> = mine().map(|(_, conclusion)| attempt(conclusion)).collect();
        store::notifications::record_attempts(tx, &attempts, at)?;
        if let Some(fared) = &fared {
            webhook::note(&inner, tx, fared)?;
        }
        let again =
            |(position, conclusion): (usize, &Conclusion)| Some((position, conclusion.again.clone()?));
        Ok(mine().filter_map(again).collect())
    };
    land(app, "record_notifications", &jobs, effect).await
}
