//! Any envelope reads back as it was, and any bytes are read or refused.

use super::*;
use lapin::types::DecimalValue;
use proptest::prelude::*;

/// A name: any, or one that means something.
fn names() -> impl Strategy<Value = ShortString> {
    let name = prop_oneof![
        4 => ".{0,8}",
        1 => "\\$[a-z0-9]{0,3}",
        1 => prop::sample::select(vec!["$table", "$int8", "$double", "$decimal", "$bytes"])
            .prop_map(str::to_owned),
        1 => "[a-z]{255}",
    ];
    name.prop_map(|name| ShortString::try_new(name).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        any::<String>().prop_map(String::into_bytes),
        "[ -~\\n\\t\u{0}]{0,200}".prop_map(String::into_bytes),
    ]
}

fn values() -> impl Strategy<Value = AMQPValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<u8>().prop_map(AMQPValue::ShortShortUInt),
        any::<i16>().prop_map(AMQPValue::ShortInt),
        any::<u16>().prop_map(AMQPValue::ShortUInt),
        any::<i32>().prop_map(AMQPValue::LongInt),
        any::<u32>().prop_map(AMQPValue::LongUInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        any::<u32>().prop_map(|bits| AMQPValue::Float(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| AMQPValue::Double(f64::from_bits(bits))),
        // NaNs and infinities, with any payload.
        (0..1u32 << 24).prop_map(|bits| AMQPValue::Float(f32::from_bits(0x7f80_0000 ^ bits << 8))),
        any::<u64>().prop_map(|bits| AMQPValue::Double(f64::from_bits(bits | 0x7ff0 << 48))),
        any::<i32>().prop_map(|whole| AMQPValue::Double(whole.into())),
        (any::<u8>(), any::<u32>())
            .prop_map(|(scale, value)| AMQPValue::DecimalValue(DecimalValue { scale, value })),
        any::<u64>().prop_map(AMQPValue::Timestamp),
        bytes().prop_map(|bytes| AMQPValue::LongString(bytes.into())),
        bytes().prop_map(|bytes| AMQPValue::ByteArray(bytes.into())),
        Just(AMQPValue::Void),
    ];
    leaf.prop_recursive(6, 40, 6, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..6).prop_map(array),
            prop::collection::btree_map(names(), value, 0..6)
                .prop_map(|entries| AMQPValue::FieldTable(entries.into())),
        ]
    })
}

fn headers() -> impl Strategy<Value = FieldTable> {
    prop::collection::btree_map(names(), values(), 0..6).prop_map(FieldTable::from)
}

fn properties() -> impl Strategy<Value = BasicProperties> {
    let texts = prop::collection::vec(prop::option::of(names()), 10);
    let numbers = (any::<Option<u8>>(), any::<Option<u8>>(), any::<Option<u64>>());
    (texts, numbers, prop::option::of(headers())).prop_map(|(texts, numbers, headers)| {
        let set: [fn(BasicProperties, ShortString) -> BasicProperties; 10] = [
            BasicProperties::with_content_type,
            BasicProperties::with_content_encoding,
            BasicProperties::with_correlation_id,
            BasicProperties::with_reply_to,
            BasicProperties::with_expiration,
            BasicProperties::with_message_id,
            BasicProperties::with_type,
            BasicProperties::with_user_id,
            BasicProperties::with_app_id,
            BasicProperties::with_cluster_id,
        ];
        let mut properties = BasicProperties::default();
        for (set, text) in set.into_iter().zip(texts) {
            properties = match text {
                Some(text) => set(properties, text),
                None => properties,
            };
        }
        if let Some(mode) = numbers.0 {
            properties = properties.with_delivery_mode(mode);
        }
        if let Some(priority) = numbers.1 {
            properties = properties.with_priority(priority);
        }
        if let Some(timestamp) = numbers.2 {
            properties = properties.with_timestamp(timestamp);
        }
        match headers {
            Some(headers) => properties.with_headers(headers),
            None => properties,
        }
    })
}

fn envelopes() -> impl Strategy<Value = Envelope<'static>> {
    let delivery = (any::<Option<String>>(), any::<bool>(), any::<bool>(), any::<Option<u64>>());
    let place = (prop::option::of(names()), prop::option::of(names()), any::<bool>());
    (delivery, place, properties(), prop::option::of(bytes())).prop_map(
        |(
            (id, more, redelivered, delivery_count),
            (exchange, routing_key, no_mode),
            properties,
            body,
        )| {
            Envelope {
                id: id.map(Cow::Owned),
                more,
                exchange,
                routing_key,
                redelivered,
                delivery_count,
                // It has a meaning only where there is none.
                no_delivery_mode: no_mode && properties.delivery_mode().is_none(),
                properties,
                body: body.map(Cow::Owned),
            }
        },
    )
}

proptest! {
    #[test]
    fn every_envelope_reads_back_as_it_was(envelope in envelopes()) {
        let line = encoded(&envelope);
        prop_assert!(!line.contains(&b'\n'));
        let is_json = serde_json::from_slice::<serde_json::Value>(&line);
        prop_assert!(is_json.is_ok(), "{is_json:?}");
        let read = Envelope::decode(&line).unwrap();
        prop_assert!(same_envelope(&read, &envelope), "{read:?} {envelope:?}");
        prop_assert_eq!(encoded(&read), line);
    }

    #[test]
    fn what_stands_before_in_the_buffer_stays(envelope in envelopes()) {
        let mut lines = b"before{".to_vec();
        envelope.encode(&mut lines);
        prop_assert_eq!(lines.strip_prefix(b"before{"), Some(&encoded(&envelope)[..]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(malformed) = Envelope::decode(&line) {
            prop_assert!((1..=line.len() + 1).contains(&malformed.column));
        }
    }

    #[test]
    fn a_damaged_envelope_is_read_or_refused(
        envelope in envelopes(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>()), 1..4),
    ) {
        let mut line = encoded(&envelope);
        for (place, kind, byte) in damage {
            let place = place.index(line.len() + 1).min(line.len().saturating_sub(1));
            match kind {
                _ if line.is_empty() => line.push(byte),
                0 => line[place] = byte,
                1 => line.insert(place, b"\"\\{}[]:,$0-."[usize::from(byte) % 12]),
                _ => line.truncate(place),
            }
        }
        match Envelope::decode(&line) {
            Ok(read) => {
                let written = encoded(&read);
                prop_assert!(same_envelope(&Envelope::decode(&written).unwrap(), &read));
            }
            Err(malformed) => prop_assert!((1..=line.len() + 1).contains(&malformed.column)),
        }
    }

}
