//! Parses headers: the AMQP type of each JSON value, nested.
//!
//! Nesting uses a list of open containers, not recursion: the input decides the depth, and the
//! stack must not depend on it.

use super::malformed::{Malformed, quoted};
use super::scanner::{Kind, Name, Scanner};
use super::{typed, values};
use crate::envelope::marks::TABLE;
use crate::envelope::message::{self, Builder, Encoded, MAX_DEPTH, Table, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The expected forms of a table.
const TABLE_FORMS: &str = "an object, or an array of [name,value]";
/// The expected form of a field in a table that is an array.
const PAIR: &str = "[name,value]";

/// Parses one header value from a JSON text, as in an envelope's `headers`.
///
/// # Errors
/// What is wrong, and in which column of `text`.
pub fn header_value(text: &str) -> Result<Encoded, Malformed> {
    let mut scanner = Scanner::new(text);
    let mut reading = Reading { scanner: &mut scanner, builder: Builder::default() };
    let first = reading.begin(0)?;
    reading.go_on(first)?;
    let value = reading.builder.encoded();
    scanner.end("the value")?;
    Ok(value)
}

/// Parses the table of headers, whose names may begin with `$` like any other.
pub(super) fn table(scanner: &mut Scanner<'_>, subject: &str) -> Result<Table, Malformed> {
    let mut reading = Reading { scanner, builder: Builder::default() };
    let first = reading.begin_fields(subject, Around::Nothing)?;
    reading.go_on(first)?;
    Ok(reading.builder.table())
}

/// A table or an array that is still open.
enum Open<'a> {
    /// A table written as an object, with its names so far.
    Object(BTreeSet<Cow<'a, str>>, Around),
    /// A table written as an array of names and values.
    Pairs(Around),
    Array,
}

/// What encloses a table, which may have to end with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// It is the table of headers itself.
    Nothing,
    /// It is a value.
    Value,
    /// It is a value, in `{"$table":...}`.
    Escaped,
}

/// The state of parsing.
enum Step<'a> {
    /// A value is complete.
    Whole,
    /// A table or an array is open: its next value follows.
    Inside(Open<'a>),
}

struct Reading<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
    builder: Builder,
}

impl<'a> Reading<'_, 'a> {
    /// Continues until the outermost value is complete.
    fn go_on(&mut self, mut step: Step<'a>) -> Result<(), Malformed> {
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            step = match step {
                Step::Inside(holder) => {
                    open.push(holder);
                    self.begin(self.builder.depth())?
                }
                Step::Whole => match open.pop() {
                    Some(holder) => self.next(holder)?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Starts a value inside `depth` tables and arrays.
    fn begin(&mut self, depth: usize) -> Result<Step<'a>, Malformed> {
        let kind = self.scanner.kind()?;
        match kind {
            Kind::Object => return self.begin_object(depth),
            Kind::Array => {
                check_depth(self.scanner.offset(), depth)?;
                self.scanner.enter();
                self.builder.begin_array();
                if self.scanner.element(true)? {
                    return Ok(Step::Inside(Open::Array));
                }
                self.builder.end();
            }
            Kind::String => {
                self.builder.value(Value::String(self.scanner.string()?.as_bytes()));
            }
            Kind::Number => self.builder.value(number(self.scanner)?),
            Kind::True | Kind::False | Kind::Null => {
                self.scanner.word(kind);
                self.builder.value(match kind {
                    Kind::Null => Value::Void,
                    kind => Value::Boolean(u8::from(kind == Kind::True)),
                });
            }
        }
        Ok(Step::Whole)
    }

    /// An object is a table, or, if its only member has a type's name, a value of that type.
    fn begin_object(&mut self, depth: usize) -> Result<Step<'a>, Malformed> {
        let offset = self.scanner.offset();
        self.scanner.enter();
        let first = self.scanner.member(true)?;
        match &first {
            Some(name) if name.text == TABLE => {
                check_depth(offset, depth)?;
                self.builder.begin_table();
                return self.begin_fields(TABLE, Around::Escaped);
            }
            Some(name) if name.text.starts_with('$') => {
                typed::read(self.scanner, name, &mut self.builder)?;
                self.end_alone(&name.text)?;
                return Ok(Step::Whole);
            }
            _ => check_depth(offset, depth)?,
        }
        self.builder.begin_table();
        self.first(first, Around::Value)
    }

    /// Starts a table written as an object or an array.
    fn begin_fields(&mut self, subject: &str, around: Around) -> Result<Step<'a>, Malformed> {
        match self.scanner.kind()? {
            Kind::Object => {
                self.scanner.enter();
                let first = self.scanner.member(true)?;
                self.first(first, around)
            }
            Kind::Array => {
                self.scanner.enter();
                match self.scanner.element(true)? {
                    true => self.begin_pair(around),
                    false => self.end_table(around),
                }
            }
            other => {
                let offset = self.scanner.offset();
                Err(Malformed::takes(offset, subject, TABLE_FORMS, other.name()))
            }
        }
    }

    /// The first member of an object that is a table, if any.
    fn first(&mut self, first: Option<Name<'a>>, around: Around) -> Result<Step<'a>, Malformed> {
        match first {
            Some(name) => self.name(BTreeSet::new(), name, around),
            None => self.end_table(around),
        }
    }

    /// The name of the next field of an object.
    fn name(
        &mut self,
        mut names: BTreeSet<Cow<'a, str>>,
        name: Name<'a>,
        around: Around,
    ) -> Result<Step<'a>, Malformed> {
        let Name { text, offset } = name;
        if names.contains(&text) {
            return Err(Malformed::at(offset, format!("a second {}", quoted(&text))));
        }
        self.builder.name(&field_name(text.as_bytes(), &text, offset)?);
        names.insert(text);
        Ok(Step::Inside(Open::Object(names, around)))
    }

    /// A field written as an array of its name and value, up to the value.
    fn begin_pair(&mut self, around: Around) -> Result<Step<'a>, Malformed> {
        let offset = self.scanner.offset();
        let found = self.scanner.kind()?;
        if found != Kind::Array {
            return Err(Malformed::takes(offset, "headers", PAIR, found.name()));
        }
        self.scanner.enter();
        let offset = self.scanner.offset();
        if !self.scanner.element(true)? {
            return Err(Malformed::takes(offset, "headers", PAIR, "an empty array"));
        }
        let offset = self.scanner.offset();
        let bytes = values::short_bytes(self.scanner, "headers", PAIR)?;
        self.builder.name(&field_name(&bytes, &String::from_utf8_lossy(&bytes), offset)?);
        let offset = self.scanner.offset();
        if !self.scanner.element(false)? {
            return Err(Malformed::takes(offset, "headers", PAIR, "a name alone"));
        }
        Ok(Step::Inside(Open::Pairs(around)))
    }

    /// A value in the innermost container is complete: continues with the next one, or ends it.
    fn next(&mut self, open: Open<'a>) -> Result<Step<'a>, Malformed> {
        match open {
            Open::Array => match self.scanner.element(false)? {
                true => Ok(Step::Inside(Open::Array)),
                false => {
                    self.builder.end();
                    Ok(Step::Whole)
                }
            },
            Open::Pairs(around) => {
                let offset = self.scanner.offset();
                if self.scanner.element(false)? {
                    return Err(Malformed::takes(offset, "headers", PAIR, "a longer array"));
                }
                match self.scanner.element(false)? {
                    true => self.begin_pair(around),
                    false => self.end_table(around),
                }
            }
            Open::Object(names, around) => match self.scanner.member(false)? {
                None => self.end_table(around),
                // If it were accepted, its meaning would change when a filter removes the others.
                Some(name) if name.text.starts_with('$') && around == Around::Value => {
                    let problem = format!(
                        "{} in a table; a table with such names is written {{\"{TABLE}\":{{...}}}}",
                        quoted(&name.text)
                    );
                    Err(Malformed::at(name.offset, problem))
                }
                Some(name) => self.name(names, name, around),
            },
        }
    }

    fn end_table(&mut self, around: Around) -> Result<Step<'a>, Malformed> {
        if around != Around::Nothing {
            self.builder.end();
        }
        if around == Around::Escaped {
            self.end_alone(TABLE)?;
        }
        Ok(Step::Whole)
    }

    /// The end of an object whose only member is called `name`.
    fn end_alone(&mut self, name: &str) -> Result<(), Malformed> {
        match self.scanner.member(false)? {
            None => Ok(()),
            Some(second) => {
                let problem = format!("{} allows no other member beside it", quoted(name));
                Err(Malformed::at(second.offset, problem))
            }
        }
    }
}

fn check_depth(offset: usize, depth: usize) -> Result<(), Malformed> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    let problem = format!("tables and arrays nested more than {MAX_DEPTH} deep");
    Err(Malformed::at(offset, problem))
}

fn field_name(bytes: &[u8], shown: &str, offset: usize) -> Result<message::Name, Malformed> {
    message::Name::new(bytes)
        .map_err(|why| Malformed::at(offset, format!("the name {} {why}", quoted(shown))))
}

/// An integer is signed with 64 bits; a number with a fraction or an exponent is a double.
fn number(scanner: &mut Scanner<'_>) -> Result<Value<'static>, Malformed> {
    let offset = scanner.offset();
    let number = scanner.number()?;
    // Only floats have a negative zero.
    if !number.whole || number.text == "-0" {
        let double = number.text.parse().ok().filter(|double: &f64| double.is_finite());
        return double.map(|double| Value::Double(double.to_bits())).ok_or_else(|| {
            Malformed::at(offset, "a number beyond the range of a float of 64 bits")
        });
    }
    number.text.parse().map(Value::Int64).map_err(|_| {
        let problem = "an integer beyond the range of 64 bits with a sign, RabbitMQ's largest; \
                       write it as a string, or with a fraction (.0) as a float";
        Malformed::at(offset, problem)
    })
}
