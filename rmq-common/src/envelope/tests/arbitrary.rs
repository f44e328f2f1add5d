//! Any envelope is read back as it was, and any bytes are read or refused.

use super::*;
use crate::envelope::message::Properties;
use crate::envelope::message::samples::{bytes, mode, names, properties};
use proptest::prelude::*;
use std::borrow::Cow;

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
                // It has a meaning only if there is no mode.
                no_delivery_mode: no_mode && mode(&properties).is_none(),
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
        prop_assert_eq!(&read, &envelope);
        prop_assert_eq!(encoded(&read), line);
    }

    /// From the wire to an envelope and back.
    #[test]
    fn properties_come_back_byte_for_byte(properties in properties()) {
        let (mut sent, mut back) = (Vec::new(), Vec::new());
        properties.put(&mut sent);
        let properties = Properties::read(&sent).unwrap();
        let line = encoded(&Envelope { properties, ..Envelope::default() });
        Envelope::decode(&line).unwrap().properties.put(&mut back);
        prop_assert_eq!(back, sent);
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
                prop_assert_eq!(Envelope::decode(&written).unwrap(), read);
            }
            Err(malformed) => prop_assert!((1..=line.len() + 1).contains(&malformed.column)),
        }
    }

}
