//! What a page is put together from: headings, paragraphs, pictures, tables.

use std::fmt::Write as _;

use crate::compare::figure::Figure;

/// A page under construction; writing to a String cannot fail, so results of `write!` carry nothing.
pub(crate) struct Page(pub(crate) String);

const STYLE: &str = include_str!("page.css");

impl Page {
    /// A page with its title.
    pub(crate) fn begin(title: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
             <title>{title}</title><style>\n{STYLE}</style></head><body><main>\n<h1>{title}</h1>\n"
        ))
    }

    /// The finished page.
    pub(crate) fn end(mut self) -> String {
        self.0.push_str("</main></body></html>\n");
        self.0
    }

    pub(crate) fn heading(&mut self, id: &str, text: &str) {
        let _ = writeln!(self.0, "<h2 id=\"{id}\">{}</h2>", escaped(text));
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p>{}</p>", escaped(text));
    }

    pub(crate) fn picture(&mut self, svg: &str, caption: &str) {
        let caption = escaped(caption);
        let _ = writeln!(self.0, "<figure>{svg}<figcaption>{caption}</figcaption></figure>");
    }

    /// `head`: the columns; rows whose first cell is that of the row above belong together.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<Cell>]) {
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
                let ground = cell.ground.map_or_else(String::new, ground);
                let _ = write!(self.0, "<td class=\"{}\"{ground}>{text}", cell.class);
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
pub(crate) struct Cell {
    pub(crate) text: String,
    /// A second, smaller line.
    pub(crate) note: String,
    pub(crate) class: &'static str,
    /// From −1 to 1: blue to red behind the text.
    pub(crate) ground: Option<f64>,
}

fn ground(value: f64) -> String {
    let (r, g, b) = if value > 0.0 { (213, 94, 0) } else { (0, 114, 178) };
    format!(" style=\"background:rgba({r},{g},{b},{:.2})\"", 0.7 * value.abs().min(1.0))
}

pub(crate) fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

pub(crate) fn name(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), class: "name", ..Cell::default() }
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) fn decimals(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() }
}

pub(crate) fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:.0}", 100.0 * value) } else { "–".to_owned() }
}

pub(crate) fn with_interval(f: &Figure) -> String {
    let digits = if f.value.abs() < 10.0 { 2 } else { 1 };
    format!("{} ({} … {})", decimals(f.value, digits), decimals(f.interval.0, digits), decimals(f.interval.1, digits))
}
