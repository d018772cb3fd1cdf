//! What a page is put together from: headings, paragraphs, pictures, tables.

use std::fmt::Write as _;

use crate::compare::agreement::Figure;

/// A page under construction; writing to a String cannot fail, so results of `write!` carry nothing.
pub(super) struct Page(pub(super) String);

impl Page {
    pub(super) fn heading(&mut self, id: &str, text: &str) {
        let _ = writeln!(self.0, "<h2 id=\"{id}\">{}</h2>", escaped(text));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p>{}</p>", escaped(text));
    }

    pub(super) fn picture(&mut self, svg: &str, caption: &str) {
        let caption = escaped(caption);
        let _ = writeln!(self.0, "<figure>{svg}<figcaption>{caption}</figcaption></figure>");
    }

    /// `head`: the columns; each row its cells with their classes.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<Cell>]) {
        self.0.push_str("<div class=\"wide\"><table><thead><tr>");
        for name in head {
            let _ = write!(self.0, "<th>{}</th>", escaped(name));
        }
        self.0.push_str("</tr></thead><tbody>\n");
        for row in rows {
            self.0.push_str("<tr>");
            for cell in row {
                let _ = write!(self.0, "<td class=\"{}\">{}</td>", cell.class, escaped(&cell.text));
            }
            self.0.push_str("</tr>\n");
        }
        self.0.push_str("</tbody></table></div>\n");
    }
}

pub(super) struct Cell {
    pub(super) text: String,
    pub(super) class: &'static str,
}

pub(super) fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), class: "" }
}

pub(super) fn name(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), class: "name" }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn decimals(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() }
}

pub(super) fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:.0}", 100.0 * value) } else { "–".to_owned() }
}

pub(super) fn with_interval(f: &Figure) -> String {
    let digits = if f.value.abs() < 10.0 { 2 } else { 1 };
    format!("{} ({} … {})", decimals(f.value, digits), decimals(f.interval.0, digits), decimals(f.interval.1, digits))
}
