use serde::Serialize;

/// The runs of a figure: their median, and how far they lie apart.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub runs: Vec<f64>,
}

impl Spread {
    pub fn of(runs: &[f64]) -> Self {
        let mut sorted = runs.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        Spread {
            median: at(0.5),
            least: at(0.0),
            most: sorted.last().copied().unwrap_or(f64::NAN),
            runs: runs.to_vec(),
        }
    }
}
