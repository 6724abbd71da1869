//! Work for several threads: taken, not assigned, so that a busy neighbour costs its share and no more.

/// Cuts `values` (rows of `width` numbers) in halves, at multiples of `unit` rows, until a piece has at most `least`
/// rows; whichever thread is free takes the next one. `work` gets a piece's first row and its numbers. Pieces
/// do not share a number that is written, so that bits do not depend on who takes what.
pub fn split<T: Send>(
    values: &mut [T],
    width: usize,
    unit: usize,
    least: usize,
    first: usize,
    work: &(impl Fn(usize, &mut [T]) + Sync),
) {
    let rows = values.len() / width.max(1);
    if rows <= least.max(unit) || rayon::current_num_threads() == 1 {
        if rows > 0 {
            work(first, values);
        }
        return;
    }
    let half = (rows / 2).next_multiple_of(unit).min(rows);
    let (left, right) = values.split_at_mut(half * width);
    rayon::join(
        || split(left, width, unit, least, first, work),
        || split(right, width, unit, least, first + half, work),
    );
}

/// Multiplications below which one thread is faster than two: about 30 µs of one core. The other one has to wake up, and to fetch what
/// this one has just written.
const SERIAL: usize = 1 << 21;

/// The most rows of a piece: all of them if so many multiplications in all are not worth a second thread, else
/// about four pieces a thread, so that the last one is short.
pub fn rows_per_task(rows: usize, multiplications: usize, unit: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || multiplications < SERIAL {
        return rows;
    }
    let pieces = (4 * threads).min(multiplications / (SERIAL / 4)).max(1);
    rows.div_ceil(pieces).next_multiple_of(unit)
}
