//! Lists of words, looked up by whole word, by beginning, or, where a script writes no spaces, by part.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A list that is made when it is first asked.
pub(crate) type Words = LazyLock<WordList>;

/// Words of one meaning.
pub(crate) struct WordList {
    whole: HashSet<&'static str>,
    /// By their first letter, for beginnings.
    listed: Vec<&'static str>,
    /// Those that stand without spaces.
    parts: Vec<&'static str>,
}

impl WordList {
    /// Of words parted by spaces.
    pub(crate) fn of(words: &'static str) -> Self {
        let mut listed: Vec<&str> = words.split_whitespace().collect();
        listed.sort_unstable();
        let parts =
            listed.iter().copied().filter(|word| word.chars().any(|c| u32::from(c) >= 0x2e80)).collect();
        Self { whole: listed.iter().copied().collect(), listed, parts }
    }

    /// Whether a word is in it.
    pub(crate) fn contains(&self, word: &str) -> bool {
        self.whole.contains(word)
    }

    /// Whether a word begins with one of it.
    pub(crate) fn begins(&self, word: &str) -> bool {
        // A beginning sorts before the word and shares its first letter.
        let end = self.listed.partition_point(|known| *known <= word);
        let first = word.chars().next();
        let near = self.listed[..end].iter().rev().take_while(|known| known.chars().next() == first);
        near.into_iter().any(|known| word.starts_with(known))
    }

    /// Whether a text contains one of those that stand without spaces.
    pub(crate) fn is_part_of(&self, text: &str) -> bool {
        !text.is_ascii() && self.parts.iter().any(|known| text.contains(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_by_beginning_and_as_part() {
        let list = WordList::of("leak race racing 漏洞");
        assert!(list.contains("leak") && !list.contains("leaks"));
        assert!(list.begins("leaks") && list.begins("racecar") && !list.begins("rac"));
        assert!(list.is_part_of("高危漏洞"));
    }
}
