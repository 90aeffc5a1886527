//! Pictures: a chart as data, drawn as SVG or as text for a terminal. The drawing is our own, of a few shapes, because what is needed is
//! small and has to be the same bytes for the same data: a library for charts brings fonts, rasters and a layout that changes with its
//! version. Readable on light and dark ground (the file asks the viewer), in colours that colour-blind people tell apart (Okabe and Ito).

mod draw;
mod pictures;
mod scale;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use draw::svg;
pub(crate) use pictures::{BurnUp, burn_up, calibration, history, leaderboard};
pub(crate) use text::{bar, interval};

use crate::output::Failure;
use jiff::civil::Date;
use std::path::Path;

/// A picture as data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// Above it.
    pub(crate) title: String,
    /// Below the title: what the data are, in a few words.
    pub(crate) note: String,
    /// From left to right.
    pub(crate) x: Axis,
    /// From bottom to top.
    pub(crate) y: Axis,
    /// What is drawn, the later above the earlier.
    pub(crate) marks: Vec<Mark>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Axis {
    /// Numbers from the first to the last, with what they are.
    Numbers { label: String, from: f64, to: f64 },
    /// Whole days from this one on; day `n` has the place `n`.
    Days { first: Date, count: u32 },
    /// Names, each at its index, the first one on top.
    Names(Vec<String>),
}

/// A colour by its part in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    First,
    Second,
    Third,
    Fourth,
    Quiet,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::First => "a",
            Self::Second => "b",
            Self::Third => "c",
            Self::Fourth => "d",
            Self::Quiet => "q",
        }
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    Solid,
    Dashed,
}

/// Something that is drawn. A name makes a line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    /// Bars from the ground, side by side with the other bars of the same place.
    Bars { name: &'static str, tone: Tone, values: Vec<(f64, f64)> },
    /// A line through points.
    Line { name: &'static str, tone: Tone, stroke: Stroke, points: Vec<(f64, f64)> },
    /// The room between two lines: place, low, high.
    Band { name: &'static str, tone: Tone, points: Vec<(f64, f64, f64)> },
    /// Points.
    Dots { name: &'static str, tone: Tone, points: Vec<(f64, f64)> },
    /// Middles with their intervals, across: place on the y axis, low, middle, high.
    Spans { name: &'static str, tone: Tone, rows: Vec<(f64, f64, f64, f64)> },
    /// An upright line with a word.
    Upright { word: &'static str, tone: Tone, at: f64 },
}

impl Mark {
    /// Its line of the legend, with the class of its colour.
    fn legend(&self) -> Option<(&'static str, String)> {
        let (name, class) = match self {
            Self::Band { name, tone, .. } => (*name, format!("n {}", tone.class())),
            Self::Bars { name, tone, .. }
            | Self::Line { name, tone, .. }
            | Self::Dots { name, tone, .. }
            | Self::Spans { name, tone, .. } => (*name, tone.class().to_owned()),
            Self::Upright { .. } => return None,
        };
        (!name.is_empty()).then_some((name, class))
    }
}

/// Writes a chart to a file.
pub(crate) fn save(chart: &Chart, file: &Path) -> anyhow::Result<()> {
    if file.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("svg")) {
        return Err(Failure::usage(
            format!("{} is no name for a picture", file.display()),
            "pictures are SVG: write --plot FILE.svg",
        ));
    }
    std::fs::write(file, svg(chart))
        .map_err(|error| anyhow::Error::new(error).context(format!("cannot write {}", file.display())))
}
