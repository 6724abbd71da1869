//! How much a prediction needs a column: what is lost when the column's cells change places among the rows, so that it says
//! nothing any more about its own row (permutation importance, Breiman 2001).

use crate::data::Table;
use crate::error::Result;
use crate::rng::{Purpose, shuffle, stream};

/// What a column is worth.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Importance {
    /// Its name.
    pub column: String,
    /// What is lost without it, in the mean over the shuffles.
    pub mean: f64,
    /// The standard deviation over the shuffles.
    pub std: f64,
}

/// The orders that the cells of a column are brought into. They are the same for each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffles {
    /// How many, at least one.
    pub repeats: usize,
    /// Where they come from.
    pub seed: u64,
}

/// What `loss` says is lost with the shuffled table.
///
/// # Errors
/// Those of `loss`.
pub fn importance(
    table: &Table,
    column: &str,
    Shuffles { repeats, seed }: Shuffles,
    loss: impl Fn(Table) -> Result<f64>,
) -> Result<Importance> {
    let lost = |repeat: usize| {
        let mut order: Vec<u32> = (0..table.rows() as u32).collect();
        shuffle(&mut stream(seed, Purpose::Sample, 1 + repeat as u64), &mut order);
        loss(reordered(table, column, &order)?)
    };
    let lost = (0..repeats).map(lost).collect::<Result<Vec<f64>>>()?;
    let n = lost.len() as f64;
    let mean = lost.iter().sum::<f64>() / n;
    let squares: f64 = lost.iter().map(|lost| (lost - mean).powi(2)).sum();
    Ok(Importance { column: column.to_owned(), mean, std: (squares / (n - 1.0).max(1.0)).sqrt() })
}

/// The table with the cells of one column in another order.
fn reordered(table: &Table, column: &str, order: &[u32]) -> Result<Table> {
    let as_they_are: Vec<u32> = (0..table.rows() as u32).collect();
    table.select(|name| if name == column { order } else { as_they_are.as_slice() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;

    /// y = x: of two rows an order leaves the squared error at 0 or makes it 4. Of a column that is not looked at nothing is lost.
    #[test]
    fn what_is_lost_is_what_the_other_order_costs() {
        let column = |values: &[f64]| Column::Number(values.to_vec());
        let table =
            Table::new(vec![("x".into(), column(&[1.0, 3.0])), ("z".into(), column(&[5.0, 6.0]))]).unwrap();
        let loss = |table: Table| {
            let Column::Number(x) = table.column("x")? else { panic!("numbers stay numbers") };
            Ok(((x[0] - 1.0).powi(2) + (x[1] - 3.0).powi(2)) / 2.0)
        };
        let shuffles = Shuffles { repeats: 64, seed: 1 };
        let found = importance(&table, "x", shuffles, loss).unwrap();
        // k of 64 orders exchange the two: mean 4 k/64, and a standard deviation that follows from it.
        let share = found.mean / 4.0;
        assert!((0.3..0.7).contains(&share), "{found:?}");
        assert!((found.std - 4.0 * (share * (1.0 - share) * 64.0 / 63.0).sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!(found, importance(&table, "x", shuffles, loss).unwrap());
        let unused = importance(&table, "z", shuffles, loss).unwrap();
        assert_eq!((unused.mean, unused.std), (0.0, 0.0));
    }
}
