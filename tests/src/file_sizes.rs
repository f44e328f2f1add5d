//! Checks that files stay small enough to be read at once.

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file.
const MOST: usize = 300;

const CRATES: [&str; 7] =
    ["bench", "rmq-common", "rmq-declare", "rmq-perm", "rmq-recv", "rmq-send", "tests"];

/// The Rust files under `directory`, each with its number of lines.
fn files(directory: &Path, found: &mut Vec<(PathBuf, usize)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            found.push((path, lines));
        }
    }
}

#[test]
fn no_file_of_rust_is_longer_than_300_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    CRATES.iter().for_each(|name| files(&root.join(name), &mut found));
    assert!(found.len() > 500, "only {} files are found", found.len());
    found.retain(|(_, lines)| *lines > MOST);
    assert!(found.is_empty(), "too long; split them by what they do: {found:#?}");
}
