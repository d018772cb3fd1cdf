//! Holds the imports of `src/` to the table of rooms in ARCHITECTURE.md.

mod imports;
mod rooms;

use std::path::{Path, PathBuf};

use imports::{Imports, SourceFile, imports, source_files};
use rooms::{Rooms, circles, floors};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Rooms {
    Rooms::parse(&std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap())
}

/// What breaks the table, a line each.
fn breaches(imports: &Imports, rooms: &Rooms) -> Vec<String> {
    let mut found = Vec::new();
    for (file, targets) in imports {
        let Some(room) = rooms.of(file) else {
            found.push(format!("{}: no room of ARCHITECTURE.md's table holds it", file.display()));
            continue;
        };
        for target in targets {
            if let Some(other) = rooms.of(target)
                && !rooms.may_use(room, other)
            {
                found.push(format!("{} ({room}) uses {} ({other})", file.display(), target.display()));
            }
        }
    }
    found
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let found = breaches(&imports(&source_files(&repository())), &table());
    assert!(found.is_empty(), "not allowed by ARCHITECTURE.md:\n{}", found.join("\n"));
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    let imports = imports(&source_files(&repository()));
    let arrows: usize = imports.values().map(std::collections::BTreeSet::len).sum();
    let circles = circles(&imports);
    println!("{} files, {arrows} arrows, {} floors, {} circles", imports.len(), floors(&imports), circles.len());
    let lines: Vec<String> = circles.iter().map(|files| format!("{files:?}")).collect();
    assert!(lines.is_empty(), "files that import one another in a circle:\n{}", lines.join("\n"));
}

#[test]
fn every_room_of_the_table_exists_and_arrows_between_rooms_make_no_circle() {
    let rooms = table();
    for path in rooms.paths() {
        assert!(repository().join(&path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
    assert_eq!(rooms.circle(), None, "rooms that may use one another");
}

/// The test can fail: one forbidden `use`, in each of the forms that Rust has for it, is found.
#[test]
fn a_forbidden_use_is_found_in_every_form() {
    let rooms = Rooms::parse("| `src/low.rs` | at the bottom | – |\n| `src/high/` | above | low |\n");
    let forms = [
        "use crate::high::Thing;",
        "use crate::{high::Thing};",
        "use super::high::deep::Thing as Other;",
        "fn f() { crate::high::deep::call(); }",
        "fn f() -> Vec<crate::high::Thing> { Vec::new() }",
        "fn f() { println!(\"{}\", crate::high::deep::call()); }",
    ];
    for form in forms {
        let files = [file("low", form), file("high", "pub mod deep;\npub struct Thing;"), file("high/deep", "")];
        let found = breaches(&imports(&files), &rooms);
        assert_eq!(found.len(), 1, "{form}: {found:?}");
        assert!(found[0].starts_with("src/low.rs (low) uses src/high"), "{found:?}");
    }
    let only_in_tests = "#[cfg(test)]\nmod tests { use crate::high::Thing; }";
    let files = [file("low", only_in_tests), file("high", "")];
    assert_eq!(breaches(&imports(&files), &rooms), Vec::<String>::new());
}

#[test]
fn a_circle_is_found_through_a_re_export() {
    let files = [
        file("a", "pub mod one;\npub mod two;\npub use one::One;"),
        file("a/one", "use super::two::two;\npub struct One;"),
        file("a/two", "pub fn two(_: super::One) {}"),
    ];
    let found = circles(&imports(&files));
    assert_eq!(found, [[PathBuf::from("src/a/one.rs"), PathBuf::from("src/a/two.rs")]]);
}

fn file(module: &str, text: &str) -> SourceFile {
    SourceFile {
        path: Path::new("src").join(module).with_extension("rs"),
        module: module.split('/').map(str::to_owned).collect(),
        text: text.to_owned(),
    }
}
