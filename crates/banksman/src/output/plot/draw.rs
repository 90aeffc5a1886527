//! Draws a chart as SVG: head, legend, grid, axes, marks.

use super::{
    Axis, Chart, Mark, Stroke,
    scale::{range, ticks},
    svg::{Anchor, Svg},
};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 52.0;
/// Height of one row where the y axis has names.
const ROW: f64 = 34.0;
/// About the width of a letter.
const LETTER: f64 = 6.6;

/// The plane that marks are drawn in.
struct Plane {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Plane {
    fn x(&self, value: f64) -> f64 {
        self.left + (value - self.x.0) / (self.x.1 - self.x.0) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (value - self.y.0) / (self.y.1 - self.y.0) * (self.bottom - self.top)
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }
}

/// The chart as a file.
pub(crate) fn svg(chart: &Chart) -> String {
    let legend: Vec<_> = chart.marks.iter().filter_map(Mark::legend).collect();
    let labelled = matches!(&chart.y, Axis::Numbers { label, .. } if !label.is_empty());
    let top = 62.0 + if legend.is_empty() { 0.0 } else { 24.0 } + if labelled { 18.0 } else { 0.0 };
    let (left, height) = match &chart.y {
        Axis::Names(names) => {
            let longest = names.iter().map(|name| name.chars().count().min(34)).max().unwrap_or(0);
            (28.0 + longest as f64 * LETTER, top + BOTTOM + ROW * names.len().max(1) as f64)
        }
        Axis::Numbers { .. } | Axis::Days { .. } => (56.0, HEIGHT),
    };
    let plane = Plane {
        left,
        right: WIDTH - RIGHT,
        top,
        bottom: height - BOTTOM,
        x: range(&chart.x),
        y: range(&chart.y),
    };
    let mut out = Svg::default();
    out.text("t", Anchor::Start, (16.0, 26.0), &chart.title);
    out.text("", Anchor::Start, (16.0, 46.0), &chart.note);
    let mut at = 16.0;
    for (name, class) in &legend {
        out.rect(class, (at, 59.0), 11.0, 11.0);
        out.text("", Anchor::Start, (at + 17.0, 69.0), name);
        at += 17.0 + name.chars().count() as f64 * LETTER + 18.0;
    }
    grid(&mut out, &plane, chart);
    for mark in &chart.marks {
        draw(&mut out, &plane, mark, chart);
    }
    out.line("x", (plane.left, plane.bottom), (plane.right, plane.bottom));
    out.finish(WIDTH, height, &chart.title)
}

fn grid(out: &mut Svg, plane: &Plane, chart: &Chart) {
    for (at, label) in ticks(&chart.y, 6) {
        let y = plane.y(at);
        out.line("g", (plane.left, y), (plane.right, y));
        let label: String = label.chars().take(34).collect();
        out.text("", Anchor::End, (plane.left - 8.0, y + 4.0), &label);
    }
    for (at, label) in ticks(&chart.x, 8) {
        let x = plane.x(at);
        if !matches!(chart.x, Axis::Days { .. }) {
            out.line("g", (x, plane.top), (x, plane.bottom));
        }
        out.text("", Anchor::Middle, (x, plane.bottom + 18.0), &label);
    }
    if let Axis::Numbers { label, .. } = &chart.x {
        out.text("", Anchor::End, (plane.right, plane.bottom + 38.0), label);
    }
    if let Axis::Numbers { label, .. } = &chart.y {
        out.text("", Anchor::Start, (16.0, plane.top - 13.0), label);
    }
}

fn draw(out: &mut Svg, plane: &Plane, mark: &Mark, chart: &Chart) {
    match mark {
        Mark::Bars { tone, values, .. } => {
            let all = chart.marks.iter().filter(|m| matches!(m, Mark::Bars { .. }));
            let count = all.clone().count().max(1) as f64;
            let place = all.take_while(|other| *other != mark).count() as f64;
            let width = (plane.x(1.0) - plane.x(0.0)) * 0.8 / count;
            for (x, value) in values.iter().filter(|(_, value)| *value > 0.0) {
                let left = plane.x(*x) + (place - count / 2.0) * width;
                let top = plane.y(*value);
                out.rect(tone.class(), (left, top), (width - 1.0).max(1.0), plane.bottom - top);
            }
        }
        Mark::Line { tone, stroke, points, .. } => {
            let dash = match stroke {
                Stroke::Solid => "",
                Stroke::Dashed => "5 5",
            };
            let points: Vec<_> = points.iter().map(|point| plane.at(*point)).collect();
            out.path(&format!("s {}", tone.class()), dash, &points);
        }
        Mark::Band { tone, points, .. } => {
            let low = points.iter().map(|(x, low, _)| plane.at((*x, *low)));
            let high = points.iter().rev().map(|(x, _, high)| plane.at((*x, *high)));
            out.area(&format!("n {}", tone.class()), &low.chain(high).collect::<Vec<_>>());
        }
        Mark::Dots { tone, points, .. } => {
            points.iter().for_each(|point| out.dot(tone.class(), plane.at(*point), 4.0));
        }
        Mark::Spans { tone, rows, .. } => {
            for (y, low, middle, high) in rows {
                let class = format!("s {}", tone.class());
                let (left, right, y) = (plane.x(*low), plane.x(*high), plane.y(*y));
                out.line(&class, (left, y), (right, y));
                out.line(&class, (left, y - 5.0), (left, y + 5.0));
                out.line(&class, (right, y - 5.0), (right, y + 5.0));
                out.dot(tone.class(), (plane.x(*middle), y), 5.0);
            }
        }
        Mark::Upright { word, tone, at } => {
            let x = plane.x(*at);
            out.path(&format!("s {}", tone.class()), "2 4", &[(x, plane.top), (x, plane.bottom)]);
            // Inside the picture also at its right end.
            let (anchor, x) =
                if x > plane.right - 40.0 { (Anchor::End, x - 4.0) } else { (Anchor::Start, x + 4.0) };
            out.text("", anchor, (x, plane.top + 10.0), word);
        }
    }
}
