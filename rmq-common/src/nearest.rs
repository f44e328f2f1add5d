//! What is meant, where a name is misspelt.

/// How many letters a slip of the pen may change.
const SLIP: usize = 3;

/// The one of the `known` names that is meant, if `name` is a slip of the pen.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::osa_distance(name, other);
    known.into_iter().min_by_key(|other| distance(other)).filter(|it| distance(it) <= SLIP)
}
