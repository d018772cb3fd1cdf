//! Template, style, script and data become one file.

use minijinja::{AutoEscape, Environment, context};
use sha2::{Digest, Sha256};

use super::PageError;
use super::data::Data;
use super::view::View;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &[&str] =
    &[include_str!("style/base.css"), include_str!("style/parts.css"), include_str!("style/print.css")];
/// In this order they are one script: each uses what stands above it.
const SCRIPT: &[&str] = &[
    include_str!("script/data.js"),
    include_str!("script/state.js"),
    include_str!("script/draw.js"),
    include_str!("script/strips.js"),
    include_str!("script/details.js"),
    include_str!("script/fit.js"),
    include_str!("script/panel.js"),
    include_str!("script/thumbs.js"),
    include_str!("script/table.js"),
    include_str!("script/main.js"),
];

/// The page.
pub(super) fn page(view: &View, data: &Data) -> Result<String, PageError> {
    let failed = |error: &dyn std::fmt::Display| PageError::Template(error.to_string());
    let style = STYLE.concat();
    let script = format!("\"use strict\";(() => {{\n{}}})();\n", SCRIPT.concat());
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("safe", minijinja::filters::safe);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_template("page", TEMPLATE).map_err(|e| failed(&e))?;
    let json = serde_json::to_string(data).map_err(|e| failed(&e))?;
    let inside = serde_json::to_string(&data.inside).map_err(|e| failed(&e))?;
    let template = environment.get_template("page").map_err(|e| failed(&e))?;
    template
        .render(context! {
            view => minijinja::value::Serde(view),
            policy => policy(&style, &script),
            style,
            script,
            data => for_script(&json),
            inside => for_script(&inside),
        })
        .map_err(|e| failed(&e))
}

/// Nothing is loaded but the files beside the page, and no script runs but the page's own, known by its hash. `file:` is
/// there because pages are opened from a disk, which no browser takes for `'self'` in the same way.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {} 'self' file:; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// JSON that ends no script element and no line of one, whatever the names in it.
pub(super) fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Base64 (RFC 4648).
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS[(all >> shift & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let words = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|word| base64(word.as_bytes()));
        assert_eq!(words, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn no_name_ends_a_script() {
        let json = serde_json::to_string("</script><!--\u{2028}\"").unwrap_or_default();
        assert_eq!(for_script(&json), "\"\\u003c/script\\u003e\\u003c!--\\u2028\\\"\"");
    }
}
