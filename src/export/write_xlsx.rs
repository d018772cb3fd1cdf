//! A table as a workbook (Office Open XML, ECMA-376 part 1): the table on one sheet, what its columns mean on the other.
//!
//! Six small parts and text in the cells themselves are all that a table needs. Nothing in it tells the time.

use std::fmt::Write as _;

use super::table::{Table, Values, decimal};
use super::zip::Zip;

/// Most rows and columns of a sheet, and characters of a cell.
const MOST_ROWS: usize = 1_048_576;
const MOST_COLUMNS: usize = 16_384;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const SHEETS: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// The bytes of a workbook.
///
/// # Errors
/// In words: the table is too large for a sheet.
pub(crate) fn bytes(table: &Table<'_>) -> Result<Vec<u8>, String> {
    let (n_rows, n_columns) = (table.n_rows() + 1, table.columns.len());
    if n_rows > MOST_ROWS || n_columns > MOST_COLUMNS {
        return Err(format!(
            "{n_rows} rows and {n_columns} columns, and a sheet has {MOST_ROWS} and {MOST_COLUMNS}; take --format tsv"
        ));
    }
    let name = sheet_name(&table.name);
    let mut zip = Zip::default();
    for (path, content) in [
        ("[Content_Types].xml", content_types()),
        ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", workbook(&[&name, "dictionary"])),
        (
            "xl/_rels/workbook.xml.rels",
            relations(&[("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml")]),
        ),
        ("xl/worksheets/sheet1.xml", data(table)),
        ("xl/worksheets/sheet2.xml", dictionary(table)),
    ] {
        zip.add(path, content.as_bytes()).map_err(|e| e.to_string())?;
    }
    zip.finish().map_err(|e| e.to_string())
}

/// Names of sheets have 31 characters at most, and no slash.
fn sheet_name(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).chars().take(31).collect()
}

fn content_types() -> String {
    let part = |path: &str, kind: &str| format!("<Override PartName=\"/{path}\" ContentType=\"{TYPE}.{kind}+xml\"/>");
    let relations = "application/vnd.openxmlformats-package.relationships+xml";
    format!(
        "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"{relations}\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>{}{}{}</Types>",
        part("xl/workbook.xml", "sheet.main"),
        part("xl/worksheets/sheet1.xml", "worksheet"),
        part("xl/worksheets/sheet2.xml", "worksheet")
    )
}

fn relations(all: &[(&str, &str)]) -> String {
    let mut text = format!("{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for (number, (kind, target)) in (1..).zip(all) {
        let _ = write!(text, "<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>");
    }
    text + "</Relationships>"
}

fn workbook(names: &[&str]) -> String {
    let mut text = format!("{HEAD}<workbook xmlns=\"{SHEETS}\" xmlns:r=\"{RELATIONS}\"><sheets>");
    for (number, name) in (1..).zip(names) {
        let _ = write!(text, "<sheet name=\"{}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>", escaped(name));
    }
    text + "</sheets></workbook>"
}

/// A sheet whose first row stays in view.
fn sheet(rows: &str) -> String {
    format!(
        "{HEAD}<worksheet xmlns=\"{SHEETS}\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" \
         topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetData>{rows}</sheetData></worksheet>"
    )
}

fn data(table: &Table<'_>) -> String {
    let places: Vec<String> = (0..table.columns.len()).map(letters).collect();
    let mut text = String::from("<row r=\"1\">");
    places.iter().zip(&table.columns).for_each(|(place, column)| put_text(&mut text, place, 1, &column.name));
    text.push_str("</row>");
    for row in 0..table.n_rows() {
        let number = row + 2;
        let _ = write!(text, "<row r=\"{number}\">");
        for (place, column) in places.iter().zip(&table.columns) {
            match &column.values {
                Values::Text(cells) => {
                    if let Some(cell) = cells.get(row).and_then(Option::as_deref).filter(|cell| !cell.is_empty()) {
                        put_text(&mut text, place, number, cell);
                    }
                }
                Values::Number(cells) => {
                    if let Some(value) = cells.get(row).copied().flatten() {
                        let _ = write!(text, "<c r=\"{place}{number}\"><v>{}</v></c>", decimal(value));
                    }
                }
                Values::Count(cells) => {
                    if let Some(value) = cells.get(row).copied().flatten() {
                        let _ = write!(text, "<c r=\"{place}{number}\"><v>{value}</v></c>");
                    }
                }
            }
        }
        text.push_str("</row>");
    }
    sheet(&text)
}

fn dictionary(table: &Table<'_>) -> String {
    let mut text = String::new();
    let mut put = |number: usize, cells: [&str; 3]| {
        let _ = write!(text, "<row r=\"{number}\">");
        for (at, cell) in cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            put_text(&mut text, &letters(at), number, cell);
        }
        text.push_str("</row>");
    };
    put(1, ["column", "description", "unit"]);
    for (number, column) in (2..).zip(&table.columns) {
        put(number, [&column.name, &column.description, column.unit]);
    }
    sheet(&text)
}

fn put_text(text: &mut String, place: &str, number: usize, cell: &str) {
    let _ = write!(
        text,
        "<c r=\"{place}{number}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
        escaped(cell)
    );
}

/// Letters of a column, from 0: A, B … Z, AA, AB …
fn letters(at: usize) -> String {
    let mut name = Vec::new();
    let mut left = at + 1;
    while left > 0 {
        left -= 1;
        name.push(b'A' + u8::try_from(left % 26).unwrap_or(0));
        left /= 26;
    }
    name.iter().rev().map(|letter| char::from(*letter)).collect()
}

/// Text in XML, which has no controls but tab and line feed.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\t' && c != '\n' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        for (at, name) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")]
        {
            assert_eq!(letters(at), name);
        }
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("a<b> & \"c\"\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot; ");
        assert_eq!(sheet_name("osprey/A_very_long_name_of_a_sheet_that_goes_on"), "A_very_long_name_of_a_sheet_tha");
    }
}
