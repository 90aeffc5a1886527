//! The few shapes of SVG that a chart needs. Text is escaped; numbers have one decimal at most, so that the same data give the same bytes.

/// A picture under construction.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
}

/// Where a text is held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The colours: for light ground, and for dark where the viewer asks for it.
const STYLE: &str = "text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}\
.t{font-size:15px;font-weight:600;fill:#1f2328}.g{stroke:#d0d7de;stroke-width:1}.x{stroke:#8c959f;stroke-width:1}\
.s{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.n{opacity:.22}.h{fill:#fff}\
.a{fill:#0072b2}.s.a{stroke:#0072b2}.b{fill:#d55e00}.s.b{stroke:#d55e00}.c{fill:#009e73}.s.c{stroke:#009e73}\
.d{fill:#b0619a}.s.d{stroke:#b0619a}.q{fill:#8c959f}.s.q{stroke:#8c959f}.s{fill:none!important}\
@media(prefers-color-scheme:dark){text{fill:#9198a1}.t{fill:#f0f6fc}.h{fill:#0d1117}.g{stroke:#30363d}.x{stroke:#656c76}\
.a{fill:#56b4e9}.s.a{stroke:#56b4e9}.b{fill:#e69f00}.s.b{stroke:#e69f00}.c{fill:#2ec4a0}.s.c{stroke:#2ec4a0}\
.d{fill:#dd8fc7}.s.d{stroke:#dd8fc7}.q{fill:#656c76}.s.q{stroke:#656c76}}";

impl Svg {
    /// A line between two points.
    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = ((number(from.0), number(from.1)), (number(to.0), number(to.1)));
        self.body.push_str(&format!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>\n"
        ));
    }

    /// A line through points.
    pub(super) fn path(&mut self, class: &str, dash: &str, points: &[(f64, f64)]) {
        let points: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        self.body.push_str(&format!("<polyline class=\"{class}\"{dash} points=\"{}\"/>\n", points.join(" ")));
    }

    /// A filled outline.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        self.body.push_str(&format!("<polygon class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }

    /// A filled rectangle by its corner, width and height.
    pub(super) fn rect(&mut self, class: &str, corner: (f64, f64), width: f64, height: f64) {
        let (x, y, w, h) = (number(corner.0), number(corner.1), number(width), number(height));
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>\n"
        ));
    }

    /// A filled circle.
    pub(super) fn dot(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let (x, y, r) = (number(at.0), number(at.1), number(radius));
        self.body.push_str(&format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>\n"));
    }

    /// A text by its baseline.
    pub(super) fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let (x, y) = (number(at.0), number(at.1));
        self.body.push_str(&format!("<text{class}{anchor} x=\"{x}\" y=\"{y}\">{}</text>\n", escape(text)));
    }

    /// The whole file.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (w, h, title) = (number(width), number(height), escape(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{title}\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n<rect class=\"h\" width=\"{w}\" height=\"{h}\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// A coordinate with one decimal at most.
fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    // No minus before a zero.
    let tenths = if tenths == 0.0 { 0.0 } else { tenths };
    format!("{tenths}")
}

/// Text as content or in quotes; what SVG does not allow is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("<a href=\"x\">&'\u{1b}[0m"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;[0m");
        assert_eq!([1.25, -0.01, 3.0].map(number), ["1.3", "0", "3"]);
    }
}
