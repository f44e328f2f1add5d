//! Names, tables and properties composed at random.

use super::{Builder, Name, Octet, PROPERTIES, Properties, Property, Table, Value};
use proptest::prelude::*;

/// A value, owned.
#[derive(Clone, Debug)]
pub(crate) enum Sample {
    Leaf(Value<'static>),
    String(Vec<u8>),
    Bytes(Vec<u8>),
    Array(Vec<Sample>),
    Table(Vec<(Name, Sample)>),
}

/// A name: any, or one with a meaning.
pub(crate) fn names() -> impl Strategy<Value = Name> {
    let name = prop_oneof![
        4 => ".{0,8}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..5),
        2 => "[ab]".prop_map(String::into_bytes),
        1 => "\\$[a-z0-9]{0,3}".prop_map(String::into_bytes),
        1 => prop::sample::select(vec!["$table", "$int8", "$double", "$string_base64", "$bytes"])
            .prop_map(|name| name.as_bytes().to_vec()),
        1 => "[a-z]{255}".prop_map(String::into_bytes),
    ];
    name.prop_map(|name| Name::new(name).unwrap())
}

pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        any::<String>().prop_map(String::into_bytes),
        "[ -~\\n\\t\u{0}]{0,200}".prop_map(String::into_bytes),
    ]
}

fn values() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        any::<u8>().prop_map(Value::Boolean),
        any::<i8>().prop_map(Value::Int8),
        any::<u8>().prop_map(Value::Uint8),
        any::<i16>().prop_map(Value::Int16),
        any::<u16>().prop_map(Value::Uint16),
        any::<i32>().prop_map(Value::Int32),
        any::<u32>().prop_map(Value::Uint32),
        any::<i64>().prop_map(Value::Int64),
        any::<i64>().prop_map(Value::Long),
        any::<u32>().prop_map(Value::Float),
        any::<u64>().prop_map(Value::Double),
        // NaNs and infinities, with any payload.
        (0..1u32 << 24).prop_map(|bits| Value::Float(0x7f80_0000 ^ bits << 8)),
        any::<u64>().prop_map(|bits| Value::Double(bits | 0x7ff0 << 48)),
        any::<i32>().prop_map(|whole| Value::Double(f64::from(whole).to_bits())),
        (any::<u8>(), any::<u32>()).prop_map(|(scale, value)| Value::Decimal { scale, value }),
        any::<u64>().prop_map(Value::Timestamp),
        Just(Value::Void),
    ];
    let leaf = prop_oneof![
        12 => leaf.prop_map(Sample::Leaf),
        3 => bytes().prop_map(Sample::String),
        1 => bytes().prop_map(Sample::Bytes),
    ];
    leaf.prop_recursive(6, 40, 6, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..6).prop_map(Sample::Array),
            prop::collection::vec((names(), value), 0..6).prop_map(Sample::Table),
        ]
    })
}

fn build(builder: &mut Builder, sample: &Sample) {
    match sample {
        Sample::Leaf(value) => builder.value(*value),
        Sample::String(bytes) => builder.value(Value::String(bytes)),
        Sample::Bytes(bytes) => builder.value(Value::Bytes(bytes)),
        Sample::Array(samples) => {
            builder.begin_array();
            samples.iter().for_each(|sample| build(builder, sample));
            builder.end();
        }
        Sample::Table(fields) => {
            builder.begin_table();
            fields_of(builder, fields);
            builder.end();
        }
    }
}

fn fields_of(builder: &mut Builder, fields: &[(Name, Sample)]) {
    for (name, sample) in fields {
        builder.name(name);
        build(builder, sample);
    }
}

pub(crate) fn tables() -> impl Strategy<Value = Table> {
    prop::collection::vec((names(), values()), 0..6).prop_map(|fields| {
        let mut builder = Builder::default();
        fields_of(&mut builder, &fields);
        builder.table()
    })
}

pub(crate) fn properties() -> impl Strategy<Value = Properties> {
    let texts = prop::collection::vec(prop::option::of(names()), PROPERTIES.len());
    let octets = prop::collection::vec(any::<Option<u8>>(), PROPERTIES.len());
    let rest = (any::<Option<u64>>(), prop::option::of(tables()));
    (texts, octets, rest).prop_map(|(texts, octets, (timestamp, headers))| {
        let mut properties = Properties::of_headers(headers);
        properties.timestamp = timestamp;
        for (index, (_, property)) in PROPERTIES.iter().enumerate() {
            match property {
                Property::Text(text) => {
                    if let Some(name) = &texts[index] {
                        properties.set(*text, name.clone());
                    }
                }
                Property::Octet(octet) => {
                    if let Some(value) = octets[index] {
                        properties.set_octet(*octet, value);
                    }
                }
                Property::Timestamp | Property::Headers => {}
            }
        }
        properties
    })
}

/// Whether lapin's types can hold these properties: texts, each name once, types that it writes.
pub(crate) fn is_lapins(properties: &Properties) -> bool {
    fn good<'a>(value: &Value<'a>) -> bool {
        match value {
            Value::Boolean(byte) => *byte < 2,
            Value::Long(_) => false,
            Value::Table(fields) => {
                let mut names: Vec<_> = fields.map(|field| field.name).collect();
                let is_sorted = names.is_sorted();
                names.dedup();
                is_sorted
                    && names.len() == fields.count()
                    && names.iter().all(|name| std::str::from_utf8(name).is_ok())
            }
            _ => true,
        }
    }
    let texts = PROPERTIES.iter().all(|(_, property)| match property {
        Property::Text(text) => properties.get(*text).is_none_or(|name| name.text().is_some()),
        _ => true,
    });
    let headers = properties.headers.as_ref();
    texts && headers.is_none_or(|table| Value::Table(table.fields()).all(good))
}

/// The delivery mode.
pub(crate) fn mode(properties: &Properties) -> Option<u8> {
    properties.octet(Octet::DeliveryMode)
}
