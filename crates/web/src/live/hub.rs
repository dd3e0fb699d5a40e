use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::App;
use app::orders::news::News;
use axum::body::Bytes;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use super::{Listener, Message, Topic, Topics, poll};
use crate::ApiError;
use crate::access::Shown;
use crate::connections::Cut;

/// Messages that a listener may be behind before it is cut off.
const BEHIND: usize = 128;
/// How long listeners have to end by themselves when the server stops.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// Where those who listen are known.
pub(crate) struct Hub {
    pub(super) app: App,
    state: Mutex<State>,
    sender: broadcast::Sender<Arc<Message>>,
    pub(super) joined: Notify,
    pub(super) closed: CancellationToken,
}

#[derive(Default)]
struct State {
    members: HashMap<u64, Member>,
    joined: u64,
    sent: u64,
    /// Up to where orders were told of; none while nobody reads what is new.
    heard: Option<i64>,
    /// How things stood when that was told last, by topic and what they are.
    latest: BTreeMap<(Topic, i64), Latest>,
}

struct Latest {
    data: String,
    message: Arc<Message>,
}

struct Member {
    topics: Topics,
    shown: Shown,
    /// The last message that they took.
    taken: Arc<AtomicU64>,
    ended: CancellationToken,
    cut: Cut,
}

/// Somebody who wants to listen.
pub(crate) struct Joining {
    pub(crate) topics: Topics,
    pub(crate) shown: Shown,
    pub(crate) cut: Cut,
    /// Up to where orders were numbered just now.
    pub(crate) numbered: i64,
}

impl Hub {
    pub(crate) fn new(app: App) -> Arc<Self> {
        Arc::new(Hub {
            app,
            state: Mutex::default(),
            sender: broadcast::Sender::new(BEHIND),
            joined: Notify::new(),
            closed: CancellationToken::new(),
        })
    }

    /// Takes a listener on, and begins to read what is new if they are the first.
    pub(crate) fn join(self: &Arc<Self>, joining: Joining) -> Result<Listener, ApiError> {
        let Joining { topics, shown, cut, numbered } = joining;
        let most = self.app.config().web.events_clients;
        let mut state = self.state();
        if state.members.len() >= most {
            return Err(ApiError::TooManyListeners { most });
        }
        let is_first = state.heard.is_none();
        if is_first || !state.wanted().has(Topic::Orders) {
            // Nobody has been told of orders for a while, and nobody needs to be told what was before.
            state.heard = Some(numbered.max(state.heard.unwrap_or_default()));
        }
        state.joined += 1;
        let (id, taken, ended) =
            (state.joined, Arc::new(AtomicU64::new(state.sent)), self.closed.child_token());
        let member = Member { topics, shown, taken: Arc::clone(&taken), ended: ended.clone(), cut };
        state.members.insert(id, member);
        state.count();
        // Under the same lock, so that nothing falls between what is at hand and what comes.
        let latest = state.latest.iter().filter(|((topic, _), _)| topics.has(*topic));
        let first = latest.map(|(_, latest)| latest.message.text.clone()).collect();
        let from = state.heard.unwrap_or_default();
        let messages = self.sender.subscribe();
        drop(state);
        if is_first {
            tokio::spawn(poll::run(Arc::clone(self)));
        } else {
            self.joined.notify_one();
        }
        Ok(Listener { hub: Arc::clone(self), id, topics, from, first, messages, taken, ended })
    }

    pub(super) fn leave(&self, id: u64) {
        let mut state = self.state();
        state.members.remove(&id);
        state.count();
    }

    /// Ends all listening, now and from now on.
    pub(crate) fn close(self: &Arc<Self>) {
        self.closed.cancel();
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(CLOSES_WITHIN).await;
            // Whoever takes nothing does not take the end either.
            hub.state().members.values().for_each(|member| member.cut.cut());
        });
    }

    /// What is listened to. None where nothing is: then nobody is to be told any more, until the next one joins.
    pub(super) fn wanted(&self) -> Option<Topics> {
        let mut state = self.state();
        if state.members.is_empty() {
            state.heard = None;
            state.latest.clear();
            return None;
        }
        let wanted = state.wanted();
        // What nobody hears grows old.
        state.latest.retain(|(topic, _), _| wanted.has(*topic));
        Some(wanted)
    }

    /// Up to where orders were told of.
    pub(super) fn heard(&self) -> i64 {
        self.state().heard.unwrap_or_default()
    }

    /// Whether it was told how something stands.
    pub(super) fn has_told(&self, topic: Topic) -> bool {
        self.state().latest.keys().any(|(told, _)| *told == topic)
    }

    /// Tells what became of orders.
    pub(super) fn tell_news(&self, number: i64, news: &News) {
        self.move_on(number, Message::render(Some(number), Topic::Orders.as_str(), news));
    }

    /// Tells those who listen to orders that they have missed something.
    pub(super) fn tell_loss(&self, number: i64) {
        self.move_on(number, Listener::reset(number));
    }

    fn move_on(&self, number: i64, text: Bytes) {
        let mut state = self.state();
        if state.heard.is_some_and(|heard| heard < number) {
            state.heard = Some(number);
            self.send(&mut state, Some(Topic::Orders), number, text);
        }
    }

    /// Tells how things stand, each known by a key, where they stand otherwise than was told last.
    pub(super) fn tell_state(&self, topic: Topic, states: Vec<(i64, String)>) {
        let mut state = self.state();
        let is_there = |key: i64| states.iter().any(|(other, _)| *other == key);
        state.latest.retain(|(other, key), _| *other != topic || is_there(*key));
        for (key, data) in states {
            if state.latest.get(&(topic, key)).is_none_or(|latest| latest.data != data) {
                let text = format!("event: {}\ndata: {data}\n\n", topic.as_str()).into();
                let message = self.send(&mut state, Some(topic), 0, text);
                state.latest.insert((topic, key), Latest { data, message });
            }
        }
    }

    /// Keeps quiet connections open.
    pub(super) fn beat(&self) {
        self.send(&mut self.state(), None, 0, Message::heartbeat());
    }

    fn send(&self, state: &mut State, topic: Option<Topic>, number: i64, text: Bytes) -> Arc<Message> {
        state.sent += 1;
        let sequence = state.sent;
        let message = Arc::new(Message { topic, number, sequence, text });
        // Nobody may be there any more.
        let _ = self.sender.send(Arc::clone(&message));
        let is_behind = |member: &Member| sequence - member.taken.load(Ordering::Relaxed) > BEHIND as u64;
        let behind = state.members.iter().filter(|(_, member)| is_behind(member));
        for id in behind.map(|(id, _)| *id).collect::<Vec<_>>() {
            state.cut_off(id);
        }
        message
    }

    /// Cuts a listener off who takes nothing.
    pub(super) fn drop_slow(&self, id: u64) {
        self.state().cut_off(id);
    }

    /// Ends the listening of those who may not listen any more: their token or session has ended. Who shows the same is looked at
    /// once.
    pub(super) async fn check_credentials(&self) {
        let mut distinct: HashMap<Shown, Vec<CancellationToken>> = HashMap::new();
        for member in self.state().members.values() {
            distinct.entry(member.shown.clone()).or_default().push(member.ended.clone());
        }
        for (shown, members) in distinct {
            // A ledger that cannot be asked is no reason to send anybody away.
            if let Err(ApiError::Unauthenticated(_)) = shown.look_again(&self.app).await {
                members.iter().for_each(CancellationToken::cancel);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cut_off(&mut self, id: u64) {
        if let Some(member) = self.members.remove(&id) {
            metrics::counter!("ordermill_events_cut_off_total").increment(1);
            self.count();
            tracing::info!(listeners = self.members.len(), "a listener who takes nothing is cut off");
            member.ended.cancel();
            member.cut.cut();
        }
    }

    fn count(&self) {
        metrics::gauge!("ordermill_events_clients").set(self.members.len() as f64);
    }

    fn wanted(&self) -> Topics {
        self.members.values().fold(Topics::default(), |wanted, member| wanted.and(member.topics))
    }
}

#[cfg(test)]
mod tests {
    use app::SystemClock;
    use app::config::Config;

    use super::*;

    /// A hub over an empty ledger, with somebody who listens to queues.
    async fn listened_to() -> (tempfile::TempDir, Arc<Hub>, Listener) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.database.url = folder.path().join("shop.db").display().to_string();
        let hub = Hub::new(App::open(config, Arc::new(SystemClock), true).await.unwrap());
        let listener = join(&hub);
        (folder, hub, listener)
    }

    fn join(hub: &Arc<Hub>) -> Listener {
        let topics = Topics::parse("queues").unwrap();
        let joining =
            Joining { topics, shown: Shown::Token(String::new()), cut: Cut::default(), numbered: 0 };
        hub.join(joining).unwrap()
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off_and_who_does_is_not() {
        let (_folder, hub, slow) = listened_to().await;
        let mut fast = join(&hub);
        for number in 0..=BEHIND {
            hub.tell_state(Topic::Queues, vec![(0, number.to_string())]);
            let wanted = format!("data: {number}\n\n");
            while !fast.next().await.unwrap().ends_with(wanted.as_bytes()) {}
        }
        assert!(slow.ended.is_cancelled());
        assert!(!fast.ended.is_cancelled());
        assert_eq!(hub.state().members.len(), 1);
        drop((slow, fast));
        assert!(hub.state().members.is_empty());
    }

    #[tokio::test]
    async fn nothing_is_read_once_nobody_listens() {
        let (_folder, hub, listener) = listened_to().await;
        drop(listener);
        assert_eq!(hub.wanted(), None);
        assert!(hub.state().heard.is_none() && hub.state().latest.is_empty());
    }
}
