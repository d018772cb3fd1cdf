//! What a page is put together from: headings, paragraphs, pictures, tables; in the dress of the page of a run, with a list
//! of its headings.

use std::fmt::Write as _;

use crate::compare::figure::Figure;

/// A page under construction: its body, and its headings; writing to a String cannot fail, so results of `write!` carry
/// nothing.
pub(crate) struct Page {
    pub(crate) body: String,
    title: String,
    headings: Vec<(String, String)>,
}

const STYLE: &str = concat!(
    include_str!("../page/style/base.css"),
    include_str!("../page/style/parts.css"),
    include_str!("../page/style/print.css"),
    include_str!("page.css")
);

impl Page {
    /// A page with its title.
    pub(crate) fn begin(title: &str) -> Self {
        Self { body: String::new(), title: escaped(title), headings: Vec::new() }
    }

    /// The finished page.
    pub(crate) fn end(self) -> String {
        let Self { body, title, headings } = self;
        let entry = |(id, text): &(String, String)| format!("<a href=\"#{id}\">{text}</a>");
        let contents: String = headings.iter().map(entry).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
             <meta name=\"color-scheme\" content=\"light dark\"/>\
             <title>{title}</title><style>\n{STYLE}</style></head><body>\n\
             <header class=\"top\"><div class=\"wide\"><h1>{title}</h1></div></header>\n\
             <nav class=\"contents\" aria-label=\"Contents\"><div class=\"wide\">{contents}</div></nav>\n\
             <main class=\"wide\">\n{body}</main></body></html>\n"
        )
    }

    pub(crate) fn heading(&mut self, id: &str, text: &str) {
        let text = escaped(text);
        let _ = writeln!(self.body, "<h2 id=\"{id}\">{text}</h2>");
        self.headings.push((id.to_owned(), text));
    }

    /// What the colours (CSS) of the pictures mean. The words have the colour of the text, which can always be read.
    pub(crate) fn legend<'l>(&mut self, entries: impl Iterator<Item = (&'l str, String)>) {
        self.body.push_str("<p class=\"legend\">");
        for (label, colour) in entries {
            let mark = format!("<b style=\"color:{colour}\" aria-hidden=\"true\">■</b>");
            let _ = write!(self.body, "<span>{mark} {}</span> ", escaped(label));
        }
        self.body.push_str("</p>\n");
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escaped(text));
    }

    pub(crate) fn picture(&mut self, svg: &str, caption: &str) {
        let caption = escaped(caption);
        let _ = writeln!(
            self.body,
            "<figure><div class=\"scroll paper\" tabindex=\"0\" role=\"region\" aria-label=\"Picture: {caption}\">{svg}</div><figcaption>{caption}</figcaption></figure>"
        );
    }

    /// `head`: the columns; rows whose first cell is that of the row above belong together.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<Cell>]) {
        let about = self.headings.last().map_or("", |(_, text)| text.as_str());
        let _ = write!(
            self.body,
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: {about}\"><table><thead><tr>"
        );
        for (i, title) in head.iter().enumerate() {
            let class = rows.first().and_then(|row| row.get(i)).map_or("", |c| c.class);
            let cell = if title.is_empty() { "<td></td>".to_owned() } else { head_cell(title, class) };
            self.body.push_str(&cell);
        }
        self.body.push_str("</tr></thead><tbody>\n");
        let mut above = None;
        for row in rows {
            let first = row.first().map(|c| c.text.as_str());
            let repeated = first.is_some() && first == above;
            above = first;
            self.body.push_str(if repeated { "<tr>" } else { "<tr class=\"group\">" });
            for (i, cell) in row.iter().enumerate() {
                let text = if i == 0 && repeated { String::new() } else { escaped(&cell.text) };
                let ground = cell.ground.map_or_else(String::new, ground);
                let _ = write!(self.body, "<td class=\"{}\"{ground}>{text}", cell.class);
                if !cell.note.is_empty() {
                    let _ = write!(self.body, "<br/><small>{}</small>", escaped(&cell.note));
                }
                self.body.push_str("</td>");
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody></table></div>\n");
    }
}

fn head_cell(title: &str, class: &str) -> String {
    format!("<th scope=\"col\" class=\"{class}\">{}</th>", escaped(title))
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
