//! Template, style, script and data become one file.

use minijinja::{AutoEscape, Environment, context};
use sha2::{Digest, Sha256};

use super::data::Data;
use super::encode::{base64, for_script};
use super::error::PageError;
use super::view::View;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &[&str] = &[
    include_str!("style/base.css"),
    include_str!("style/parts.css"),
    include_str!("style/print.css"),
    include_str!("style/subject.css"),
];
/// In this order they are one script: each uses what stands above it.
const SCRIPT: &[&str] = &[
    include_str!("script/data.js"),
    include_str!("script/state.js"),
    include_str!("script/draw.js"),
    include_str!("script/strips.js"),
    include_str!("script/details.js"),
    include_str!("script/fit.js"),
    include_str!("script/voxel.js"),
    include_str!("script/panel.js"),
    include_str!("script/thumbs.js"),
    include_str!("script/table.js"),
    include_str!("script/main.js"),
];

/// The page.
pub(super) fn page(view: &View, data: Data) -> Result<String, PageError> {
    let failed = |error: &dyn std::fmt::Display| PageError::Template(error.to_string());
    let style = style();
    let script = format!("\"use strict\";(() => {{\n{}}})();\n", SCRIPT.concat());
    let mut environment = environment();
    environment.add_template("page", TEMPLATE).map_err(|e| failed(&e))?;
    let inside = for_script(&serde_json::to_string(&data.inside).map_err(|e| failed(&e))?);
    let json = for_script(&serde_json::to_string(&data).map_err(|e| failed(&e))?);
    drop(data);
    let template = environment.get_template("page").map_err(|e| failed(&e))?;
    template
        .render(context! {
            view => minijinja::value::Serde(view),
            policy => policy(&style, &script),
            style,
            script,
            data => json,
            inside,
        })
        .map_err(|e| failed(&e))
}

/// What templates may do; every text is escaped unless it is marked as safe.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("safe", minijinja::filters::safe);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("join", minijinja::filters::join);
    environment
}

/// The style of all pages.
pub(super) fn style() -> String {
    STYLE.concat()
}

/// Of a page without a script: nothing is loaded but the pictures in the page itself, and nothing runs.
pub(super) fn style_policy(style: &str) -> String {
    let hash = base64(&Sha256::digest(style.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
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
