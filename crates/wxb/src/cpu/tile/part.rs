//! A tile of which a part is wanted goes through a buffer.

use super::{Block, Order, Start};
use crate::real::Real;

/// Where the element in row `i`, column `j` of the block lies in `c`.
#[inline(always)]
fn place<T>(block: &Block<'_, T>, i: usize, j: usize) -> usize {
    match block.order {
        Order::Rows => i * block.stride + j,
        Order::Columns => j * block.stride + i,
    }
}

/// The first sums of a tile of which a part is wanted, into the buffer.
///
/// # Safety
/// The buffer has room for `height` rows of `stride` numbers.
pub unsafe fn load_part<T: Real>(
    block: &Block<'_, T>,
    (i, height): (usize, usize),
    buffer: *mut T,
    stride: usize,
    c: &[T],
) {
    let width = block.panel.width;
    for k in 0..if let Start::Sum = block.start { height } else { 1 } {
        // SAFETY: height · stride is at most `BUFFER`, and a row has `width` numbers, at most `stride`.
        unsafe {
            let to = buffer.add(k * stride);
            match (block.start, block.order) {
                (Start::Zero, _) => to.write_bytes(0, width),
                (Start::Row(row), _) => to.copy_from_nonoverlapping(row[..width].as_ptr(), width),
                (Start::Sum, Order::Rows) => {
                    to.copy_from_nonoverlapping(c[place(block, i + k, 0)..][..width].as_ptr(), width);
                }
                (Start::Sum, Order::Columns) => {
                    (0..width).for_each(|j| to.add(j).write(c[place(block, i + k, j)]));
                }
            }
            to.add(width).write_bytes(0, stride - width);
        }
    }
}

/// The wanted part of a tile, out of the buffer.
///
/// # Safety
/// The buffer has room for `height` rows of `stride` numbers, and all are written.
pub unsafe fn store_part<T: Real>(
    block: &Block<'_, T>,
    (i, height): (usize, usize),
    buffer: *const T,
    stride: usize,
    c: &mut [T],
) {
    let width = block.panel.width;
    if block.order == Order::Rows {
        for k in 0..height {
            // SAFETY: height · stride is at most `BUFFER`, and the tile has written all of it.
            let row = unsafe { std::slice::from_raw_parts(buffer.add(k * stride), width) };
            c[place(block, i + k, 0)..][..width].copy_from_slice(row);
        }
        return;
    }
    for j in 0..width {
        for k in 0..height {
            // SAFETY: as above.
            c[place(block, i + k, j)] = unsafe { *buffer.add(k * stride + j) };
        }
    }
}
