//! Which file of `src/` imports which: every `use`, and every path in the code that leaves its own file.
//!
//! Code that only tests see (`#[cfg(test)]`) does not count: a test may look at anything. Nor does `pub use`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// Files by their path below the repository, each with the files that it imports.
pub type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// One source file: its module path (`fit::map::solver` as segments) and its text.
pub struct SourceFile {
    pub path: PathBuf,
    pub module: Vec<String>,
    pub text: String,
}

/// All files of the library, those that only tests use left out.
pub fn source_files(root: &Path) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let relative = path.strip_prefix(root).unwrap().to_path_buf();
                found.push(SourceFile {
                    module: module_of(&relative),
                    text: fs::read_to_string(&path).unwrap(),
                    path: relative,
                });
            }
        }
    }
    let tests: BTreeSet<Vec<String>> = found.iter().flat_map(test_modules).collect();
    found.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// `src/fit/map/mod.rs` → `fit::map`; `src/fit/map/solver.rs` → `fit::map::solver`; `src/lib.rs` → the root.
fn module_of(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").unwrap().with_extension("");
    let mut module: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Modules that stand behind `#[cfg(test)] mod name;`, with or without a `#[path]` of their own.
fn test_modules(file: &SourceFile) -> Vec<Vec<String>> {
    let parsed = syn::parse_file(&file.text).unwrap();
    let tests = parsed.items.iter().filter_map(|item| match item {
        Item::Mod(module) if is_test(&module.attrs) => Some(module),
        _ => None,
    });
    tests
        .map(|module| match path_of(&module.attrs) {
            Some(name) => module_of(&file.path.with_file_name(name)),
            None => [file.module.clone(), vec![module.ident.to_string()]].concat(),
        })
        .collect()
}

/// The file that `#[path = "…"]` names.
fn path_of(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|a| a.path().is_ident("path")).map(|a| match &a.meta.require_name_value().unwrap().value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) => name.value(),
        other => panic!("a path that is no text: {other:?}"),
    })
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("test")
            || (a.path().is_ident("cfg") && a.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test"))
    })
}

/// The imports among `files`.
pub fn imports(files: &[SourceFile]) -> Imports {
    let index: BTreeMap<&[String], &SourceFile> =
        files.iter().filter(|f| !f.path.ends_with("main.rs")).map(|f| (f.module.as_slice(), f)).collect();
    let exports: BTreeMap<&[String], Vec<Export>> =
        index.iter().map(|(module, file)| (*module, exports_of(file))).collect();
    let mut all = Imports::new();
    for file in files {
        let mut paths = Paths { module: file.module.clone(), found: BTreeSet::new() };
        paths.visit_file(&syn::parse_file(&file.text).unwrap());
        let mut targets = BTreeSet::new();
        for path in paths.found {
            if let Some(target) = resolve(&path, &index, &exports, 0) {
                targets.insert(target);
            }
        }
        targets.remove(&file.path);
        all.insert(file.path.clone(), targets);
    }
    all
}

/// A name that a module passes on: `pub use model::Model` as (`Model`, absolute path of `model::Model`).
type Export = (String, Vec<String>);

fn exports_of(file: &SourceFile) -> Vec<Export> {
    let mut exports = Vec::new();
    for item in syn::parse_file(&file.text).unwrap().items {
        if let Item::Use(item) = item
            && !is_test(&item.attrs)
        {
            for (path, name) in leaves(&item.tree, &[]) {
                exports.extend(absolute(&file.module, &path).map(|path| (name, path)));
            }
        }
    }
    exports
}

/// All leaves of a `use`: their paths and the names under which they are known.
fn leaves(tree: &UseTree, before: &[String]) -> Vec<(Vec<String>, String)> {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident)),
        UseTree::Name(name) if name.ident == "self" => {
            vec![(before.to_vec(), before.last().cloned().unwrap_or_default())]
        }
        UseTree::Name(name) => vec![(with(&name.ident), name.ident.to_string())],
        UseTree::Rename(rename) if rename.ident == "self" => vec![(before.to_vec(), rename.rename.to_string())],
        UseTree::Rename(rename) => vec![(with(&rename.ident), rename.rename.to_string())],
        UseTree::Glob(_) => vec![(before.to_vec(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| leaves(tree, before)).collect(),
    }
}

/// The path from the crate's root; `None` for other crates and plain local names.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = path;
    match path.first().map(String::as_str)? {
        "crate" | "requant" => (base, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        _ => {}
    }
    while rest.first().is_some_and(|s| s == "super") {
        base.pop();
        rest = &rest[1..];
    }
    Some([base, rest.to_vec()].concat())
}

/// The file that defines what an absolute path names: re-exports are followed to where the thing stands.
fn resolve(
    path: &[String],
    index: &BTreeMap<&[String], &SourceFile>,
    exports: &BTreeMap<&[String], Vec<Export>>,
    depth: usize,
) -> Option<PathBuf> {
    let length = (1..=path.len()).rev().find(|&n| index.contains_key(&path[..n]))?;
    let module = &path[..length];
    if let Some(name) = path.get(length)
        && depth < 8
        && let Some((_, target)) = exports[module].iter().find(|(exported, _)| exported == name)
    {
        let full = [target.clone(), path[length + 1..].to_vec()].concat();
        if let Some(file) = resolve(&full, index, exports, depth + 1) {
            return Some(file);
        }
    }
    // A bare module (`use crate::fit::peaks`) is what its names are used for; those paths are found one by one.
    Some(index[module].path.clone())
}

/// Collects the absolute paths that a file mentions.
struct Paths {
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        let starts = path.first().is_some_and(|s| matches!(s.as_str(), "crate" | "super" | "self"));
        if path.len() > 1 || starts {
            self.found.extend(absolute(&self.module, path));
        }
    }

    /// Inside macros there is no syntax tree: runs of `a :: b :: c` are taken as paths.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut run: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if run.is_empty() || colons == 2 => {
                    run.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(p) if p.as_char() == ':' && !run.is_empty() => colons += 1,
                other => {
                    self.add(&std::mem::take(&mut run));
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.add_tokens(group.stream()),
                        TokenTree::Ident(ident) => run.push(ident.to_string()),
                        _ => {}
                    }
                }
            }
        }
        self.add(&run);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(i) => &i.attrs,
            Item::Impl(i) => &i.attrs,
            Item::Mod(i) => &i.attrs,
            Item::Use(i) => &i.attrs,
            Item::Struct(i) => &i.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // `pub use` is a door, not a use: it only says where a thing can be found, too.
        if !matches!(item.vis, syn::Visibility::Inherited) {
            return;
        }
        for (path, _) in leaves(&item.tree, &[]) {
            self.add(&path);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(item.tokens.clone());
    }
}
