use super::*;

const CRATES: [&str; 5] = ["rmq-common", "rmq-send", "rmq-recv", "rmq-declare", "rmq-perm"];

#[test]
fn no_module_imports_itself_by_way_of_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let circles = CRATES.map(|name| {
        let it = Crate::read(&root.join(name).join("src"));
        assert!(it.texts.len() > 20, "{name}: only {} modules are found", it.texts.len());
        (name, it.circles())
    });
    let of_some = circles.iter().filter(|(_, circles)| !circles.is_empty());
    let of_some: Vec<_> = of_some.collect();
    assert!(of_some.is_empty(), "modules import one another: {of_some:#?}");
}

/// A crate of these files.
fn of(files: &[(&str, &str)]) -> Crate {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Crate::read(directory.path())
}

#[test]
fn a_circle_is_found_however_its_paths_are_written() {
    for (one, other) in [
        ("use crate::b::B;", "use crate::a::A;"),
        ("use super::b::B;", "fn f() { crate::a::f() }"),
        ("use crate::{c, b::{B, D as E}};", "use super::{a};"),
    ] {
        let files =
            [("lib.rs", "mod a;\nmod b;\nmod c;\n"), ("a.rs", one), ("b.rs", other), ("c.rs", "")];
        let circles = of(&files).circles();
        assert_eq!(circles, [BTreeSet::from(["a".to_owned(), "b".to_owned()])], "{one} {other}");
    }
}

#[test]
fn what_is_no_import_makes_no_circle() {
    for other in [
        "// use crate::a::A;",
        "const A: &str = \"crate::a::A\";",
        "const A: &str = r#\"\"crate::a::A\"#;",
        "#[cfg(test)]\nmod tests {\n use crate::a::A;\n}",
        "#[cfg(test)]\nmod a_tests;\n",
        "use crate::d::A;",
    ] {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod d;\n"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", other),
            ("d/mod.rs", "mod e;\npub use e::A;\n"),
            ("d/e.rs", ""),
        ];
        assert_eq!(of(&files).circles(), Vec::<BTreeSet<String>>::new(), "{other}");
    }
}

#[test]
fn a_parent_and_its_children_are_one_room() {
    let files = [
        ("lib.rs", "mod a;\n"),
        ("a.rs", "mod b;\nmod c;\npub use b::B;\n"),
        ("a/b.rs", ""),
        ("a/c.rs", "use super::B;\n"),
    ];
    assert!(of(&files).circles().is_empty());
    let files = [
        ("lib.rs", "mod a;\nmod d;\n"),
        ("a.rs", "mod b;\nuse b::B;\nuse crate::d::D;\npub struct A;\n"),
        ("a/b.rs", "use super::A;\n"),
        ("d.rs", "use crate::a::A;"),
    ];
    let circles = of(&files).circles();
    assert_eq!(circles, [BTreeSet::from(["a".to_owned(), "d".to_owned()])]);
}
