//! Makes closed enums that are written as one lower-case word each: in JSON, on labels and on the command line.

/// A word that is not one of those an enum knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}; write one of: {known}")]
pub struct UnknownWord {
    word: String,
    what: &'static str,
    known: String,
}

impl UnknownWord {
    pub(crate) fn new(word: &str, what: &'static str, known: &[&str]) -> Self {
        Self { word: word.chars().take(40).collect(), what, known: known.join(", ") }
    }
}

/// Declares a closed enum and its words; `Display`, `FromStr` and serde all speak the same ones.
macro_rules! closed_words {
    (
        $(#[$meta:meta])*
        $what:literal $name:ident { $( $(#[$variant_meta:meta])* $variant:ident => $word:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $( $(#[$variant_meta])* #[serde(rename = $word)] $variant, )+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The word for this value.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::audit::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $( $word => Ok(Self::$variant), )+
                    other => Err($crate::audit::UnknownWord::new(other, $what, &[ $( $word, )+ ])),
                }
            }
        }
    };
}

pub(crate) use closed_words;
