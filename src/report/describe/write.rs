//! A description as Markdown and as a table with tabs.

use super::Description;
use super::item::Entry;

/// What stands where nobody knows.
const TO_FILL_IN: &str = "to be filled in";

/// The first line of a description as Markdown, by which an earlier one is known.
pub const MARKDOWN_BEGIN: &str = "# What MRSinMRS asks for";
/// The same of a table.
pub const TSV_BEGIN: &str = "protocol\tlabel\titem\ttitle\ttext\tfrom\tmissing";

/// What an entry has to say, what is missing included.
fn said(entry: &Entry) -> String {
    let missing = entry.missing.as_ref().map(|missing| format!("{TO_FILL_IN}: {missing}"));
    match (&entry.text, missing) {
        (Some(text), Some(missing)) => format!("{text}; {missing}"),
        (text, missing) => text.clone().or(missing).unwrap_or_default(),
    }
}

/// Text that came out of files, as Markdown prints it: letters stay letters. Code marks (of columns and settings) stay marks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '\\' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' | '\t' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The same, where parts between backticks are code: nothing in them is escaped but what would end a cell.
fn with_code(text: &str) -> String {
    // An odd number of backticks is no code: somebody's own.
    if text.matches('`').count() % 2 == 1 {
        return escaped(text).replace('`', "\\`");
    }
    let parts = text.split('`').enumerate().map(|(i, part)| {
        if i % 2 == 0 {
            escaped(part)
        } else {
            format!("`{}`", part.replace('|', "\\|").replace(['\n', '\r', '\t'], " "))
        }
    });
    parts.collect()
}

/// A description as Markdown.
pub fn markdown(description: &Description) -> String {
    let mut text = format!("{MARKDOWN_BEGIN}\n");
    for (i, protocol) in description.protocols.iter().enumerate() {
        let n = super::values::plural(protocol.n_spectra, "spectrum", "spectra");
        text += &format!("\n## Protocol {}: {}\n\n{n}\n", i + 1, escaped(&protocol.label));
        let mut heading = "";
        for entry in &protocol.entries {
            if entry.item.heading() != heading {
                heading = entry.item.heading();
                text += &format!("\n| | {heading} | | from |\n|---|---|---|---|\n");
            }
            let item = entry.item;
            text += &format!("| {} | {} | {} | {} |\n", item.id, item.title, with_code(&said(entry)), entry.from());
        }
    }
    text += &format!("\n## Methods\n\n{}\n", with_code(&description.paragraph));
    text += "\n## Settings other than their defaults\n\n";
    if description.differences.is_empty() {
        text += "None.\n";
    } else {
        text += "| setting | value | default |\n|---|---|---|\n";
        for one in &description.differences {
            text += &format!(
                "| `{}` | {} | {} |\n",
                one.setting.replace('|', "\\|"),
                escaped(&one.value),
                escaped(&one.default)
            );
        }
    }
    text += "\n## References\n\n";
    for (name, place) in &description.references {
        text += &format!(
            "- {}: {}\n",
            escaped(name),
            if place.starts_with("https://") { format!("<{}>", url(place)) } else { escaped(place) }
        );
    }
    if !description.notes.is_empty() {
        text += "\n## Notes\n\n";
        for note in &description.notes {
            text += &format!("- {}\n", with_code(note));
        }
    }
    text
}

/// A DOI's address, with what would end it in Markdown spelt out.
fn url(place: &str) -> String {
    place.replace('<', "%3C").replace('>', "%3E")
}

/// A description as a table with tabs: a row for each protocol and item, then the rest.
pub fn tsv(description: &Description) -> String {
    let cell = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let mut text = format!("{TSV_BEGIN}\n");
    let mut line = |cells: [&str; 7]| text += &(cells.map(cell).join("\t") + "\n");
    for (i, protocol) in description.protocols.iter().enumerate() {
        let number = (i + 1).to_string();
        for entry in &protocol.entries {
            let (item, missing) = (entry.item, entry.missing.as_deref().unwrap_or_default());
            let known = entry.text.as_deref().unwrap_or_default();
            line([&number, &protocol.label, item.id, item.title, known, entry.from(), missing]);
        }
    }
    line(["all", "", "methods", "Paragraph for the methods", &description.paragraph, "tables, people", ""]);
    for one in &description.differences {
        let value = format!("{} (default {})", one.value, one.default);
        line(["all", "", "setting", &one.setting, &value, "tables", ""]);
    }
    for (name, place) in &description.references {
        line(["all", "", "reference", name, place, "", ""]);
    }
    for (i, note) in description.notes.iter().enumerate() {
        line(["all", "", "note", &(i + 1).to_string(), note, "", ""]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_out_of_a_file_becomes_markup() {
        assert_eq!(escaped("a|b_c*<i>\n"), "a\\|b\\_c\\*\\<i\\> ");
        assert_eq!(with_code("see `fwhm_hz <= 12 | x` of a_b"), "see `fwhm_hz <= 12 \\| x` of a\\_b");
        assert_eq!(with_code("one ` mark_"), "one \\` mark\\_");
    }
}
