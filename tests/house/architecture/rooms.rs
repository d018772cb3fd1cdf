//! The table of rooms as ARCHITECTURE.md has it, and the order among files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::imports::Imports;

/// Rooms by name (`fit/map`), each with the rooms that it may use.
pub struct Rooms(BTreeMap<String, May>);

enum May {
    Everything,
    Only(BTreeSet<String>),
}

impl Rooms {
    /// From rows `` | `src/NAME/` | sentence | names or – or everything | ``; other rows are passed over.
    pub fn parse(text: &str) -> Self {
        let mut rooms = BTreeMap::new();
        for line in text.lines() {
            let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
            if let [path, _, may] = cells[..]
                && let Some(path) = path.trim_matches('`').strip_prefix("src/")
            {
                let may = match may {
                    "everything" => May::Everything,
                    "–" => May::Only(BTreeSet::new()),
                    names => May::Only(names.split(',').map(|name| name.trim().to_owned()).collect()),
                };
                rooms.insert(path.trim_end_matches('/').trim_end_matches(".rs").to_owned(), may);
            }
        }
        let names: BTreeSet<&String> = rooms.keys().collect();
        for (room, may) in &rooms {
            if let May::Only(others) = may {
                let unknown: Vec<_> = others.iter().filter(|name| !names.contains(name)).collect();
                assert!(unknown.is_empty(), "{room} may use {unknown:?}, which are no rooms of the table");
            }
        }
        Self(rooms)
    }

    /// The room that holds a file: the one with the longest path. The crate's root (`lib.rs`, `main.rs`) is in none.
    pub fn of(&self, file: &Path) -> Option<&str> {
        let inside = file.strip_prefix("src").unwrap().with_extension("");
        let rooms = self.0.keys().filter(|room| inside.starts_with(room));
        let longest = rooms.max_by_key(|room| room.len());
        if longest.is_none() && matches!(inside.to_str(), Some("lib" | "main")) {
            return Some("");
        }
        longest.map(String::as_str)
    }

    pub fn may_use(&self, room: &str, other: &str) -> bool {
        room == other
            || room.is_empty()
            || match self.0.get(room) {
                Some(May::Everything) => true,
                Some(May::Only(others)) => others.contains(other),
                None => false,
            }
    }

    /// The paths that the table names, as in the repository.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(|room| {
            let folder = format!("src/{room}");
            if Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).is_dir() { folder } else { format!("{folder}.rs") }
        })
    }

    /// Rooms that may use one another in a circle, if there are any. A room and the rooms inside it are one here:
    /// files settle the order among these.
    pub fn circle(&self) -> Option<Vec<PathBuf>> {
        let top = |room: &str| PathBuf::from(room.split('/').next().unwrap());
        let mut arrows = Imports::new();
        for (room, may) in &self.0 {
            let targets = arrows.entry(top(room)).or_default();
            if let May::Only(others) = may {
                targets.extend(others.iter().map(|other| top(other)).filter(|other| *other != top(room)));
            }
        }
        circles(&arrows).into_iter().next()
    }
}

/// Groups of files that reach one another (strongly connected components of more than one file), sorted.
pub fn circles(imports: &Imports) -> Vec<Vec<PathBuf>> {
    let reach: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        imports.keys().map(|file| (file, reachable(imports, file))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (file, others) in &reach {
        if others.contains(*file) && !seen.contains(*file) {
            let group: Vec<PathBuf> = others
                .iter()
                .filter(|o| reach.get(**o).is_some_and(|r| r.contains(*file)))
                .map(|o| (*o).clone())
                .collect();
            seen.extend(group.iter().cloned());
            found.push(group);
        }
    }
    found
}

fn reachable<'a>(imports: &'a Imports, from: &PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&PathBuf> = imports[from].iter().collect();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(imports.get(file).into_iter().flatten());
        }
    }
    found
}

/// Length of the longest chain of imports, in files; a circle counts as one floor.
pub fn floors(imports: &Imports) -> usize {
    let groups = circles(imports);
    let home = |file: &PathBuf| {
        groups.iter().find(|group| group.contains(file)).map_or_else(|| file.clone(), |g| g[0].clone())
    };
    let mut joined = Imports::new();
    for (file, targets) in imports {
        let own = home(file);
        let others: Vec<PathBuf> = targets.iter().map(home).filter(|target| *target != own).collect();
        joined.entry(own).or_default().extend(others);
    }
    let mut heights = BTreeMap::new();
    joined.keys().map(|file| height(file, &joined, &mut heights)).max().unwrap_or(0)
}

fn height(file: &PathBuf, imports: &Imports, known: &mut BTreeMap<PathBuf, usize>) -> usize {
    if let Some(&height) = known.get(file) {
        return height;
    }
    let below = imports.get(file).into_iter().flatten().map(|other| height(other, imports, known)).max().unwrap_or(0);
    known.insert(file.clone(), below + 1);
    below + 1
}
