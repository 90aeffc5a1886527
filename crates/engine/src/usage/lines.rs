//! Cuts a stream into lines of bounded length; a longer line is skipped as a whole.

/// Holds the unfinished line.
#[derive(Debug)]
pub(crate) struct Lines {
    held: Vec<u8>,
    max: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Keeping,
    Skipping,
}

impl Lines {
    pub(crate) fn new(max: usize) -> Self {
        Self { held: Vec::new(), max, state: State::Keeping }
    }

    /// Calls `line` for every line that ends in these bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let ended = piece.last() == Some(&b'\n');
            let text = if ended { &piece[..piece.len() - 1] } else { piece };
            match self.state {
                State::Keeping if self.held.len() + text.len() > self.max => {
                    self.held = Vec::new();
                    self.state = State::Skipping;
                }
                State::Keeping if ended && self.held.is_empty() => line(text),
                State::Keeping => self.held.extend_from_slice(text),
                State::Skipping => {}
            }
            if ended {
                if !self.held.is_empty() {
                    line(&self.held);
                    self.held.clear();
                }
                self.state = State::Keeping;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }
}
