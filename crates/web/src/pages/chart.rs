//! Bars over time, laid out for an SVG.

/// Wide and high, in the units of the drawing; a page scales it.
pub(super) const WIDTH: f64 = 600.0;
pub(super) const HEIGHT: f64 = 120.0;
/// What of a bar's place is between it and the next.
const GAP: f64 = 0.25;

/// A figure over time.
#[derive(Debug, PartialEq)]
pub(super) struct Chart {
    pub(super) what: &'static str,
    pub(super) bars: Vec<Bar>,
}

/// A period's bar.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    /// The period.
    pub(super) period: String,
    /// Its figure, as it is read.
    pub(super) figure: String,
}

/// A period's figure: how high its bar is, and how it is read.
pub(super) struct Point {
    pub(super) period: String,
    pub(super) value: i64,
    pub(super) figure: String,
}

impl Chart {
    /// The highest bar fills the height; what is below nothing has none.
    pub(super) fn new(what: &'static str, points: Vec<Point>) -> Self {
        let highest = points.iter().map(|point| point.value).max().unwrap_or_default().max(1) as f64;
        let place = WIDTH / points.len().max(1) as f64;
        let bars = points.into_iter().enumerate().map(|(index, point)| {
            let height = point.value.max(0) as f64 / highest * HEIGHT;
            Bar {
                x: units(index as f64 * place + place * GAP / 2.0),
                y: units(HEIGHT - height),
                width: units(place * (1.0 - GAP)),
                height: units(height),
                period: point.period,
                figure: point.figure,
            }
        });
        Chart { what, bars: bars.collect() }
    }

    /// The first period.
    pub(super) fn first(&self) -> &str {
        self.bars.first().map_or("", |bar| &bar.period)
    }

    /// The last one.
    pub(super) fn last(&self) -> &str {
        self.bars.last().map_or("", |bar| &bar.period)
    }
}

fn units(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[i64]) -> Vec<(String, String, String, String)> {
        let point = |value: &i64| Point { period: String::new(), value: *value, figure: String::new() };
        let chart = Chart::new("", values.iter().map(point).collect());
        chart.bars.into_iter().map(|bar| (bar.x, bar.y, bar.width, bar.height)).collect()
    }

    fn bar(x: &str, y: &str, width: &str, height: &str) -> (String, String, String, String) {
        (x.to_owned(), y.to_owned(), width.to_owned(), height.to_owned())
    }

    #[test]
    fn the_highest_bar_fills_the_height_and_losses_have_none() {
        let bars = drawn(&[50, 100, -20, 0]);
        let expected = [
            bar("18.8", "60.0", "112.5", "60.0"),
            bar("168.8", "0.0", "112.5", "120.0"),
            bar("318.8", "120.0", "112.5", "0.0"),
            bar("468.8", "120.0", "112.5", "0.0"),
        ];
        assert_eq!(bars, expected);
    }

    #[test]
    fn nothing_can_be_drawn() {
        assert_eq!(drawn(&[]), []);
        assert_eq!(drawn(&[0]), [bar("75.0", "120.0", "450.0", "0.0")]);
    }
}
