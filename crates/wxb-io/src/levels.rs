//! Distinct texts.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use wxb::data::{MISSING, TextColumn};

/// Distinct texts, numbered in the order of their appearance. Each text is stored once: the hash table holds
/// numbers only.
#[derive(Default)]
pub(crate) struct Levels {
    pub(crate) texts: Vec<String>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Levels {
    /// The number of a text, if it was seen.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        if self.texts.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(text);
        self.index.find(hash, |&code| self.texts[code as usize].as_bytes() == text).copied()
    }

    /// The number of a text; a new one gets the next.
    pub(crate) fn code(&mut self, text: String) -> u32 {
        match self.find(text.as_bytes()) {
            Some(code) => code,
            None => self.add(text),
        }
    }

    /// Adds a text that was not found.
    pub(crate) fn add(&mut self, text: String) -> u32 {
        let code = self.texts.len() as u32;
        let hash = self.hasher.hash_one(text.as_bytes());
        self.texts.push(text);
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.index.insert_unique(hash, code, |&c| hasher.hash_one(texts[c as usize].as_bytes()));
        code
    }
}

/// A column of texts; `None` is missing.
pub(crate) fn text_column<T: AsRef<str>>(texts: impl Iterator<Item = Option<T>>) -> TextColumn {
    let mut levels = Levels::default();
    let mut code = |text: T| match levels.find(text.as_ref().as_bytes()) {
        Some(code) => code,
        None => levels.add(text.as_ref().to_owned()),
    };
    let codes = texts.map(|text| text.map_or(MISSING, &mut code)).collect();
    TextColumn { codes, levels: levels.texts }
}
