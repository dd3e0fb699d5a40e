//! Dividing money so that nothing is lost or made up.

/// `total × part ÷ whole`, cut towards zero; `total` itself once the parts are the whole.
///
/// Cumulative shares of growing parts never lose anything: what is cut off is part of a later difference, at the
/// latest of the last one.
pub(crate) fn share(total: i64, part: i64, whole: i64) -> i64 {
    if part >= whole {
        return total;
    }
    let exact = i128::from(total) * i128::from(part.max(0)) / i128::from(whole);
    // Smaller than `total`, so it fits.
    exact as i64
}

/// Splits a total by weights; the parts add up to it exactly, and each is less than one unit off its fair share.
///
/// A weight of 0 (or less) gets nothing, unless all are: then the last one gets it all. No weights, no parts.
pub fn split_pro_rata(total: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i128 = weights.iter().map(|weight| i128::from((*weight).max(0))).sum();
    let mut before = 0_i128;
    let mut given = 0_i64;
    let mut parts: Vec<i64> = Vec::with_capacity(weights.len());
    for weight in weights {
        before += i128::from((*weight).max(0));
        let up_to_here = if whole == 0 { 0 } else { cumulative(total, before, whole) };
        parts.push(up_to_here - given);
        given = up_to_here;
    }
    if let Some(last) = parts.last_mut() {
        *last += total - given;
    }
    parts
}

/// As [`share`], for weights whose sum may exceed 64 bits.
fn cumulative(total: i64, part: i128, whole: i128) -> i64 {
    // Weights are at most 2⁶³ each and no list has 2³² of them, so scaling down is never needed for real orders;
    // beyond 2⁶³ the fraction is taken of a coarser whole.
    let shift = (128 - whole.leading_zeros()).saturating_sub(64);
    let (part, coarse) = (part >> shift, whole >> shift);
    (i128::from(total) * part / coarse) as i64
}
