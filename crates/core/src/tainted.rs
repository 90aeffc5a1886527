//! Text that strangers may have written. The type cannot be printed, logged, compared, cloned or serialised; the few ways
//! out are named after the one place where the text may go (S5, S7, S8).

/// Untrusted text on its way from one allowed slot to another. Deliberately without `Debug`, `Display`, `Clone`, `Serialize`.
pub struct Tainted(String);

impl Tainted {
    /// Wraps text from outside.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// For the forge: the title or body slot of an issue, comment or review thread.
    pub fn into_forge_slot(self) -> String {
        self.0
    }

    /// For the engine: the bytes of the file in the attempt's task folder, written by a step that decides nothing (S8).
    pub fn into_task_file(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// For a parser in this crate that reads structure out of the text and drops the rest.
    pub fn structure<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        read(&self.0)
    }
}
