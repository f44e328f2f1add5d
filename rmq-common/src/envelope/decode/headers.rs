//! Headers, read: which JSON stands for which AMQP type, nested.
//!
//! Nesting is followed with a list of what is open, not by recursion: what comes in decides how
//! deep it is, and the stack must not.

use super::malformed::{Malformed, quoted};
use super::scanner::{Kind, Name, Scanner};
use super::{typed, values};
use crate::envelope::{MAX_DEPTH, TABLE};
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};

/// Reads one header value from a JSON text, as an envelope's `headers` have it.
///
/// # Errors
/// What is wrong with it, and in which column of `text`.
pub fn header_value(text: &str) -> Result<AMQPValue, Malformed> {
    let mut scanner = Scanner::new(text);
    let value = value(&mut scanner)?;
    scanner.end("the value")?;
    Ok(value)
}

/// Reads the table of headers, whose names may begin with `$` like any other.
pub(super) fn table(scanner: &mut Scanner<'_>, subject: &str) -> Result<FieldTable, Malformed> {
    values::require(scanner, Kind::Object, subject, "an object")?;
    scanner.enter();
    let mut table = FieldTable::default();
    let mut first = true;
    while let Some(name) = scanner.member(first)? {
        let name = new_name(&table, name)?;
        table.insert(name, value(scanner)?);
        first = false;
    }
    Ok(table)
}

/// A table or an array whose end has not come yet.
enum Open {
    Table {
        table: FieldTable,
        /// The name of the value that is being read.
        name: ShortString,
        /// Whether it stands in `{"$table":...}`, which has to end with it.
        escaped: bool,
    },
    Array(FieldArray),
}

/// How far reading has come.
enum Step {
    /// A value is complete.
    Whole(AMQPValue),
    /// A table or an array has begun, or goes on: a value of it comes next.
    Inside(Open),
}

/// Reads one value of any type.
fn value(scanner: &mut Scanner<'_>) -> Result<AMQPValue, Malformed> {
    let mut open: Vec<Open> = Vec::new();
    let mut step = begin(scanner, 0)?;
    loop {
        step = match step {
            Step::Inside(holder) => {
                open.push(holder);
                begin(scanner, open.len())?
            }
            Step::Whole(value) => match open.pop() {
                Some(holder) => holder.put(value, scanner)?,
                None => return Ok(value),
            },
        }
    }
}

/// Begins a value inside `depth` tables and arrays.
fn begin(scanner: &mut Scanner<'_>, depth: usize) -> Result<Step, Malformed> {
    let kind = scanner.kind()?;
    Ok(Step::Whole(match kind {
        Kind::Object => return begin_object(scanner, depth),
        Kind::Array => {
            check_depth(scanner.offset(), depth)?;
            scanner.enter();
            match scanner.element(true)? {
                true => return Ok(Step::Inside(Open::Array(FieldArray::default()))),
                false => AMQPValue::FieldArray(FieldArray::default()),
            }
        }
        Kind::String => {
            let text = scanner.string()?;
            AMQPValue::LongString(LongString::from(text.into_owned()))
        }
        Kind::Number => number(scanner)?,
        Kind::True | Kind::False | Kind::Null => {
            scanner.word(kind);
            if kind == Kind::Null {
                AMQPValue::Void
            } else {
                AMQPValue::Boolean(kind == Kind::True)
            }
        }
    }))
}

/// An object is a table, or by its one member's name a value of another type.
fn begin_object(scanner: &mut Scanner<'_>, depth: usize) -> Result<Step, Malformed> {
    let offset = scanner.offset();
    scanner.enter();
    let first = scanner.member(true)?;
    let escaped = match &first {
        Some(name) if name.text == TABLE => true,
        Some(name) if name.text.starts_with('$') => {
            let value = typed::read(scanner, name)?;
            end_alone(scanner, &name.text)?;
            return Ok(Step::Whole(value));
        }
        _ => false,
    };
    check_depth(offset, depth)?;
    let first = match escaped {
        true => {
            values::require(scanner, Kind::Object, TABLE, "an object")?;
            scanner.enter();
            scanner.member(true)?
        }
        false => first,
    };
    let table = FieldTable::default();
    match first {
        Some(name) => {
            let name = new_name(&table, name)?;
            Ok(Step::Inside(Open::Table { table, name, escaped }))
        }
        None => end_table(scanner, table, escaped),
    }
}

impl Open {
    /// Takes `value` in, and goes on to the next one or to its own end.
    fn put(self, value: AMQPValue, scanner: &mut Scanner<'_>) -> Result<Step, Malformed> {
        match self {
            Open::Array(mut array) => {
                array.push(value);
                match scanner.element(false)? {
                    true => Ok(Step::Inside(Open::Array(array))),
                    false => Ok(Step::Whole(AMQPValue::FieldArray(array))),
                }
            }
            Open::Table { mut table, name, escaped } => {
                table.insert(name, value);
                let Some(name) = scanner.member(false)? else {
                    return end_table(scanner, table, escaped);
                };
                // Left to stand, it would change its meaning when a filter takes away the others.
                if name.text.starts_with('$') && !escaped {
                    let problem = format!(
                        "{} in a table; a table with such names is written {{\"{TABLE}\":{{...}}}}",
                        quoted(&name.text)
                    );
                    return Err(Malformed::at(name.offset, problem));
                }
                let name = new_name(&table, name)?;
                Ok(Step::Inside(Open::Table { table, name, escaped }))
            }
        }
    }
}

fn end_table(
    scanner: &mut Scanner<'_>,
    table: FieldTable,
    escaped: bool,
) -> Result<Step, Malformed> {
    if escaped {
        end_alone(scanner, TABLE)?;
    }
    Ok(Step::Whole(AMQPValue::FieldTable(table)))
}

/// The end of an object whose only member is called `name`.
fn end_alone(scanner: &mut Scanner<'_>, name: &str) -> Result<(), Malformed> {
    match scanner.member(false)? {
        None => Ok(()),
        Some(second) => {
            let problem = format!("{} allows no other member beside it", quoted(name));
            Err(Malformed::at(second.offset, problem))
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

/// A name that `table` does not have yet.
fn new_name(table: &FieldTable, name: Name<'_>) -> Result<ShortString, Malformed> {
    let Name { text, offset } = name;
    if table.contains_key(&text) {
        return Err(Malformed::at(offset, format!("a second {}", quoted(&text))));
    }
    let shown = quoted(&text);
    let length = text.len();
    ShortString::try_new(text).map_err(|_| {
        Malformed::at(offset, format!("the name {shown} has {length} bytes; AMQP allows 255"))
    })
}

/// An integer is a signed one of 64 bits; a number with a fraction or an exponent is a double.
fn number(scanner: &mut Scanner<'_>) -> Result<AMQPValue, Malformed> {
    let offset = scanner.offset();
    let number = scanner.number()?;
    // Only floats have a negative zero.
    if !number.whole || number.text == "-0" {
        let double = number.text.parse().ok().filter(|double: &f64| double.is_finite());
        return double.map(AMQPValue::Double).ok_or_else(|| {
            Malformed::at(offset, "a number beyond the range of a float of 64 bits")
        });
    }
    number.text.parse().map(AMQPValue::LongLongInt).map_err(|_| {
        let problem = "an integer beyond the range of 64 bits with a sign, RabbitMQ's largest; \
                       write it as a string, or with a fraction (.0) as a float";
        Malformed::at(offset, problem)
    })
}
