use std::borrow::Cow;
use std::collections::HashMap;

use domain::{Currency, Money, Period, UnknownName};
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::Score;
use crate::currency::{Chosen, CurrencyChoice};

/// Whom a leaderboard ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardOf {
    /// Customers, with their orders.
    Customers,
    /// Products, with their units.
    Products,
}

impl BoardOf {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            BoardOf::Customers => "customers",
            BoardOf::Products => "products",
        }
    }
}

impl std::str::FromStr for BoardOf {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Self, UnknownName> {
        let known = [BoardOf::Customers, BoardOf::Products];
        known.into_iter().find(|one| one.as_str() == word).ok_or_else(|| UnknownName {
            what: "leaderboard",
            given: word.chars().take(64).collect(),
            known: known.map(BoardOf::as_str).join(", "),
        })
    }
}

/// Which leaderboard to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardQuery {
    /// Of whom.
    pub of: BoardOf,
    /// Over how long.
    pub period: Period,
    /// A day in the period; of no matter for all time.
    pub date: Date,
    /// In which currency.
    pub currency: CurrencyChoice,
    /// How many entries at most.
    pub limit: u32,
}

/// A leaderboard. `Who` is what stands for a customer or product: its id, until [`Board::name`] puts more in its
/// place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Leaderboard")]
pub struct Board<Who> {
    /// Whom it ranks.
    pub of: BoardOf,
    /// Over how long.
    pub period: Period,
    /// A day in the period; none for all time.
    pub date: Option<Date>,
    /// The currency of the scores.
    pub currency: Currency,
    /// The best first. Equal scores share a rank and the next one skips (1, 2, 2, 4); among them comes first who
    /// reached the score first, then the smaller id.
    pub entries: Vec<BoardEntry<Who>>,
    /// Other currencies that have figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_currencies: Vec<Currency>,
}

/// A row of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEntry<Who> {
    /// From 1.
    pub rank: u64,
    /// Whom the board ranks.
    pub of: BoardOf,
    /// The id, or what was put in its place.
    pub who: Who,
    /// Orders of a customer, units of a product, and the net amount that ranks them.
    pub score: Score,
    /// The currency of the net amount.
    pub currency: Currency,
}

/// What customers have reached over all time, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerScores {
    /// The currency of the net amounts.
    pub currency: Currency,
    /// The score of each who has an order or a refund, by the customer's id.
    pub scores: HashMap<i64, Score>,
    /// Other currencies that have figures.
    pub other_currencies: Vec<Currency>,
}

impl<Who> Board<Who> {
    /// Puts something in the place of each id, such as a name.
    pub fn name<Named>(self, mut name: impl FnMut(Who) -> Named) -> Board<Named> {
        let Board { of, period, date, currency, entries, other_currencies } = self;
        let entries = entries
            .into_iter()
            .map(|BoardEntry { rank, of, who, score, currency }| BoardEntry {
                rank,
                of,
                who: name(who),
                score,
                currency,
            })
            .collect();
        Board { of, period, date, currency, entries, other_currencies }
    }
}

/// An id and its score.
pub(crate) type Scored = (i64, Score);

/// Gives out ranks to rows of which the first has so many ahead of it, and this rank.
pub(crate) fn rank(
    query: &BoardQuery,
    chosen: Chosen,
    ahead: u64,
    first_rank: u64,
    rows: Vec<Scored>,
) -> Board<i64> {
    let Chosen { currency, others: other_currencies } = chosen;
    let mut entries: Vec<BoardEntry<i64>> = Vec::with_capacity(rows.len());
    for (place, (who, score)) in (ahead + 1..).zip(rows) {
        let rank = match entries.last() {
            None => first_rank,
            Some(last) if last.score.net == score.net => last.rank,
            Some(_) => place,
        };
        entries.push(BoardEntry { rank, of: query.of, who, score, currency });
    }
    let date = (query.period != Period::All).then_some(query.date);
    Board { of: query.of, period: query.period, date, currency, entries, other_currencies }
}

impl<Who: JsonSchema> JsonSchema for BoardEntry<Who> {
    fn schema_name() -> Cow<'static, str> {
        "LeaderboardEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let who = generator.subschema_for::<Who>();
        json_schema!({
            "type": "object",
            "description": "A row of a leaderboard: of a customer with their orders, or of a product with its units.",
            "properties": {
                "rank": { "type": "integer", "description": "From 1; equal scores share it.", "minimum": 1 },
                "customer": who.clone(),
                "orders": { "type": "integer", "description": "The customer's orders." },
                "product": who,
                "units": { "type": "integer", "description": "The product's units, less those refunded." },
                "net": generator.subschema_for::<Money>(),
            },
            "required": ["rank", "net"],
            "oneOf": [{ "required": ["customer", "orders"] }, { "required": ["product", "units"] }],
        })
    }
}

impl<Who: Serialize> Serialize for BoardEntry<Who> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (who, count) = match self.of {
            BoardOf::Customers => ("customer", "orders"),
            BoardOf::Products => ("product", "units"),
        };
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("rank", &self.rank)?;
        map.serialize_entry(who, &self.who)?;
        map.serialize_entry(count, &self.score.count)?;
        map.serialize_entry("net", &Money::new(self.score.net, self.currency))?;
        map.end()
    }
}
