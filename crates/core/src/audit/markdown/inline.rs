//! Text of one block, without its Markdown marks but with the knowledge of where they were.

/// A stretch of text that was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Code,
    Strong,
    Struck,
    /// A link, with where it goes.
    Link(String),
}

/// Plain text and its marks, in the order in which they end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inline {
    pub(crate) text: String,
    pub(crate) marks: Vec<(Mark, usize, usize)>,
}

impl Inline {
    /// Text without marks.
    pub(crate) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), marks: Vec::new() }
    }

    /// The strong stretches, in their order.
    pub(crate) fn strong(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.marks.iter().filter(|(mark, ..)| *mark == Mark::Strong).map(|&(_, from, to)| (from, to))
    }

    /// The code spans, the first hundred.
    pub(crate) fn code(&self) -> impl Iterator<Item = &str> {
        let spans = self.marks.iter().filter(|(mark, ..)| *mark == Mark::Code).take(100);
        spans.filter_map(|&(_, from, to)| self.text.get(from..to))
    }

    /// Where links go.
    pub(crate) fn links(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().filter_map(|(mark, ..)| match mark {
            Mark::Link(target) => Some(target.as_str()),
            Mark::Code | Mark::Strong | Mark::Struck => None,
        })
    }

    /// The strong stretch that the text begins with, after marks such as a tick at most: its bounds.
    pub(crate) fn lead(&self) -> Option<(usize, usize)> {
        let (from, to) = self.strong().next()?;
        let before = self.text.get(..from)?;
        (before.len() <= 16 && !before.contains(char::is_alphanumeric) && from < to).then_some((from, to))
    }

    /// Whether everything but punctuation is strong.
    pub(crate) fn is_all_strong(&self) -> bool {
        let (Some(first), Some(last)) = (self.strong().next(), self.strong().last()) else { return false };
        let outside = |text: &str| !text.contains(char::is_alphanumeric);
        let around =
            self.text.get(..first.0).is_some_and(outside) && self.text.get(last.1..).is_some_and(outside);
        let mut gaps = self.strong().zip(self.strong().skip(1));
        around && gaps.all(|((_, to), (from, _))| self.text.get(to..from).is_some_and(outside))
    }

    /// Whether at least half of the text is struck through.
    pub(crate) fn is_struck(&self) -> bool {
        let struck: usize = self
            .marks
            .iter()
            .filter(|(mark, ..)| *mark == Mark::Struck)
            .map(|&(_, from, to)| to - from)
            .sum();
        struck > 0 && struck * 2 >= self.text.trim().len()
    }

    /// The stretch of text from one byte to another, with the marks that lie in it.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        let text = self.text.get(from..to).unwrap_or_default().to_owned();
        let inside = self.marks.iter().filter(|&&(_, start, end)| start >= from && end <= to);
        Self {
            text,
            marks: inside.map(|(mark, start, end)| (mark.clone(), start - from, end - from)).collect(),
        }
    }

    /// The text with code spans blanked out, for judging words and not code.
    pub(crate) fn without_code(&self) -> String {
        let mut words = String::with_capacity(self.text.len());
        let mut at = 0;
        for &(_, from, to) in self.marks.iter().filter(|(mark, ..)| *mark == Mark::Code) {
            if from >= at {
                words.push_str(self.text.get(at..from).unwrap_or_default());
                words.push(' ');
                at = to;
            }
        }
        words.push_str(self.text.get(at..).unwrap_or_default());
        words
    }
}
