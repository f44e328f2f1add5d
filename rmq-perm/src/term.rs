//! Erlang terms as a node sends them, and safe access to their parts.

use std::fmt;

/// A term that was received.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// `ok`
    Atom(String),
    /// `17`
    Integer(i128),
    /// `1.5`
    Float(f64),
    /// `<<"text">>`
    Binary(Vec<u8>),
    /// `"text"`: a list of small integers, for which the format has a short form.
    Charlist(Vec<u8>),
    /// `[a, b]`
    List(Vec<Term>),
    /// `{a, b}`
    Tuple(Vec<Term>),
    /// `#{a => b}`
    Map(Vec<(Term, Term)>),
    /// `<0.1.2>`
    Pid(Pid),
    /// A term that nothing reads: a port, a function, anything nested too deeply.
    Opaque,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pid {
    pub node: String,
    pub id: u32,
    pub serial: u32,
    /// The run of the node.
    pub creation: u32,
}

impl Term {
    /// Whether this is the atom `name`.
    pub fn is_atom(&self, name: &str) -> bool {
        matches!(self, Term::Atom(atom) if atom == name)
    }

    /// The elements of a tuple.
    pub fn tuple(&self) -> Option<&[Term]> {
        match self {
            Term::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements after the atom `tag`, in a tuple that begins with it.
    pub fn tagged(&self, tag: &str) -> Option<&[Term]> {
        match self.tuple()? {
            [first, rest @ ..] if first.is_atom(tag) => Some(rest),
            _ => None,
        }
    }

    /// The elements of a list that is not a charlist.
    pub fn list(&self) -> Option<&[Term]> {
        match self {
            Term::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The value of `key` in a property list.
    pub fn property(&self, key: &str) -> Option<&Term> {
        self.list()?.iter().find_map(|pair| match pair.tagged(key)? {
            [value] => Some(value),
            _ => None,
        })
    }

    /// The bytes of a text, in whichever form Erlang chose: a binary, an atom, a charlist.
    pub fn text(&self) -> Option<Vec<u8>> {
        match self {
            Term::Binary(bytes) => Some(bytes.clone()),
            Term::Atom(atom) => Some(atom.clone().into_bytes()),
            Term::Charlist(bytes) => {
                Some(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
            }
            Term::List(elements) => {
                let character = |term: &Term| match term {
                    Term::Integer(code) => u32::try_from(*code).ok().and_then(char::from_u32),
                    _ => None,
                };
                elements.iter().map(character).collect::<Option<String>>().map(String::into_bytes)
            }
            _ => None,
        }
    }

    pub fn count(&self) -> Option<u64> {
        match self {
            Term::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }
}

/// For an unexpected error: its words, without Erlang's punctuation, shortened if long. Binaries
/// are left out: the arguments in a stack trace may contain a password.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Atom(atom) => write!(f, "{}", atom.escape_debug()),
            Term::Integer(number) => write!(f, "{number}"),
            Term::Float(number) => write!(f, "{number}"),
            Term::Charlist(_) => {
                let text = self.text().unwrap_or_default();
                write!(f, "{}", String::from_utf8_lossy(&text).escape_debug())
            }
            Term::List(elements) => sequence(f, elements, ", "),
            Term::Tuple(elements) => sequence(f, elements, " "),
            Term::Binary(_) | Term::Map(_) | Term::Pid(_) | Term::Opaque => f.write_str("..."),
        }
    }
}

fn sequence(f: &mut fmt::Formatter<'_>, elements: &[Term], between: &str) -> fmt::Result {
    const SHOWN: usize = 6;
    for (index, element) in elements.iter().take(SHOWN).enumerate() {
        f.write_str(if index == 0 { "" } else { between })?;
        write!(f, "{element}")?;
    }
    f.write_str(if elements.len() > SHOWN { ", ..." } else { "" })
}

/// Terms for tests.
#[cfg(test)]
pub mod samples {
    use super::Term;

    pub fn atom(name: &str) -> Term {
        Term::Atom(name.to_owned())
    }

    pub fn binary(text: &str) -> Term {
        Term::Binary(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::samples::atom;
    use super::*;

    #[test]
    fn a_text_is_read_in_each_form_erlang_has() {
        let table = [
            (Term::Binary("grün".into()), "grün"),
            (atom("quorum"), "quorum"),
            (Term::Charlist(b"gr\xfcn".to_vec()), "grün"),
            (Term::List(vec![Term::Integer(0x2603), Term::Integer(33)]), "☃!"),
            (Term::List(vec![]), ""),
        ];
        for (term, text) in table {
            assert_eq!(term.text().unwrap(), text.as_bytes());
        }
        assert_eq!(Term::Integer(1).text(), None);
        assert_eq!(Term::List(vec![atom("a")]).text(), None);
    }

    #[test]
    fn a_property_is_found_by_its_name() {
        let pair = |key, value| Term::Tuple(vec![atom(key), Term::Integer(value)]);
        let list = Term::List(vec![atom("flag"), pair("a", 1), pair("b", 2)]);
        assert_eq!(list.property("b").and_then(Term::count), Some(2));
        assert_eq!(list.property("flag"), None);
        assert_eq!(atom("b").property("b"), None);
    }

    #[test]
    fn what_is_shown_of_a_term_holds_no_binary_and_none_of_erlangs_signs() {
        let arguments = Term::List(vec![Term::Binary(b"hunter2".to_vec()), Term::Integer(7)]);
        let term = Term::Tuple(vec![atom("undef"), arguments, Term::Charlist(b"a\n".to_vec())]);
        assert_eq!(term.to_string(), "undef ..., 7 a\\n");
    }
}
