//! Dividing money so that nothing is lost or made up.

/// `total × part ÷ whole`, cut towards zero; `total` itself once the parts are the whole.
///
/// Cumulative shares of growing parts never lose anything: what is cut off is part of a later difference, at the
/// latest of the last one.
pub(crate) fn share(total: i64, part: i64, whole: i64) -> i64 {
    if part >= whole { total } else { cumulative(total, i128::from(part.max(0)), i128::from(whole)) }
}

/// Splits a total by weights; the parts add up to it exactly, and each is less than one unit off its fair share.
///
/// A weight of 0 (or less) gets nothing, unless all are: then the last one gets it all. No weights, no parts.
pub fn split_pro_rata(total: i64, weights: &[i64]) -> Vec<i64> {
    let positive = |weight: &i64| i128::from((*weight).max(0));
    let whole: i128 = weights.iter().map(positive).sum();
    if whole == 0 {
        let mut parts = vec![0; weights.len()];
        parts.iter_mut().next_back().into_iter().for_each(|last| *last = total);
        return parts;
    }
    let (mut weight_so_far, mut given) = (0, 0);
    let part = |weight: &i64| {
        weight_so_far += positive(weight);
        let up_to_here = cumulative(total, weight_so_far, whole);
        let part = up_to_here - given;
        given = up_to_here;
        part
    };
    weights.iter().map(part).collect()
}

/// `total × part ÷ whole` for `0 ≤ part ≤ whole`, `whole > 0`.
fn cumulative(total: i64, part: i128, whole: i128) -> i64 {
    // The product must fit 127 bits. Only weights that sum up beyond 2⁶⁴ lose their last bits here.
    let excess = (128 - whole.leading_zeros()).saturating_sub(64);
    (i128::from(total) * (part >> excess) / (whole >> excess)) as i64
}
