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

    /// `head`: the columns; rows whose first cell is that of the row above belong together.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<Cell>]) {
        self.0.push_str("<div class=\"wide\"><table><thead><tr>");
        for (i, title) in head.iter().enumerate() {
            let class = rows.first().and_then(|row| row.get(i)).map_or("", |c| c.class);
            let _ = write!(self.0, "<th class=\"{class}\">{}</th>", escaped(title));
        }
        self.0.push_str("</tr></thead><tbody>\n");
        let mut above = None;
        for row in rows {
            let first = row.first().map(|c| c.text.as_str());
            let repeated = first.is_some() && first == above;
            above = first;
            self.0.push_str(if repeated { "<tr>" } else { "<tr class=\"group\">" });
            for (i, cell) in row.iter().enumerate() {
                let text = if i == 0 && repeated { String::new() } else { escaped(&cell.text) };
                let _ = write!(self.0, "<td class=\"{}\">{text}", cell.class);
                if !cell.note.is_empty() {
                    let _ = write!(self.0, "<br/><small>{}</small>", escaped(&cell.note));
                }
                self.0.push_str("</td>");
            }
            self.0.push_str("</tr>\n");
        }
        self.0.push_str("</tbody></table></div>\n");
    }
}

#[derive(Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// A second, smaller line.
    pub(super) note: String,
    pub(super) class: &'static str,
}

pub(super) fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

pub(super) fn name(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), class: "name", ..Cell::default() }
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
