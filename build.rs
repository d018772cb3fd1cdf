//! What is known only when the crate is built.

#[path = "build/git_hash.rs"]
mod git_hash;

fn main() {
    git_hash::emit();
}
