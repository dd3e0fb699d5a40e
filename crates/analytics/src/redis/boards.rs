use std::collections::HashMap;

use domain::{CustomerId, Period, day_number};

use super::Store;
use super::keys::{SeriesKeys, member, of_member};
use super::reader::{Reader, Stop};
use super::script::unreadable;
use super::stored::read_score;
use crate::board::{Board, BoardOf, BoardQuery, CustomerScores, Scored, rank};
use crate::currency::Chosen;
use crate::spans::start_of;
use crate::{CurrencyChoice, Result, Score};

impl Store {
    /// Reads the best of a period. Everybody with an order or a refund in it is on the board.
    pub async fn leaderboard(&self, query: &BoardQuery) -> Result<Board<i64>> {
        let query = *query;
        self.read(|reader| async move {
            let (chosen, has_figures) = reader.choose(query.currency).await?;
            let mut rows = Vec::new();
            if has_figures && query.limit > 0 {
                let place = Place::new(reader.series(chosen.currency), &query);
                rows = reader.between(&place, 0, i64::from(query.limit) - 1).await?;
            }
            Ok(rank(&query, chosen, 0, 1, rows))
        })
        .await
    }

    /// Reads where a customer stands: `query.limit` entries above, the customer, and as many below. None if the
    /// customer has neither order nor refund in the period.
    pub async fn rank_of(&self, customer: CustomerId, query: &BoardQuery) -> Result<Option<Board<i64>>> {
        let query = BoardQuery { of: BoardOf::Customers, ..*query };
        self.read(|reader| async move {
            let (chosen, has_figures) = reader.choose(query.currency).await?;
            if !has_figures {
                return Ok(None);
            }
            let place = Place::new(reader.series(chosen.currency), &query);
            let standing = reader.around(&place, customer.get(), i64::from(query.limit)).await?;
            Ok(standing.map(|(ahead, first_rank, rows)| rank(&query, chosen, ahead, first_rank, rows)))
        })
        .await
    }

    /// Reads what these customers have reached over all time.
    pub async fn customer_scores(
        &self,
        customers: &[CustomerId],
        currency: CurrencyChoice,
    ) -> Result<CustomerScores> {
        self.read(|reader| async move {
            let (chosen, has_figures) = reader.choose(currency).await?;
            let mut scores = HashMap::new();
            if has_figures && !customers.is_empty() {
                let start = start_of(Period::All, 0);
                let kept = reader.series(chosen.currency).scores(BoardOf::Customers, Period::All, start);
                let mut commands = reader.commands();
                commands.read_fields(&kept, customers.iter().map(|customer| customer.get()));
                let texts = reader.run(commands).await?.fields(customers.len())?;
                for (customer, text) in customers.iter().zip(texts) {
                    scores.extend(read_score(text.as_deref())?.map(|score| (customer.get(), score)));
                }
            }
            let Chosen { currency, others: other_currencies } = chosen;
            Ok(CustomerScores { currency, scores, other_currencies })
        })
        .await
    }
}

/// Where a board and its scores are.
struct Place {
    board: String,
    scores: String,
}

impl Place {
    fn new(keys: SeriesKeys, query: &BoardQuery) -> Self {
        let start = start_of(query.period, day_number(query.date));
        let board = keys.board(query.of, query.period, start);
        Place { board, scores: keys.scores(query.of, query.period, start) }
    }
}

impl Reader<'_> {
    /// The rows from one place to another, counted from 0.
    async fn between(&self, place: &Place, from: i64, to: i64) -> Result<Vec<Scored>, Stop> {
        let mut commands = self.commands();
        commands.push("ZREVRANGE", &place.board, [from.to_string(), to.to_string(), "WITHSCORES".to_owned()]);
        let found: Vec<String> = self.run(commands).await?.next()?;
        let mut rows = Vec::with_capacity(found.len() / 2);
        for pair in found.chunks_exact(2) {
            let (id, reached_at) = of_member(&pair[0]).ok_or_else(|| unreadable(&pair[0]))?;
            let net = pair[1].parse().map_err(|_| unreadable(&pair[1]))?;
            rows.push((id, Score { count: 0, net, reached_at }));
        }
        self.count(place, &mut rows).await?;
        Ok(rows)
    }

    /// Puts the counts in, which a board does not hold.
    async fn count(&self, place: &Place, rows: &mut [Scored]) -> Result<(), Stop> {
        let mut commands = self.commands();
        commands.read_fields(&place.scores, rows.iter().map(|(id, _)| id));
        let texts = self.run(commands).await?.fields(rows.len())?;
        for ((_, score), text) in rows.iter_mut().zip(texts) {
            score.count = read_score(text.as_deref())?.map_or(0, |stored| stored.count);
        }
        Ok(())
    }

    /// How many stand before the first row, the rank of that row, and the rows around a customer.
    async fn around(
        &self,
        place: &Place,
        customer: i64,
        limit: i64,
    ) -> Result<Option<(u64, u64, Vec<Scored>)>, Stop> {
        let mut commands = self.commands();
        commands.read_fields(&place.scores, [customer]);
        let own = self.run(commands).await?.fields(1)?.pop().flatten();
        let Some(own) = read_score(own.as_deref())? else { return Ok(None) };
        let mut commands = self.commands();
        commands.push("ZREVRANK", &place.board, [member(customer, own.reached_at)]);
        let at: Option<i64> = self.run(commands).await?.next()?;
        let at = at.ok_or_else(|| unreadable("a score that is not on its board"))?;
        let ahead = (at - limit).max(0);
        let rows = self.between(place, ahead, at + limit).await?;
        let best = rows.first().map_or(0, |(_, score)| score.net);
        let mut commands = self.commands();
        commands.push("ZCOUNT", &place.board, [format!("({best}"), "+inf".to_owned()]);
        let better: u64 = self.run(commands).await?.next()?;
        Ok(Some((ahead.cast_unsigned(), better + 1, rows)))
    }
}
