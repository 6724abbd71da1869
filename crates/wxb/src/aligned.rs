//! Buffers that begin where a line of the cache begins.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::slice::{Iter, IterMut};

use crate::real::Real;

/// Bytes of a line, and of the widest vector.
const LINE: usize = 64;

/// A fixed number of numbers, the first at the beginning of a line of the cache: a vector of 512 bits is read from one
/// line then, not from two, which a large `Vec` (16 bytes into a page) would need for each of them.
pub struct Aligned<T> {
    /// Some that fill up a line, then the numbers.
    values: Vec<T>,
    first: usize,
}

impl<T: Real> Aligned<T> {
    /// So many zeros. As of a `Vec`, large ones take memory when they are used.
    pub fn zeros(length: usize) -> Self {
        if length == 0 { Self::default() } else { Self::repeat(T::ZERO, length) }
    }
}

impl<T: Clone> Aligned<T> {
    fn repeat(value: T, length: usize) -> Self {
        let mut values = vec![value; length + LINE / size_of::<T>() - 1];
        let aligned = values.as_ptr().align_offset(LINE);
        // Where no place is aligned, as a compiler may say while it evaluates, any does: this is speed alone.
        let first = aligned.min(values.len() - length);
        values.truncate(first + length);
        Self { values, first }
    }
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Self { values: vec![], first: 0 }
    }
}

impl<T: Clone> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        Self::from(&self[..])
    }
}

impl<T: Clone> FromIterator<T> for Aligned<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::from(&values.into_iter().collect::<Vec<T>>()[..])
    }
}

impl<T: Clone> From<&[T]> for Aligned<T> {
    fn from(values: &[T]) -> Self {
        let Some(value) = values.first() else { return Self::default() };
        let mut copy = Self::repeat(value.clone(), values.len());
        copy.clone_from_slice(values);
        copy
    }
}

impl<T: Clone> From<Vec<T>> for Aligned<T> {
    fn from(values: Vec<T>) -> Self {
        Self::from(&values[..])
    }
}

impl<T> From<Aligned<T>> for Vec<T> {
    fn from(Aligned { mut values, first }: Aligned<T>) -> Self {
        values.drain(..first);
        values
    }
}

impl<T: fmt::Debug> fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Aligned<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<'a, T> IntoIterator for &'a Aligned<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Aligned<T> {
    type Item = &'a mut T;
    type IntoIter = IterMut<'a, T>;

    fn into_iter(self) -> IterMut<'a, T> {
        self.iter_mut()
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.first..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_begin_at_a_line_too_and_have_the_same_numbers() {
        for length in [1, 3, 16, 17, 100_000] {
            let numbers = (0..length).map(|i| i as f32);
            let values: Aligned<f32> = numbers.clone().collect();
            for values in [values.clone(), values] {
                assert_eq!(values.as_ptr() as usize % LINE, 0, "{length}");
                assert!(values.iter().copied().eq(numbers.clone()), "{length}");
                assert!(numbers.clone().eq(Vec::from(values)), "{length}");
            }
            assert!(Aligned::<f64>::zeros(length).iter().eq(&vec![0.0; length]), "{length}");
        }
        assert!(Aligned::<f64>::zeros(0).is_empty());
    }
}
