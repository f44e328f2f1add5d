//! The few kinds of terms that RabbitMQ's functions take, with short names.

use crate::term::Pid;
use erl_dist::term::{Atom, Binary, FixInteger, List, Map, Term, Tuple};
use std::collections::HashMap;

/// A text, which is a binary for RabbitMQ.
pub fn text(text: &str) -> Term {
    binary(text.as_bytes())
}

pub fn binary(bytes: &[u8]) -> Term {
    Binary::from(bytes.to_vec()).into()
}

pub fn atom(name: &str) -> Term {
    Atom::from(name).into()
}

/// A process.
pub fn process(pid: &Pid) -> Term {
    let Pid { node, id, serial, creation } = pid;
    erl_dist::term::Pid::new(node.clone(), *id, *serial, *creation).into()
}

/// Several atoms: names of items, or of nodes.
pub fn atoms<'a>(names: impl IntoIterator<Item = &'a str>) -> Term {
    list(names.into_iter().map(atom).collect())
}

pub fn number(number: i32) -> Term {
    FixInteger::from(number).into()
}

pub fn list(elements: Vec<Term>) -> Term {
    List::from(elements).into()
}

pub fn tuple(elements: impl Into<Vec<Term>>) -> Term {
    Tuple::from(elements.into()).into()
}

/// A map with atoms for keys.
pub fn map<const N: usize>(pairs: [(&str, Term); N]) -> Term {
    let pairs = pairs.into_iter().map(|(key, value)| (atom(key), value));
    Map::from(pairs.collect::<HashMap<_, _>>()).into()
}

/// The name of a queue or exchange, whichever `kind` is.
pub fn resource(vhost: &str, kind: &str, name: &str) -> Term {
    resource_of(text(vhost), kind, text(name))
}

/// The same for names that need not be UTF-8.
pub fn resource_of(vhost: Term, kind: &str, name: Term) -> Term {
    tuple([atom("resource"), vhost, atom(kind), name])
}

/// The user that the broker's log shows.
pub fn acting_user() -> Term {
    text(crate::options::PROGRAM)
}
