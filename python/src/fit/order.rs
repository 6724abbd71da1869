//! The order of the examples, drawn as NumPy's `RandomState.shuffle` draws it: the same seed gives scikit-learn's batches.

/// Words of the state.
pub const WORDS: usize = 624;
const MIDDLE: usize = 397;

/// MT19937 (Matsumoto and Nishimura 1998), the generator behind `numpy.random.RandomState`.
#[derive(Clone, Debug)]
pub struct Twister {
    key: [u32; WORDS],
    /// The next word to hand out.
    position: usize,
}

impl Twister {
    /// From a state of `RandomState.get_state()`; `None` if it is none.
    pub fn from_state(key: &[u32], position: usize) -> Option<Self> {
        let key = key.try_into().ok()?;
        (position <= WORDS).then_some(Self { key, position })
    }

    /// The state, for `RandomState.set_state`.
    pub fn state(&self) -> (Vec<u32>, usize) {
        (self.key.to_vec(), self.position)
    }

    fn next(&mut self) -> u32 {
        if self.position == WORDS {
            self.twist();
        }
        let mut y = self.key[self.position];
        self.position += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for k in 0..WORDS {
            let y = (self.key[k] & 0x8000_0000) | (self.key[(k + 1) % WORDS] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[k] = self.key[(k + MIDDLE) % WORDS] ^ (y >> 1) ^ odd;
        }
        self.position = 0;
    }

    /// Evenly from 0 to `most`: words cut to its length until one is not above it.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let drawn = self.next() & mask;
            if drawn <= most {
                return drawn;
            }
        }
    }

    /// Fisher and Yates, from the back.
    pub fn shuffle(&mut self, order: &mut [u32]) {
        for i in (1..order.len()).rev() {
            let j = self.up_to(i as u32) as usize;
            order.swap(i, j);
        }
    }
}
