//! What we send: the few kinds of terms that RabbitMQ's functions take, under short names.

use erl_dist::term::{Atom, Binary, FixInteger, List, Term};

/// A text, which RabbitMQ has as a binary.
pub fn text(text: &str) -> Term {
    Binary::from(text.as_bytes().to_vec()).into()
}

/// An atom.
pub fn atom(name: &str) -> Term {
    Atom::from(name).into()
}

/// Several atoms: what to tell of something, or node names.
pub fn atoms<'a>(names: impl IntoIterator<Item = &'a str>) -> Term {
    list(names.into_iter().map(atom).collect())
}

/// A small number.
pub fn number(number: i32) -> Term {
    FixInteger::from(number).into()
}

/// A list.
pub fn list(elements: Vec<Term>) -> Term {
    List::from(elements).into()
}

/// Who the broker's log says has done it.
pub fn acting_user() -> Term {
    text(crate::arguments::PROGRAM)
}
