//! Reads Erlang's external term format from arbitrary bytes.
//!
//! eetf, which erl_dist depends on, panics on some tags and allocates what a length field says, so
//! incoming terms are read here; eetf only writes outgoing ones. Nothing is allocated without bytes
//! to fill it, the number of terms is bounded, and deep nesting is skipped without recursion: any
//! user who may declare a queue chooses how deep its arguments are.

use crate::term::{Pid, Term};
use std::fmt;

/// Nested more deeply, a term becomes [`Term::Opaque`]. A level of a queue's arguments takes two.
const DEEPEST: usize = 2 * crate::queues::DEEPEST + 16;

/// The most terms that are read: 256 MiB, or the answer about two hundred thousand queues.
const MOST_TERMS: u32 = 6 << 20;

/// The bytes are not a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const CUT_SHORT: Malformed = Malformed("a term is cut short");

/// Reads one term with its version byte from the front of `bytes`, which then begin after it.
pub fn decode(bytes: &mut &[u8]) -> Result<Term, Malformed> {
    let mut reader = Reader { bytes, terms_left: MOST_TERMS };
    if reader.u8()? != 131 {
        return Err(Malformed("a term of another version"));
    }
    let term = reader.term()?;
    *bytes = reader.bytes;
    Ok(term)
}

struct Reader<'a> {
    bytes: &'a [u8],
    terms_left: u32,
}

/// A term without its children.
enum Head {
    Leaf(Term),
    Tuple(usize),
    /// This many elements, and then a tail.
    List(usize),
    Map(usize),
}

impl Head {
    fn children(&self) -> usize {
        match self {
            Head::Leaf(_) => 0,
            Head::Tuple(size) => *size,
            Head::List(size) => size.saturating_add(1),
            Head::Map(size) => size.saturating_mul(2),
        }
    }
}

/// A term whose children are still being read.
struct Open {
    head: Head,
    left: usize,
    children: Vec<Term>,
}

impl Open {
    fn closed(mut self) -> Term {
        match self.head {
            Head::Leaf(term) => term,
            Head::Tuple(_) => Term::Tuple(self.children),
            Head::List(_) => match self.children.pop() {
                Some(Term::List(tail)) if tail.is_empty() => Term::List(self.children),
                // [a | b], which no answer we ask for contains.
                _ => Term::Opaque,
            },
            Head::Map(size) => {
                let mut pairs = Vec::with_capacity(size.min(self.children.len()));
                let mut children = self.children.into_iter();
                while let (Some(key), Some(value)) = (children.next(), children.next()) {
                    pairs.push((key, value));
                }
                Term::Map(pairs)
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// The next term, without recursion.
    fn term(&mut self) -> Result<Term, Malformed> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let head = self.head()?;
            let left = head.children();
            let mut term = match head {
                Head::Leaf(term) => term,
                _ if left > 0 && open.len() == DEEPEST => {
                    self.skip(left)?;
                    Term::Opaque
                }
                _ if left > 0 => {
                    // Grows as elements are read, so that the number alone allocates nothing.
                    open.push(Open { head, left, children: Vec::with_capacity(left.min(64)) });
                    continue;
                }
                head => Open { head, left, children: Vec::new() }.closed(),
            };
            loop {
                let Some(mut parent) = open.pop() else { return Ok(term) };
                parent.children.push(term);
                parent.left -= 1;
                if parent.left > 0 {
                    open.push(parent);
                    break;
                }
                term = parent.closed();
            }
        }
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        let mut pending = count;
        while pending > 0 {
            pending = (pending - 1).saturating_add(self.head()?.children());
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head, Malformed> {
        self.terms_left =
            self.terms_left.checked_sub(1).ok_or(Malformed("a term of too many parts"))?;
        let leaf = match self.u8()? {
            70 => Term::Float(f64::from_be_bytes(self.array()?)),
            77 => {
                let size = self.size()?;
                self.opaque(size.saturating_add(1))?
            }
            88 => Term::Pid(Pid {
                node: self.node()?,
                id: self.u32()?,
                serial: self.u32()?,
                creation: self.u32()?,
            }),
            89 => self.opaque_of_node(8)?,
            90 => {
                let words = usize::from(self.u16()?);
                self.opaque_of_node(4 + 4 * words)?
            }
            97 => Term::Integer(self.u8()?.into()),
            98 => Term::Integer(i32::from_be_bytes(self.array()?).into()),
            99 => self.opaque(31)?,
            tag @ (100 | 115 | 118 | 119) => Term::Atom(self.atom(tag)?),
            101 | 102 => self.opaque_of_node(5)?,
            103 => self.opaque_of_node(9)?,
            104 => return Ok(Head::Tuple(self.u8()?.into())),
            105 => return Ok(Head::Tuple(self.size()?)),
            106 => Term::List(Vec::new()),
            107 => {
                let size = self.u16()?.into();
                Term::Charlist(self.take(size)?.to_vec())
            }
            108 => return Ok(Head::List(self.size()?)),
            109 => {
                let size = self.size()?;
                Term::Binary(self.take(size)?.to_vec())
            }
            110 => {
                let size = self.u8()?.into();
                self.big(size)?
            }
            111 => {
                let size = self.size()?;
                self.big(size)?
            }
            // A function states its length, including the length field.
            112 => {
                let size = self.size()?;
                self.opaque(size.saturating_sub(4))?
            }
            // fun M:F/A, read as a tuple; no answer we ask for contains one.
            113 => return Ok(Head::Tuple(3)),
            114 => {
                let words = usize::from(self.u16()?);
                self.opaque_of_node(1 + 4 * words)?
            }
            116 => return Ok(Head::Map(self.size()?)),
            120 => self.opaque_of_node(12)?,
            _ => return Err(Malformed("a term of an unknown type")),
        };
        Ok(Head::Leaf(leaf))
    }

    fn atom(&mut self, tag: u8) -> Result<String, Malformed> {
        let size = match tag {
            115 | 119 => self.u8()?.into(),
            100 | 118 => self.u16()?.into(),
            _ => return Err(Malformed("a node's name that is not an atom")),
        };
        let name = self.take(size)?;
        if tag == 100 || tag == 115 {
            return Ok(name.iter().map(|byte| char::from(*byte)).collect());
        }
        let name = std::str::from_utf8(name).map_err(|_| Malformed("an atom not in UTF-8"))?;
        Ok(name.to_owned())
    }

    fn big(&mut self, size: usize) -> Result<Term, Malformed> {
        let negative = self.u8()? != 0;
        let digits = self.take(size)?;
        if digits.len() > 15 {
            return Ok(Term::Opaque);
        }
        let number = digits.iter().rev().fold(0, |number, byte| (number << 8) | i128::from(*byte));
        Ok(Term::Integer(if negative { -number } else { number }))
    }

    fn opaque(&mut self, size: usize) -> Result<Term, Malformed> {
        self.take(size).map(|_| Term::Opaque)
    }

    /// A port or reference: the node's name, then bytes.
    fn opaque_of_node(&mut self, size: usize) -> Result<Term, Malformed> {
        self.node()?;
        self.opaque(size)
    }

    fn node(&mut self) -> Result<String, Malformed> {
        let tag = self.u8()?;
        self.atom(tag)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    fn size(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u32()?).map_err(|_| CUT_SHORT)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or(CUT_SHORT)?;
        self.bytes = rest;
        Ok(*array)
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.bytes.split_at_checked(size).ok_or(CUT_SHORT)?;
        self.bytes = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
