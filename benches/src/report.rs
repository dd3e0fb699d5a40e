use std::path::Path;

use serde::Serialize;

use crate::figures::Size;
use crate::machine::Machine;
use crate::place::Engines;
use crate::spread::Spread;

/// Everything that a run of the bench found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    pub on: Engines,
    pub size: Size,
    pub figures: Vec<Figure>,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub ours: Spread,
    pub limit: Option<Limit>,
    pub goal: Option<Goal>,
    pub met: Option<bool>,
}

/// What a figure is measured beside, in turns.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    pub what: String,
    pub value: Spread,
    /// Ours over the limit, of each pair of runs.
    pub ratio: Spread,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// At least this share of the limit.
    RatioAtLeast(f64),
    /// At most this share of the limit.
    RatioAtMost(f64),
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    /// A figure without anything beside it.
    pub fn alone(name: impl Into<String>, unit: &'static str, ours: &[f64]) -> Self {
        Figure { name: name.into(), unit, ours: Spread::of(ours), limit: None, goal: None, met: None }
    }

    /// A figure of runs that took turns with those of its limit.
    pub fn beside(
        name: impl Into<String>,
        unit: &'static str,
        ours: &[f64],
        what: impl Into<String>,
        limit: &[f64],
    ) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(limit).map(|(ours, limit)| ours / limit).collect();
        let limit = Limit { what: what.into(), value: Spread::of(limit), ratio: Spread::of(&ratios) };
        Figure { limit: Some(limit), ..Figure::alone(name, unit, ours) }
    }

    pub fn goal(mut self, goal: Goal) -> Self {
        self.met = match goal {
            Goal::RatioAtLeast(least) => self.limit.as_ref().map(|limit| limit.ratio.median >= least),
            Goal::RatioAtMost(most) => self.limit.as_ref().map(|limit| limit.ratio.median <= most),
            Goal::AtLeast(least) => Some(self.ours.median >= least),
            Goal::AtMost(most) => Some(self.ours.median <= most),
        };
        self.goal = Some(goal);
        self
    }
}

impl Report {
    pub fn new(machine: Machine, on: Engines, size: Size) -> Self {
        Report { machine, on, size, figures: Vec::new() }
    }

    /// Adds figures, and says so: a whole run takes a while.
    pub fn add(&mut self, figures: Vec<Figure>) {
        for figure in &figures {
            eprintln!("{}: {:.2} {}", figure.name, figure.ours.median, figure.unit);
        }
        self.figures.extend(figures);
    }

    pub fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_string_pretty(self)?)?;
        Ok(())
    }
}
