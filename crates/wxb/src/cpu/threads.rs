//! Work for several threads: taken, not assigned, so that a busy neighbour costs its share and no more.

pub(crate) use super::team::{count, join};

/// Slices that belong together, cut into as many pieces: one piece of each for a member, a row, or some of them.
pub trait Cut: Send + Sized {
    /// How many pieces.
    fn pieces(&self) -> usize;
    /// The first `at` pieces, and the others.
    fn cut(self, at: usize) -> (Self, Self);
}

/// Pieces of so many numbers; the last one may be shorter.
pub struct Of<'a, T>(pub &'a [T], pub usize);

/// The same, to be written.
pub struct OfMut<'a, T>(pub &'a mut [T], pub usize);

impl<T: Sync> Cut for Of<'_, T> {
    fn pieces(&self) -> usize {
        self.0.len().div_ceil(self.1.max(1))
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let Self(values, of_piece) = self;
        let (first, others) = values.split_at((at * of_piece).min(values.len()));
        (Self(first, of_piece), Self(others, of_piece))
    }
}

impl<T: Send> Cut for OfMut<'_, T> {
    fn pieces(&self) -> usize {
        self.0.len().div_ceil(self.1.max(1))
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let Self(values, of_piece) = self;
        let at = (at * of_piece).min(values.len());
        let (first, others) = values.split_at_mut(at);
        (Self(first, of_piece), Self(others, of_piece))
    }
}

macro_rules! cut_together {
    ($($part:ident),+) => {
        /// As many pieces as the first has.
        #[allow(non_snake_case, reason = "a part is named as its type")]
        impl<$($part: Cut),+> Cut for ($($part,)+) {
            fn pieces(&self) -> usize {
                self.0.pieces()
            }

            fn cut(self, at: usize) -> (Self, Self) {
                let ($($part,)+) = self;
                $(let $part = $part.cut(at);)+
                (($($part.0,)+), ($($part.1,)+))
            }
        }
    };
}

impl<P: Cut, const N: usize> Cut for [P; N] {
    fn pieces(&self) -> usize {
        self[0].pieces()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let mut others = [const { None }; N];
        let mut place = 0;
        let first = self.map(|part| {
            let (first, other) = part.cut(at);
            others[place] = Some(other);
            place += 1;
            first
        });
        (first, others.map(|other| other.expect("each part is cut")))
    }
}

cut_together!(A, B);
cut_together!(A, B, C);
cut_together!(A, B, C, D);
cut_together!(A, B, C, D, E);
cut_together!(A, B, C, D, E, F);
cut_together!(A, B, C, D, E, F, G);
cut_together!(A, B, C, D, E, F, G, H);

/// Cuts slices in halves until a part has at most `least` pieces; whichever thread is free takes the next one. `work` gets the
/// number of a part's first piece, and the part.
pub fn each<P: Cut>(parts: P, least: usize, work: &(impl Fn(usize, P) + Sync)) {
    let pieces = parts.pieces();
    // Of longer slices, what belongs to these pieces.
    halves(parts.cut(pieces).0, least.max(1), 0, work);
}

fn halves<P: Cut>(parts: P, least: usize, first: usize, work: &(impl Fn(usize, P) + Sync)) {
    let pieces = parts.pieces();
    if pieces <= least {
        if pieces > 0 {
            work(first, parts);
        }
        return;
    }
    let half = (pieces / 2).next_multiple_of(least).min(pieces);
    let (left, right) = parts.cut(half);
    join(|| halves(left, least, first, work), || halves(right, least, first + half, work));
}

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
    if rows <= least.max(unit) || count() == 1 {
        if rows > 0 {
            work(first, values);
        }
        return;
    }
    let half = (rows / 2).next_multiple_of(unit).min(rows);
    let (left, right) = values.split_at_mut(half * width);
    join(
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
    let threads = count();
    if threads == 1 || multiplications < SERIAL {
        return rows;
    }
    let pieces = (4 * threads).min(multiplications / (SERIAL / 4)).max(1);
    rows.div_ceil(pieces).next_multiple_of(unit)
}
