//! Random numbers: ChaCha8 streams keyed by (seed, purpose, index), never a global generator. The key is the
//! whole state, so a resumed run draws what an unbroken one would have drawn.

pub use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What a stream is used for; streams of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; index: the layer.
    Init = 1,
    /// The order of the examples; index: the epoch.
    Shuffle = 2,
    /// Dropout masks; index: the step, mixed with the layer.
    Dropout = 3,
    /// Splits into training, validation and folds; index: 0.
    Split = 4,
    /// Rows or entries sampled for a check or a statistic; index: as the caller says.
    Sample = 5,
    /// Generated data; index: the data set.
    Demo = 6,
}

/// The stream of (seed, purpose, index).
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// An integer in `0..n` without bias (Lemire's multiply-and-reject); `n > 0`.
pub fn below(rng: &mut impl Rng, n: u32) -> u32 {
    let mut product = u64::from(rng.next_u32()) * u64::from(n);
    if (product as u32) < n {
        let threshold = n.wrapping_neg() % n;
        while (product as u32) < threshold {
            product = u64::from(rng.next_u32()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

/// Puts the items in random order (Fisher and Yates).
pub fn shuffle<I>(rng: &mut impl Rng, items: &mut [I]) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(rng, i as u32 + 1) as usize);
    }
}

/// A number uniform in [0, 1).
pub fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        assert_eq!(draw(1, Purpose::Init, 0), draw(1, Purpose::Init, 0));
        assert_ne!(draw(1, Purpose::Init, 0), draw(2, Purpose::Init, 0));
        assert_ne!(draw(1, Purpose::Init, 0), draw(1, Purpose::Shuffle, 0));
        assert_ne!(draw(1, Purpose::Init, 0), draw(1, Purpose::Init, 1));
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut items: Vec<u32> = (0..100).collect();
        shuffle(&mut stream(7, Purpose::Shuffle, 0), &mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
