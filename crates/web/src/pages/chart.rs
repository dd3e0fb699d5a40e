//! Figures over time, laid out for an SVG: bars, stacks and lines.

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

/// How a part of a drawing looks; the style sheet knows it by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) tone: &'static str,
}

/// What several figures were in a period, and how they are read; none where there was nothing to measure.
pub(super) struct Moment {
    pub(super) period: String,
    pub(super) values: Vec<Option<f64>>,
    pub(super) figures: Vec<String>,
}

/// Several figures over time: one on the other, or as lines.
#[derive(Debug, PartialEq)]
pub(super) struct Drawing {
    pub(super) what: &'static str,
    pub(super) series: Vec<Series>,
    pub(super) moments: Vec<Drawn>,
    /// A path for each of the series; none where they stand one on the other.
    pub(super) lines: Vec<(&'static str, String)>,
    /// What fills the height.
    pub(super) highest: f64,
}

/// A period of a drawing.
#[derive(Debug, PartialEq)]
pub(super) struct Drawn {
    pub(super) x: String,
    pub(super) width: String,
    /// Tone, y and height of what stands in it.
    pub(super) parts: Vec<(&'static str, String, String)>,
    pub(super) period: String,
    pub(super) figures: Vec<String>,
}

impl Drawing {
    /// Figures that add up, each on the one before it.
    pub(super) fn stacked(what: &'static str, series: Vec<Series>, moments: Vec<Moment>) -> Self {
        let sum = |moment: &Moment| moment.values.iter().flatten().sum::<f64>();
        let highest = moments.iter().map(sum).fold(0.0, f64::max);
        let place = WIDTH / moments.len().max(1) as f64;
        let stack = |(index, moment): (usize, Moment)| {
            let mut top = HEIGHT;
            let part = |(series, value): (&Series, &Option<f64>)| {
                let height = value.unwrap_or_default() / highest.max(1.0) * HEIGHT;
                top -= height;
                (height > 0.0).then(|| (series.tone, units(top), units(height)))
            };
            Drawn {
                x: units(index as f64 * place + place * GAP / 2.0),
                width: units(place * (1.0 - GAP)),
                parts: series.iter().zip(&moment.values).filter_map(part).collect(),
                period: moment.period,
                figures: moment.figures,
            }
        };
        let moments = moments.into_iter().enumerate().map(stack).collect();
        Drawing { what, series, moments, lines: Vec::new(), highest }
    }

    /// Figures beside each other. A line is broken where there was nothing to measure.
    pub(super) fn lines(what: &'static str, series: Vec<Series>, moments: Vec<Moment>) -> Self {
        let highest = moments.iter().flat_map(|moment| &moment.values).flatten().copied().fold(0.0, f64::max);
        let place = WIDTH / moments.len().max(1) as f64;
        let line = |(position, series): (usize, &Series)| {
            let values: Vec<Option<f64>> =
                moments.iter().map(|moment| moment.values.get(position).copied().flatten()).collect();
            (series.tone, path(&values, place, highest))
        };
        let lines = series.iter().enumerate().map(line).collect();
        let drawn = |(index, moment): (usize, Moment)| Drawn {
            x: units(index as f64 * place),
            width: units(place),
            parts: Vec::new(),
            period: moment.period,
            figures: moment.figures,
        };
        Drawing {
            what,
            series,
            moments: moments.into_iter().enumerate().map(drawn).collect(),
            lines,
            highest,
        }
    }

    /// The first period.
    pub(super) fn first(&self) -> &str {
        self.moments.first().map_or("", |moment| &moment.period)
    }

    /// The last one.
    pub(super) fn last(&self) -> &str {
        self.moments.last().map_or("", |moment| &moment.period)
    }
}

/// A line through the middles of the periods. A figure alone is a dot.
fn path(values: &[Option<f64>], place: f64, highest: f64) -> String {
    let at = |index: usize| values.get(index).copied().flatten();
    let piece = |index: usize| {
        let value = at(index)?;
        let begins = index.checked_sub(1).and_then(at).is_none();
        let dot = if begins && at(index + 1).is_none() { "h0.1" } else { "" };
        let x = units((index as f64 + 0.5) * place);
        let y = units(HEIGHT - value / highest.max(f64::MIN_POSITIVE) * HEIGHT);
        Some(format!("{}{x} {y}{dot}", if begins { 'M' } else { 'L' }))
    };
    (0..values.len()).filter_map(piece).collect()
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

    const TWO: [Series; 2] = [Series { name: "done", tone: "a" }, Series { name: "failed", tone: "b" }];

    fn moment(values: [Option<f64>; 2]) -> Moment {
        Moment { period: String::new(), values: values.into(), figures: Vec::new() }
    }

    #[test]
    fn figures_that_add_up_stand_on_each_other() {
        let moments = vec![moment([Some(30.0), Some(10.0)]), moment([Some(20.0), Some(0.0)])];
        let drawing = Drawing::stacked("", TWO.into(), moments);
        let part = |tone, y: &str, height: &str| (tone, y.to_owned(), height.to_owned());
        assert_eq!(drawing.moments[0].parts, [part("a", "30.0", "90.0"), part("b", "0.0", "30.0")]);
        assert_eq!(drawing.moments[1].parts, [part("a", "60.0", "60.0")]);
        assert_eq!((drawing.highest, &*drawing.moments[1].x), (40.0, "337.5"));
    }

    #[test]
    fn a_line_is_broken_where_nothing_was_measured() {
        let moments = [Some(1.0), Some(2.0), None, Some(4.0)].map(|value| moment([value, None]));
        let drawing = Drawing::lines("", TWO.into(), moments.into());
        assert_eq!(drawing.lines[0], ("a", "M75.0 90.0L225.0 60.0M525.0 0.0h0.1".to_owned()));
        assert_eq!(drawing.lines[1], ("b", String::new()));
        assert_eq!(Drawing::lines("", TWO.into(), Vec::new()).lines[0].1, "");
    }

    #[test]
    fn nothing_can_be_drawn() {
        assert_eq!(drawn(&[]), []);
        assert_eq!(drawn(&[0]), [bar("75.0", "120.0", "450.0", "0.0")]);
    }
}
