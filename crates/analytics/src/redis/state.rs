use domain::Calendar;

use super::Store;
use super::script::{Commands, Guards};
use crate::feed::Counter;
use crate::zone::calendar_of;
use crate::{Fact, Result};

/// The state as it is stored: what is live, what is being built, and which batch is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The life of the figures; 0 if there is no state.
    pub(crate) epoch: i64,
    /// The generation that readers see.
    pub(crate) live: Option<i64>,
    pub(crate) live_zone: String,
    /// The generation that a rebuild fills.
    pub(crate) building: Option<i64>,
    pub(crate) building_zone: String,
    /// Orders from this id on have not been read by the rebuild; none if all were.
    pub(crate) fence: Option<i64>,
    /// The last batch that is in.
    pub(crate) marker: i64,
    /// Generations that nobody reads any more.
    pub(crate) retired: Vec<i64>,
    raw: Vec<String>,
}

const FIELDS: [&str; 8] =
    ["epoch", "live", "live_zone", "building", "building_zone", "fence", "marker", "retired"];
/// What the fence is when every order was read.
pub(crate) const ALL_READ: &str = "all";

/// A generation that facts count in.
pub(crate) struct Generation {
    pub(crate) number: i64,
    pub(crate) calendar: Calendar,
    /// Orders from this id on will be read by the rebuild.
    below: Option<i64>,
}

impl State {
    /// Expects the state to be what it is here, but for what is retired and the zones.
    pub(crate) fn guards(&self) -> Guards {
        self.expect(&["epoch", "live", "building", "fence", "marker"])
    }

    /// Expects these fields to be what they are here.
    pub(crate) fn expect(&self, names: &[&'static str]) -> Guards {
        let value = |name: &str| FIELDS.iter().position(|field| *field == name);
        let raw = |name| value(name).and_then(|at| self.raw.get(at)).cloned().unwrap_or_default();
        names.iter().map(|name| (*name, raw(name))).collect()
    }

    /// Whether the state belongs to the ledger's figures and can be brought up to date from what is kept.
    pub(crate) fn follows(&self, counter: &Counter) -> bool {
        self.epoch == counter.epoch
            && self.epoch != 0
            && (counter.pruned..=counter.numbered).contains(&self.marker)
    }

    /// The generations that facts count in. One whose time zone is not known here takes none: readers are told, and a
    /// rebuild replaces it.
    pub(crate) fn generations(&self, shop: &Calendar) -> Vec<Generation> {
        let live = self.live.map(|number| (number, &self.live_zone, None));
        let building = self.building.map(|number| (number, &self.building_zone, self.fence));
        let known = |(number, zone, below): (i64, &String, _)| {
            let calendar = calendar_of(zone, shop).ok()?;
            Some(Generation { number, calendar, below })
        };
        live.into_iter().chain(building).filter_map(known).collect()
    }
}

impl Generation {
    /// Whether the fact is to be added now; if not, the rebuild will read it from the ledger.
    pub(crate) fn wants(&self, fact: &Fact) -> bool {
        self.below.is_none_or(|below| fact.order_id().get() < below)
    }

    /// The generation, for facts of orders that the rebuild has read.
    pub(crate) fn for_reading(mut self) -> Self {
        self.below = None;
        self
    }
}

impl Store {
    /// Reads the state.
    pub(crate) async fn state(&self) -> Result<State> {
        let mut commands = Commands::new(self.keys.state());
        commands.push("HMGET", &self.keys.state(), FIELDS);
        let answers = commands.run(&self.redis, &Vec::new()).await?;
        let fields = match answers {
            Some(mut answers) => answers.fields(FIELDS.len())?,
            None => Vec::new(),
        };
        let raw: Vec<String> = fields.into_iter().map(Option::unwrap_or_default).collect();
        Ok(parse(raw).unwrap_or_default())
    }
}

/// None if it is no state of ours.
fn parse(raw: Vec<String>) -> Option<State> {
    let text = |at: usize| raw.get(at).cloned().unwrap_or_default();
    let number = |at: usize| text(at).parse::<i64>().ok();
    let fence = if text(5) == ALL_READ { None } else { number(5) };
    if number(3).is_some() && fence.is_none() && text(5) != ALL_READ {
        return None;
    }
    Some(State {
        epoch: number(0)?,
        live: number(1),
        live_zone: text(2),
        building: number(3),
        building_zone: text(4),
        fence,
        marker: number(6)?,
        retired: text(7).split(',').filter_map(|one| one.parse().ok()).collect(),
        raw,
    })
}
