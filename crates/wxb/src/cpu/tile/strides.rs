//! The strides of L that the innermost loop knows.

use super::Lhs;

/// How L lies, as far as the compiler is to know: a stride that it knows takes no register. Where it knows none, a step of 8 × 3
/// vectors has nine instructions more, to fetch addresses, which count when another program works on the same core and the
/// instructions of both take turns.
pub trait Strides {
    /// Whether one of them is 1.
    const ARE_KNOWN: bool;
    /// Whether the rows lie side by side, so that one pointer reaches them all.
    const ONE_POINTER: bool;
    /// From row to row, and from step to step.
    fn of<T>(lhs: Lhs<'_, T>) -> [usize; 2];
}

/// As they are.
pub struct Any;
/// L row-major.
pub struct Rows;
/// L column-major.
pub struct Columns;

impl Strides for Any {
    const ARE_KNOWN: bool = false;
    const ONE_POINTER: bool = false;

    #[inline(always)]
    fn of<T>(Lhs { row_stride, depth_stride, .. }: Lhs<'_, T>) -> [usize; 2] {
        [row_stride, depth_stride]
    }
}

impl Strides for Rows {
    const ARE_KNOWN: bool = true;
    const ONE_POINTER: bool = false;

    #[inline(always)]
    fn of<T>(Lhs { row_stride, .. }: Lhs<'_, T>) -> [usize; 2] {
        [row_stride, 1]
    }
}

impl Strides for Columns {
    const ARE_KNOWN: bool = true;
    const ONE_POINTER: bool = true;

    #[inline(always)]
    fn of<T>(Lhs { depth_stride, .. }: Lhs<'_, T>) -> [usize; 2] {
        [1, depth_stride]
    }
}
