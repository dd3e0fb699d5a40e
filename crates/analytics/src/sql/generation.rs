//! Generations: whole sets of figures. Readers see the live one; a rebuild fills another and switches.

use domain::{Calendar, Currency};
use sql::{Conflict, Insert, Row, Tx};

use super::leaders::Floor;
use crate::zone::{calendar_of, zone_name};
use crate::{Error, Fact, Result};

/// A whole set of figures.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) id: i64,
    pub(crate) calendar: Calendar,
    pub(crate) time_zone: String,
    pub(crate) live: bool,
    /// While it is built: orders from this id on have not been read yet. None: all are in.
    pub(crate) built_below: Option<i64>,
    pub(crate) series: Vec<Series>,
}

/// The figures of one currency in one generation.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) id: i64,
    pub(crate) currency: Currency,
    pub(crate) floor: Option<Floor>,
}

const GENERATIONS: &str = "SELECT g.id, g.time_zone, g.live, g.built_below, s.id, s.currency, \
     s.floor_net, s.floor_reached_at, s.floor_customer \
     FROM kpi_generations g LEFT JOIN kpi_series s ON s.generation = g.id";

impl Generation {
    /// The generations that a fact counts in, locked until the transaction ends: those who write figures wait for
    /// each other here. The first caller ever founds the live one, in the zone of `calendar`.
    pub(crate) fn lock_all(tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Vec<Self>> {
        let lock = tx.dialect().for_update();
        let mut found = Self::in_use(tx, calendar, lock)?;
        if found.is_empty() {
            // Somebody else may found it at the same time: the lock tells whose it is.
            Self::found(tx, 1, calendar, true)?;
            found = Self::in_use(tx, calendar, lock)?;
        }
        Ok(found)
    }

    /// The generations that are live or being built. One whose time zone is not known here takes no facts: readers
    /// are told, and a rebuild replaces it.
    pub(crate) fn in_use(tx: &mut Tx<'_>, calendar: &Calendar, lock: &str) -> Result<Vec<Self>> {
        let sql = format!("{GENERATIONS} ORDER BY g.id, s.id{lock}");
        let found = load(tx, &sql, calendar)?.into_iter().filter_map(Result::ok);
        Ok(found.filter(|one| one.live || one.built_below != Some(RETIRED)).collect())
    }

    /// The generation that readers see; none before the first fact.
    pub(crate) fn live(tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Option<Self>> {
        let sql = format!("{GENERATIONS} WHERE g.live = 1 ORDER BY g.id, s.id");
        load(tx, &sql, calendar)?.pop().transpose()
    }

    /// Makes an empty generation where it is not there. One that is not live has read no orders yet.
    pub(crate) fn found(tx: &mut Tx<'_>, id: i64, calendar: &Calendar, live: bool) -> Result<()> {
        let insert = Insert {
            table: "kpi_generations",
            columns: &["id", "time_zone", "live", "built_below"],
            conflict: Conflict::Ignore,
        };
        let built_below = if live { None } else { Some(1) };
        let row = [id.into(), zone_name(calendar).into(), live.into(), built_below.into()];
        tx.insert_rows(&insert, &row)?;
        Ok(())
    }

    /// Whether the fact is to be added now; if not, the rebuild will read it from the ledger.
    pub(crate) fn wants(&self, fact: &Fact) -> bool {
        self.built_below.is_none_or(|below| fact.order_id().get() < below)
    }

    /// The currencies with figures.
    pub(crate) fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.series.iter().map(|series| series.currency)
    }

    /// The series of a currency.
    pub(crate) fn series(&self, currency: Currency) -> Option<&Series> {
        self.series.iter().find(|series| series.currency == currency)
    }

    /// The series of a currency, made where it is not there.
    pub(crate) fn ensure_series(&mut self, tx: &mut Tx<'_>, currency: Currency) -> Result<Series> {
        if let Some(series) = self.series(currency) {
            return Ok(series.clone());
        }
        let id: i64 =
            tx.query_one("SELECT COALESCE(MAX(id), 0) + 1 FROM kpi_series", &[], |row| row.get(0))?;
        tx.execute(
            "INSERT INTO kpi_series (id, generation, currency) VALUES (?, ?, ?)",
            &[id.into(), self.id.into(), currency.code().into()],
        )?;
        let series = Series { id, currency, floor: None };
        self.series.push(series.clone());
        Ok(series)
    }
}

/// What `built_below` holds in a generation that no longer takes facts and waits to be swept.
pub(crate) const RETIRED: i64 = -1;

fn load(tx: &mut Tx<'_>, sql: &str, shop: &Calendar) -> Result<Vec<Result<Generation>>> {
    let rows = tx.query(sql, &[], |row| {
        let series: Option<(i64, String)> = row.get::<Option<i64>>(4)?.zip(row.get(5)?);
        let head: (i64, String, bool, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((head, series, floor(row)?))
    })?;
    let mut all = Vec::new();
    for of_one in rows.chunk_by(|(a, ..), (b, ..)| a.0 == b.0) {
        let Some(((id, time_zone, live, built_below), ..)) = of_one.first() else { continue };
        let mut series = Vec::new();
        for (_, found, floor) in of_one {
            let Some((id, code)) = found else { continue };
            let currency =
                code.parse().map_err(|_| Error::Unreadable { expected: "currency", found: code.clone() })?;
            series.push(Series { id: *id, currency, floor: *floor });
        }
        all.push(calendar_of(time_zone, shop).map(|calendar| Generation {
            id: *id,
            calendar,
            time_zone: time_zone.clone(),
            live: *live,
            built_below: *built_below,
            series,
        }));
    }
    Ok(all)
}

fn floor(row: &Row<'_>) -> sql::Result<Option<Floor>> {
    let (Some(net), Some(reached_at), Some(customer)) = (row.get(6)?, row.get(7)?, row.get(8)?) else {
        return Ok(None);
    };
    Ok(Some(Floor { net, reached_at, customer }))
}
