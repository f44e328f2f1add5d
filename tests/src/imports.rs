//! Which modules of a crate import which, according to its sources, and whether there are circles.
//!
//! cargo-modules can do the same but takes minutes to build. This reads the text: paths that begin
//! with `crate`, `super`, `self` or a child's name, outside of comments, strings and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module, as its path within the crate; the root is empty.
type Module = Vec<String>;

/// The modules of a crate that have files, and the text of these files.
#[derive(Debug, Default)]
pub struct Crate {
    texts: BTreeMap<Module, String>,
    /// The origin of what a module re-exports under a name of its own.
    passed_on: BTreeMap<(Module, String), Module>,
}

impl Crate {
    /// Reads the sources under `src`, except tests.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn read(src: &Path) -> Self {
        let mut it = Crate::default();
        let root = ["lib.rs", "main.rs"].iter().map(|name| src.join(name)).find(|it| it.exists());
        it.add(&root.expect("a root"), src, Module::new());
        let modules: Vec<Module> = it.texts.keys().cloned().collect();
        for module in modules {
            for (statement, is_public) in it.uses(&module) {
                for path in statement.into_iter().filter(|_| is_public) {
                    if let (Some(from), Some(name)) = (it.resolve(&module, &path), path.last()) {
                        it.passed_on.insert((module.clone(), name.clone()), from);
                    }
                }
            }
        }
        it
    }

    fn add(&mut self, file: &Path, directory: &Path, module: Module) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let text = code(&text);
        for name in children(&text) {
            let flat = directory.join(format!("{name}.rs"));
            let nested = directory.join(&name).join("mod.rs");
            let file = if flat.exists() { flat } else { nested };
            let child = [&module[..], std::slice::from_ref(&name)].concat();
            self.add(&file, &directory.join(&name), child);
        }
        self.texts.insert(module, text);
    }

    /// Circles: sets of modules, each of which imports itself through others.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let imports: BTreeMap<&Module, BTreeSet<Module>> =
            self.texts.keys().map(|module| (module, self.imports(module))).collect();
        let reached = |from: &Module| {
            let (mut seen, mut todo) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(module) = todo.pop() {
                for next in imports.get(&module).into_iter().flatten() {
                    if seen.insert(next.clone()) {
                        todo.push(next.clone());
                    }
                }
            }
            seen
        };
        let all: BTreeMap<&Module, _> = imports.keys().map(|it| (*it, reached(it))).collect();
        let circle = |module: &Module| -> BTreeSet<String> {
            let with = all[module].iter().filter(|other| all[*other].contains(module));
            with.map(|module| module.join("::")).collect()
        };
        let circles: BTreeSet<_> = all.keys().map(|module| circle(module)).collect();
        circles.into_iter().filter(|circle| !circle.is_empty()).collect()
    }

    /// What the module imports. A child may use items of its parents, which count as one with it.
    fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let uses = self.uses(module).into_iter();
        let paths = uses.filter(|(_, is_public)| !is_public).flat_map(|(paths, _)| paths);
        let found = paths.filter_map(|path| self.resolve(module, &path));
        found.filter(|other| !module.starts_with(other)).collect()
    }

    /// All paths of the module that may lead to another, by statement, and whether that re-exports
    /// them.
    fn uses(&self, module: &Module) -> Vec<(Vec<Vec<String>>, bool)> {
        let text = &self.texts[module];
        let children = children(text);
        let is_start = |word: &str| {
            ["crate", "super", "self"].contains(&word) || children.iter().any(|it| it == word)
        };
        let mut uses = Vec::new();
        let mut before = String::new();
        let mut rest = &text[..];
        while let Some(index) = rest.find("::") {
            let head = &rest[..index];
            let start = head.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
            let word = &head[start..];
            before.push_str(&head[..start]);
            let is_inside = before.ends_with("::");
            let is_inside = is_inside || before.ends_with('$');
            if !is_inside && is_start(word) {
                let mut paths = Vec::new();
                let end = tree(&rest[start..], &mut Vec::new(), &mut paths);
                let line = before.rsplit(['\n', ';', '}']).next().unwrap_or_default().trim();
                let is_public = line.starts_with("pub") && line.ends_with("use");
                uses.push((paths, is_public));
                before.push_str(&rest[start..start + end]);
                rest = &rest[start + end..];
            } else {
                before.push_str(&rest[start..index + 2]);
                rest = &rest[index + 2..];
            }
        }
        uses
    }

    /// The module to which a path in `module` leads.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Module::new(),
            "self" => module.clone(),
            "super" => module.split_last()?.1.to_vec(),
            child => [&module[..], &[child.to_owned()]].concat(),
        };
        for name in rest {
            if name == "super" {
                at.pop();
                continue;
            }
            let child = [&at[..], std::slice::from_ref(name)].concat();
            if self.texts.contains_key(&child) {
                at = child;
            } else {
                let passed = self.passed_on.get(&(at.clone(), name.clone()));
                return Some(passed.cloned().unwrap_or(at));
            }
        }
        Some(at)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Parses a path, or a tree of paths in braces, at the beginning of `text`; returns its length.
fn tree(text: &str, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if let Some(inside) = rest.strip_prefix('{') {
            at += 1;
            let mut inside = inside;
            while !inside.is_empty() && !inside.starts_with('}') {
                let skip = inside.len() - inside.trim_start_matches([',', ' ', '\n']).len();
                let length = if skip > 0 { skip } else { tree(inside, prefix, paths).max(1) };
                at += length;
                inside = &inside[length..];
            }
            at = (at + 1).min(text.len());
            break;
        }
        let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        if length == 0 {
            at += usize::from(rest.starts_with('*'));
            paths.push(prefix.clone());
            break;
        }
        prefix.push(rest[..length].to_owned());
        at += length;
        if text[at..].starts_with("::") {
            at += 2;
        } else {
            paths.push(prefix.clone());
            if let Some(name) = text[at..].strip_prefix(" as ") {
                at += 4 + name.find(|c: char| !is_word(c)).unwrap_or(name.len());
            }
            break;
        }
    }
    prefix.truncate(depth);
    at
}

/// The modules that this text declares, except tests.
fn children(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.iter().enumerate().filter_map(|(index, line)| {
        let (before, name) = line.strip_suffix(';')?.split_once("mod ")?;
        let is_test = index > 0 && lines[index - 1].starts_with("#[cfg(test)]");
        let is_declaration = before.is_empty() || before.starts_with("pub");
        (is_declaration && !is_test && name.chars().all(is_word)).then(|| name.to_owned())
    });
    declared.collect()
}

/// The text without comments, strings, characters and tests, which are at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        let raw = code.chars().rev().take_while(|c| *c == '#').count();
        let is_raw = code[..code.len() - raw].ends_with('r') && rest.starts_with('"');
        let length = if is_raw {
            let end = format!("\"{}", "#".repeat(raw));
            rest[1..].find(&end).map_or(rest.len(), |it| it + 1 + end.len())
        } else if rest.starts_with('"') {
            quoted(rest)
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') {
            rest[2..].find('\'').map_or(rest.len(), |it| it + 3)
        } else {
            code.push_str(&rest[..1]);
            1
        };
        rest = &rest[length..];
    }
    code.push_str(rest);
    code
}

/// The length of the string at the beginning.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests;
