/// What can be listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// The key figures of today.
    Kpis,
    /// Imports that run, and those that came last.
    Imports,
    /// What becomes of orders.
    Orders,
    /// How many jobs stand where.
    Queues,
}

impl Topic {
    pub(crate) const ALL: [Topic; 4] = [Topic::Kpis, Topic::Imports, Topic::Orders, Topic::Queues];

    /// Its name in addresses, and that of its events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Topic::Kpis => "kpis",
            Topic::Imports => "imports",
            Topic::Orders => "orders",
            Topic::Queues => "queues",
        }
    }
}

/// A set of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Topics(u8);

impl Topics {
    /// All there are.
    pub(crate) fn all() -> Self {
        Topic::ALL.into_iter().fold(Topics::default(), Topics::with)
    }

    /// Names with commas between them. What is no topic is the error.
    pub(crate) fn parse(text: &str) -> Result<Self, &str> {
        text.split(',').try_fold(Topics::default(), |topics, name| {
            let topic = Topic::ALL.into_iter().find(|topic| topic.as_str() == name).ok_or(name)?;
            Ok(topics.with(topic))
        })
    }

    pub(crate) fn has(self, topic: Topic) -> bool {
        self.0 & bit(topic) != 0
    }

    pub(crate) fn and(self, other: Topics) -> Self {
        Topics(self.0 | other.0)
    }

    fn with(self, topic: Topic) -> Self {
        Topics(self.0 | bit(topic))
    }
}

fn bit(topic: Topic) -> u8 {
    1 << topic as u8
}
