use domain::Currency;

/// Which currency to show: figures are in one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyChoice {
    /// The one that was named.
    pub named: Option<Currency>,
    /// The shop's own, for when none is named and there are several, or none, to choose from.
    pub shop: Currency,
}

/// The currency that was chosen, and what else there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) currency: Currency,
    pub(crate) others: Vec<Currency>,
}

impl CurrencyChoice {
    /// The named one; else the only one that ever had figures; else the shop's.
    pub(crate) fn choose(self, with_figures: impl IntoIterator<Item = Currency>) -> Chosen {
        let mut with_figures: Vec<Currency> = with_figures.into_iter().collect();
        with_figures.sort_unstable();
        let currency = self.named.unwrap_or(match with_figures[..] {
            [only] => only,
            _ => self.shop,
        });
        with_figures.retain(|other| *other != currency);
        Chosen { currency, others: with_figures }
    }
}
