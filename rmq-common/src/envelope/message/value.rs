//! Reads the values of a table or an array from its bytes.

use std::fmt;

/// A value of a table or an array, with RabbitMQ's types
/// (<https://www.rabbitmq.com/amqp-0-9-1-errata>, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// False is 0; RabbitMQ treats any other byte as true.
    Boolean(u8),
    /// A signed integer of 8 bits.
    Int8(i8),
    /// An unsigned integer of 8 bits.
    Uint8(u8),
    /// A signed integer of 16 bits.
    Int16(i16),
    /// An unsigned integer of 16 bits.
    Uint16(u16),
    /// A signed integer of 32 bits.
    Int32(i32),
    /// An unsigned integer of 32 bits.
    Uint32(u32),
    /// A signed integer of 64 bits.
    Int64(i64),
    /// The same with the specification's letter, L instead of l. RabbitMQ accepts both.
    Long(i64),
    /// The bits of a 32-bit float.
    Float(u32),
    /// The bits of a 64-bit float.
    Double(u64),
    /// `value` divided by 10 to the power of `scale`.
    Decimal {
        /// The number of digits after the point.
        scale: u8,
        /// All digits.
        value: u32,
    },
    /// Seconds since 1970.
    Timestamp(u64),
    /// A long string: bytes, usually text.
    String(&'a [u8]),
    /// A byte array.
    Bytes(&'a [u8]),
    /// Nothing.
    Void,
    /// An array.
    Array(Items<'a>),
    /// A table.
    Table(Fields<'a>),
}

/// A field of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: Value<'a>,
    /// All of it.
    pub raw: &'a [u8],
}

/// The fields of a table, in order. Ends at bytes that are not a field.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Fields<'a>(&'a [u8]);

/// The values of an array, in order. Ends at bytes that are not a value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Items<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Fields(bytes)
    }

    /// The bytes that are not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Items<'a> {
    /// The bytes that are not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (before, mut rest) = (self.0, self.0);
        let name = short(&mut rest)?;
        let value = value(&mut rest)?;
        self.0 = rest;
        Some(Field { name, value, raw: before.get(..before.len() - rest.len())? })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        value(&mut self.0)
    }
}

/// Reads a value, preceded by its type.
pub(super) fn value<'a>(from: &mut &'a [u8]) -> Option<Value<'a>> {
    let mut rest = *from;
    let value = match u8::from_be_bytes(take(&mut rest)?) {
        b't' => Value::Boolean(u8::from_be_bytes(take(&mut rest)?)),
        b'b' => Value::Int8(i8::from_be_bytes(take(&mut rest)?)),
        b'B' => Value::Uint8(u8::from_be_bytes(take(&mut rest)?)),
        // The specification's U is not RabbitMQ's; other brokers may send it.
        b's' | b'U' => Value::Int16(i16::from_be_bytes(take(&mut rest)?)),
        b'u' => Value::Uint16(u16::from_be_bytes(take(&mut rest)?)),
        b'I' => Value::Int32(i32::from_be_bytes(take(&mut rest)?)),
        b'i' => Value::Uint32(u32::from_be_bytes(take(&mut rest)?)),
        b'l' => Value::Int64(i64::from_be_bytes(take(&mut rest)?)),
        b'L' => Value::Long(i64::from_be_bytes(take(&mut rest)?)),
        b'f' => Value::Float(u32::from_be_bytes(take(&mut rest)?)),
        b'd' => Value::Double(u64::from_be_bytes(take(&mut rest)?)),
        b'D' => Value::Decimal {
            scale: u8::from_be_bytes(take(&mut rest)?),
            value: u32::from_be_bytes(take(&mut rest)?),
        },
        b'T' => Value::Timestamp(u64::from_be_bytes(take(&mut rest)?)),
        b'S' => Value::String(long(&mut rest)?),
        b'x' => Value::Bytes(long(&mut rest)?),
        b'V' => Value::Void,
        b'A' => Value::Array(Items(long(&mut rest)?)),
        b'F' => Value::Table(Fields(long(&mut rest)?)),
        _ => return None,
    };
    *from = rest;
    Some(value)
}

impl Value<'_> {
    /// Appends it in wire format, its type first.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Value::Boolean(byte) => out.extend([b't', byte]),
            Value::Int8(number) => kind(out, b'b', &number.to_be_bytes()),
            Value::Uint8(number) => out.extend([b'B', number]),
            Value::Int16(number) => kind(out, b's', &number.to_be_bytes()),
            Value::Uint16(number) => kind(out, b'u', &number.to_be_bytes()),
            Value::Int32(number) => kind(out, b'I', &number.to_be_bytes()),
            Value::Uint32(number) => kind(out, b'i', &number.to_be_bytes()),
            Value::Int64(number) => kind(out, b'l', &number.to_be_bytes()),
            Value::Long(number) => kind(out, b'L', &number.to_be_bytes()),
            Value::Float(bits) => kind(out, b'f', &bits.to_be_bytes()),
            Value::Double(bits) => kind(out, b'd', &bits.to_be_bytes()),
            Value::Decimal { scale, value } => {
                out.extend([b'D', scale]);
                out.extend(value.to_be_bytes());
            }
            Value::Timestamp(seconds) => kind(out, b'T', &seconds.to_be_bytes()),
            Value::String(bytes) => put_long(out, b'S', bytes),
            Value::Bytes(bytes) => put_long(out, b'x', bytes),
            Value::Void => out.push(b'V'),
            Value::Array(Items(bytes)) => put_long(out, b'A', bytes),
            Value::Table(Fields(bytes)) => put_long(out, b'F', bytes),
        }
    }

    /// Its value, if it is a whole number that is not negative.
    pub fn whole_number(&self) -> Option<u64> {
        match *self {
            Value::Int8(number) => u64::try_from(number).ok(),
            Value::Uint8(number) => Some(number.into()),
            Value::Int16(number) => u64::try_from(number).ok(),
            Value::Uint16(number) => Some(number.into()),
            Value::Int32(number) => u64::try_from(number).ok(),
            Value::Uint32(number) => Some(number.into()),
            Value::Int64(number) | Value::Long(number) => u64::try_from(number).ok(),
            Value::Timestamp(number) => Some(number),
            _ => None,
        }
    }
}

fn kind(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    out.push(kind);
    out.extend_from_slice(payload);
}

fn put_long(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Reads this number of bytes.
pub(super) fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

/// Reads a short string.
pub(super) fn short<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = from.split_first()?;
    let (taken, rest) = rest.split_at_checked(usize::from(*length))?;
    *from = rest;
    Some(taken)
}

/// Reads bytes preceded by their length in four bytes.
pub(super) fn long<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *from;
    let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
    let (taken, rest) = rest.split_at_checked(length)?;
    *from = rest;
    Some(taken)
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.escape_ascii())
    }
}
