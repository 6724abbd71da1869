//! Which rows train and which validate. Rows are numbered 0 … n − 1; every list is ascending.

use crate::error::{Code, Error, Result};
use crate::rng::{Purpose, shuffle, stream};

/// Rows for training and rows for validation.
pub type Split = (Vec<u32>, Vec<u32>);

/// Splits n rows at random; `fraction` of them, at least one, validate. With `strata` (one class per row)
/// every class is split in that proportion, and every class with a row has one in training.
///
/// # Errors
/// [`Code::EmptyData`] for fewer than 2 rows, or if no row can be spared for validation;
/// [`Code::InvalidSetting`] for a fraction outside of (0, 1).
///
/// ```
/// let (train, valid) = wxb::data::split::holdout(10, None, 0.2, 7)?;
/// assert_eq!((train.len(), valid.len()), (8, 2));
/// # Ok::<(), wxb::Error>(())
/// ```
pub fn holdout(n: usize, strata: Option<&[u32]>, fraction: f64, seed: u64) -> Result<Split> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let message = format!("a validation fraction of {fraction} is outside of 0 … 1");
        return Err(Error::new(Code::InvalidSetting, message));
    }
    let groups = shuffled_groups(n, strata, seed)?;
    let spare: usize = groups.iter().map(|g| g.len() - 1).sum();
    let wanted = ((n as f64 * fraction).round() as usize).clamp(1, n - 1).min(spare);
    if wanted == 0 {
        return Err(Error::new(Code::EmptyData, "every row is the only one of its class: none can validate"));
    }
    let quotas = quotas(&groups.iter().map(Vec::len).collect::<Vec<_>>(), fraction, wanted);
    let mut is_valid = vec![false; n];
    for (group, quota) in groups.iter().zip(quotas) {
        group[..quota].iter().for_each(|&row| is_valid[row as usize] = true);
    }
    Ok(partition(n, |row| is_valid[row as usize]))
}

/// k splits; every row validates in exactly one of them, and the folds' sizes differ by at most 1. With
/// `strata` every class is spread evenly, so that a class of 2 rows or more is in every training part.
///
/// # Errors
/// [`Code::EmptyData`] for fewer than 2 rows, [`Code::InvalidSetting`] unless 2 ≤ k ≤ n.
pub fn folds(n: usize, strata: Option<&[u32]>, k: usize, seed: u64) -> Result<Vec<Split>> {
    let groups = shuffled_groups(n, strata, seed)?;
    if k < 2 || k > n {
        let message = format!("{k} folds of {n} rows: between 2 and {n} are possible");
        return Err(Error::new(Code::InvalidSetting, message));
    }
    // Dealt like cards, without starting anew for the next class: that keeps the folds equally large.
    let mut fold_of = vec![0; n];
    for (i, &row) in groups.iter().flatten().enumerate() {
        fold_of[row as usize] = i % k;
    }
    Ok((0..k).map(|fold| partition(n, |row| fold_of[row as usize] == fold)).collect())
}

/// The rows of each class (all rows as one, without strata), each in random order.
fn shuffled_groups(n: usize, strata: Option<&[u32]>, seed: u64) -> Result<Vec<Vec<u32>>> {
    if n < 2 {
        return Err(Error::new(Code::EmptyData, format!("{n} rows cannot be split"))
            .hint("at least one row must train and one validate"));
    }
    if let Some(strata) = strata
        && strata.len() != n
    {
        return Err(Error::new(Code::ShapeMismatch, format!("{} classes for {n} rows", strata.len())));
    }
    let mut rows: Vec<u32> = (0..n as u32).collect();
    let class = |row: u32| strata.map_or(0, |s| s[row as usize]);
    rows.sort_by_key(|&row| class(row));
    let mut rng = stream(seed, Purpose::Split, 0);
    Ok(rows
        .chunk_by_mut(|&a, &b| class(a) == class(b))
        .map(|group| {
            shuffle(&mut rng, group);
            group.to_vec()
        })
        .collect())
}

/// How many of each group validate: its share rounded down, and the rest to the largest remainders. One row
/// of every group stays in training.
fn quotas(sizes: &[usize], fraction: f64, wanted: usize) -> Vec<usize> {
    let share = |g: usize| sizes[g] as f64 * fraction;
    let mut quotas: Vec<usize> = (0..sizes.len()).map(|g| (share(g) as usize).min(sizes[g] - 1)).collect();
    let mut open = wanted.saturating_sub(quotas.iter().sum());
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| share(b).fract().total_cmp(&share(a).fract()).then(a.cmp(&b)));
    while open > 0 {
        let before = open;
        for &g in &order {
            if open > 0 && quotas[g] + 1 < sizes[g] {
                quotas[g] += 1;
                open -= 1;
            }
        }
        if open == before {
            break;
        }
    }
    quotas
}

/// (rows that train, rows that validate), ascending.
fn partition(n: usize, is_valid: impl Fn(u32) -> bool) -> Split {
    let (valid, train) = (0..n as u32).partition(|&row| is_valid(row));
    (train, valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class_sizes(rows: &[u32], strata: &[u32], classes: usize) -> Vec<usize> {
        let mut sizes = vec![0; classes];
        rows.iter().for_each(|&r| sizes[strata[r as usize] as usize] += 1);
        sizes
    }

    #[test]
    fn holdout_keeps_the_proportions() {
        let strata: Vec<u32> = (0..100).map(|i| u32::from(i >= 70)).collect();
        let (train, valid) = holdout(100, Some(&strata), 0.2, 3).unwrap();
        assert_eq!(class_sizes(&train, &strata, 2), [56, 24]);
        assert_eq!(class_sizes(&valid, &strata, 2), [14, 6]);
    }

    #[test]
    fn the_seed_alone_decides() {
        let draw = |seed| holdout(50, None, 0.3, seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        assert_eq!(holdout(1, None, 0.2, 0).unwrap_err().code(), Code::EmptyData);
        assert_eq!(holdout(3, Some(&[0, 1, 2]), 0.2, 0).unwrap_err().code(), Code::EmptyData);
        assert_eq!(holdout(9, None, 1.0, 0).unwrap_err().code(), Code::InvalidSetting);
        assert_eq!(holdout(9, None, f64::NAN, 0).unwrap_err().code(), Code::InvalidSetting);
        assert_eq!(holdout(9, Some(&[0]), 0.5, 0).unwrap_err().code(), Code::ShapeMismatch);
        assert_eq!(folds(9, None, 1, 0).unwrap_err().code(), Code::InvalidSetting);
        assert_eq!(folds(9, None, 10, 0).unwrap_err().code(), Code::InvalidSetting);
    }

    fn is_partition(n: usize, (train, valid): &Split) -> bool {
        let mut all = [train.as_slice(), valid].concat();
        let ascending = |rows: &[u32]| rows.is_sorted();
        let sorted = ascending(train) && ascending(valid);
        all.sort_unstable();
        sorted && all.iter().copied().eq(0..n as u32)
    }

    proptest! {
        #[test]
        fn every_row_is_on_one_side(strata in prop::collection::vec(0u32..5, 2..80), seed: u64, f in 0.01..0.99) {
            let n = strata.len();
            let present = class_sizes(&(0..n as u32).collect::<Vec<_>>(), &strata, 5);
            if let Ok(split) = holdout(n, Some(&strata), f, seed) {
                prop_assert!(is_partition(n, &split) && !split.1.is_empty());
                let train = class_sizes(&split.0, &strata, 5);
                prop_assert!(train.iter().zip(&present).all(|(&t, &p)| t > 0 || p == 0));
            } else {
                prop_assert!(present.iter().all(|&p| p < 2));
            }
        }

        #[test]
        fn every_row_validates_once(strata in prop::collection::vec(0u32..5, 2..80), seed: u64, k in 2usize..7) {
            let n = strata.len();
            prop_assume!(k <= n);
            let splits = folds(n, Some(&strata), k, seed).unwrap();
            prop_assert!(splits.iter().all(|s| is_partition(n, s)));
            let mut valid: Vec<u32> = splits.iter().flat_map(|s| s.1.clone()).collect();
            valid.sort_unstable();
            prop_assert!(valid.iter().copied().eq(0..n as u32));
            let sizes: Vec<usize> = splits.iter().map(|s| s.1.len()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        }
    }
}
