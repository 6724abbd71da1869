//! Distinct texts.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use wxb::data::TextColumn;

/// Distinct texts, numbered in the order of their appearance. Each text is stored once: the hash table holds
/// numbers only.
#[derive(Default)]
pub(crate) struct Levels {
    pub(crate) texts: Vec<String>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Levels {
    /// No texts yet, with the hashes of another: a text that both are asked for is hashed once.
    pub(crate) fn hashing_like(other: &Levels) -> Self {
        Self { texts: vec![], index: HashTable::new(), hasher: other.hasher.clone() }
    }

    /// The hash of a text, for [`Levels::find`] and [`Levels::add`].
    pub(crate) fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.hash_one(text)
    }

    /// The number of a text, if it was seen.
    pub(crate) fn find(&self, hash: u64, text: &[u8]) -> Option<u32> {
        self.index.find(hash, |&code| self.texts[code as usize].as_bytes() == text).copied()
    }

    /// Adds a text that was not found.
    pub(crate) fn add(&mut self, hash: u64, text: String) -> u32 {
        let code = self.texts.len() as u32;
        self.texts.push(text);
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.index.insert_unique(hash, code, |&c| hasher.hash_one(texts[c as usize].as_bytes()));
        code
    }

    /// The number of a text; a new one gets the next.
    pub(crate) fn code<T: AsRef<str> + Into<String>>(&mut self, text: T) -> u32 {
        let hash = self.hash(text.as_ref().as_bytes());
        match self.find(hash, text.as_ref().as_bytes()) {
            Some(code) => code,
            None => self.add(hash, text.into()),
        }
    }
}

/// A column of texts.
pub(crate) fn text_column(texts: impl Iterator<Item = String>) -> TextColumn {
    let mut levels = Levels::default();
    let codes = texts.map(|text| levels.code(text)).collect();
    TextColumn { codes, levels: levels.texts }
}
