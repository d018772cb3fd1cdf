//! The glossary of flags, error codes and states is complete and up to date.
//!
//! What the library can write is found in its source: every assignment to the columns must be of a known form, every
//! known form is followed to its words, and what is of another form fails the test instead of being passed over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use requant::quality::glossary::{Kind, entries, markdown};
use requant::run::thresholds;

/// `not_read` stands in for a result until the refusal of the same file takes its place in the row.
const NEVER_WRITTEN: [&str; 1] = ["not_read"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file but tests and the glossary: name and text, comments and test modules cut.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.contains("glossary") {
                found.push((name, without_tests(&fs::read_to_string(&path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let code = code.split("#[cfg(test)]\n#[allow").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The arguments or the value that begin at `text`, up to where `text` ends them: a comma, a bracket or a semicolon.
fn expression(text: &str) -> String {
    let mut depth = 0_i32;
    let mut in_text = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return text[..at].trim().to_owned(),
            ')' | ']' | '}' => depth -= 1,
            ',' | ';' if depth == 0 => return text[..at].trim().to_owned(),
            _ => {}
        }
    }
    panic!("no end: {}", &text[..text.len().min(80)]);
}

fn second_argument(arguments: &str) -> String {
    let first = expression(arguments);
    expression(arguments[arguments.find(&first).unwrap() + first.len()..].trim_start_matches(','))
}

/// What follows each `needle` in `text`.
fn after<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(needle).map(|(at, found)| &text[at + found.len()..])
}

/// The text between the braces that open first after `start`.
fn body(start: &str) -> &str {
    let open = start.find('{').unwrap();
    let mut depth = 0;
    for (at, c) in start[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &start[open + 1..open + at];
        }
    }
    panic!("braces do not close");
}

fn literal(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('"')).then(|| inner.to_owned())
}

/// The words of a function whose body is one word, or one match with a word, or another such function, in each arm.
fn words_of_arms(file: &str, start: &str) -> BTreeSet<String> {
    let arms = body(start);
    if let Some(only) = literal(arms.trim()) {
        return BTreeSet::from([only]);
    }
    let found: Vec<String> = after(arms, "=>").map(expression).collect();
    assert!(!found.is_empty(), "{file}: no arms in {arms}");
    let passed_on = |value: &str| value == "code" || value.ends_with(".code()");
    let words = found.iter().filter(|value| !passed_on(value));
    words.map(|value| literal(value).unwrap_or_else(|| panic!("{file}: an unknown form of a code: {value}"))).collect()
}

/// The words of every `fn code`, of every failure and refusal, and of the states that are failures.
fn error_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (file, text) in sources() {
        for start in after(&text, "fn code(") {
            let signature = start.split('{').next().unwrap();
            if signature.contains("str") || signature.contains("String") {
                codes.extend(words_of_arms(&file, start));
            }
        }
        // A code that is handed on as a field or an argument comes from a function above, or is a word here.
        let fields = after(&text, " code: ").map(expression);
        let arguments = after(&text, "ReadError::content(").map(second_argument);
        for value in fields.chain(arguments) {
            let is_type = ["&'static str", "String", "impl Into<String>", "i32", "u8"].contains(&value.as_str());
            let is_number_of_an_extension = file.contains("formats/nifti");
            if !is_type && !is_number_of_an_extension && !["e.code()", "code.into()", "code"].contains(&value.as_str())
            {
                codes.insert(
                    literal(&value).unwrap_or_else(|| panic!("{file}: an unknown form of a code: code: {value}")),
                );
            }
        }
        for value in after(&text, "Failure::new(").map(expression) {
            match value.as_str() {
                "e.code()" | "f.code" | "refusal.code" => {}
                "format!(\"water_{}\", f.code)" => drop(codes.insert("water_*".to_owned())),
                other => drop(codes.insert(
                    literal(other).unwrap_or_else(|| panic!("{file}: an unknown form of a failure's code: {other}")),
                )),
            }
        }
        for value in after(&text, "error_code: ").chain(after(&text, "error_code = ")).map(expression) {
            match value.as_str() {
                // The column's declaration, and what comes from a failure or from another row.
                "Option<String>" | "Some(failure.code.clone())" | "row.error_code" => {}
                // The two states without a result.
                "Some(fit.state.as_str().to_owned())" => {
                    codes.extend(["singular", "no_signal"].map(str::to_owned));
                }
                other => panic!("{file}: an unknown form of an error code: {other}"),
            }
        }
        if file.ends_with("corpus/found.rs") {
            let refusals = after(&text, "Refusal { ").filter(|rest| rest.starts_with("is_skip: true"));
            codes.extend(refusals.map(|rest| literal(&expression(after(rest, "code: ").next().unwrap())).unwrap()));
            codes.extend(after(&text, "failed(").map(|rest| literal(&expression(rest)).unwrap()));
        } else {
            assert!(!text.contains("Refusal {"), "{file}: a refusal outside the search for files");
        }
    }
    for word in NEVER_WRITTEN {
        assert!(codes.remove(word), "{word} is not in the source any more");
    }
    codes
}

fn flags() -> BTreeSet<String> {
    use requant::acquisition::{NO_WATER_REFERENCE, TRANSFORMS_DISAGREE, TRUNCATED, UNTESTED_FORMAT};
    let constants: &[(&str, &str)] = &[
        ("UNTESTED_FORMAT", UNTESTED_FORMAT),
        ("TRUNCATED", TRUNCATED),
        ("NO_WATER_REFERENCE", NO_WATER_REFERENCE),
        ("TRANSFORMS_DISAGREE", TRANSFORMS_DISAGREE),
    ];
    let mut flags = BTreeSet::new();
    for (file, text) in sources() {
        for value in after(&text, "flags.push(").map(expression) {
            let constant = constants.iter().find(|(name, _)| *name == value).map(|(_, word)| (*word).to_owned());
            match constant.or_else(|| literal(&value)) {
                Some(word) => drop(flags.insert(word)),
                None => {
                    let is_of_the_fit = file.ends_with("quality/mod.rs") && value == "flag";
                    // Words of src/tissue/error.rs, read below.
                    let is_of_tissue = file.ends_with("tissue/voxel_tissue.rs") && value.starts_with("flag::")
                        || file.ends_with("run/tissue.rs") && value == "error.flag()";
                    assert!(is_of_the_fit || is_of_tissue, "{file}: an unknown flag: {value}")
                }
            }
        }
        // Lists of flags are passed on, never written out.
        for form in ["flags: vec!", "flags = vec!", "flags.insert(", "flags.append("] {
            assert!(!text.contains(form), "{file}: flags by another way: {form}");
        }
        if file.ends_with("tissue/error.rs") {
            flags.extend(words_of_arms(&file, after(&text, "fn flag(").next().unwrap()));
        }
        if file.ends_with("quality/mod.rs") || file.ends_with("tissue/error.rs") {
            flags.extend(
                after(body(after(&text, "mod flag ").next().unwrap()), " = ")
                    .map(expression)
                    .map(|word| literal(&word).unwrap_or_else(|| panic!("{file}: an unknown form of a flag: {word}"))),
            );
        }
    }
    flags
}

fn states() -> BTreeSet<String> {
    let file = "src/fit/result.rs";
    let text = fs::read_to_string(root().join(file)).unwrap();
    let methods = body(after(&text, "impl FitState ").next().unwrap());
    words_of_arms(file, after(methods, "fn as_str").next().unwrap())
}

fn listed(kind: Kind) -> BTreeSet<String> {
    entries(&thresholds()).iter().filter(|e| e.kind == kind).map(|e| e.code.to_owned()).collect()
}

#[test]
fn every_flag_is_in_the_glossary_and_every_entry_is_a_flag() {
    assert_eq!(flags(), listed(Kind::Flag));
}

#[test]
fn every_error_code_is_in_the_glossary_and_every_entry_is_an_error_code() {
    assert_eq!(error_codes(), listed(Kind::ErrorCode));
}

#[test]
fn every_state_is_in_the_glossary_and_every_entry_is_a_state() {
    assert_eq!(states(), listed(Kind::State));
}

#[test]
fn entries_are_unique_and_say_something() {
    let mut seen = BTreeSet::new();
    for entry in entries(&thresholds()) {
        assert!(seen.insert((entry.kind, entry.code)), "{} twice", entry.code);
        for text in [entry.threshold.as_str(), entry.meaning, entry.remedy] {
            assert!(!text.trim().is_empty() && !text.contains('|'), "{}: {text:?}", entry.code);
        }
    }
}

/// The scan must fail on what it does not understand.
#[test]
fn an_unknown_form_is_no_silence() {
    let refused = |start: &'static str| std::panic::catch_unwind(|| words_of_arms("x.rs", start)).is_err();
    assert!(refused("(&self) -> &str { match self { A => NAME } }"));
    assert!(refused("(&self) -> &str { NAME }"));
    assert!(!refused("(&self) -> &str { match self { A => \"a\", B(e) => e.code() } }"));
}

#[test]
fn the_glossary_in_the_documents_is_up_to_date() {
    let path = root().join("docs/reference/flags-and-errors.md");
    let text = markdown(&thresholds());
    if std::env::var_os("REQUANT_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/reference/flags-and-errors.md does not match src/quality/glossary: \
         REQUANT_UPDATE=1 cargo test --test house glossary::"
    );
}
