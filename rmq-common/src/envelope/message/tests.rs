//! Tables and properties compared with amq-protocol's own parser and serialiser.

use super::samples::{is_lapins, properties, tables};
use super::*;
use amq_protocol::frame::WriteContext;
use amq_protocol::protocol::basic::{gen_properties, parse_properties};
use proptest::prelude::*;

pub(super) fn written(properties: &Properties) -> Vec<u8> {
    let mut bytes = Vec::new();
    properties.put(&mut bytes);
    bytes
}

/// What amq-protocol makes of properties, if it can read them.
pub(super) fn theirs(bytes: &[u8]) -> Option<Vec<u8>> {
    let (rest, properties) = parse_properties(bytes).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let written = gen_properties(&properties)(WriteContext::from(Vec::new())).ok()?;
    Some(written.into_inner().0)
}

proptest! {
    #[test]
    fn properties_are_read_as_they_were_written(properties in properties()) {
        let bytes = written(&properties);
        prop_assert_eq!(Properties::read(&bytes), Some(properties.clone()));
        let passed = pass(&bytes).map(|(length, headers)| (length, headers.map(|it| it.rest())));
        let table = properties.headers.as_ref().map(Table::as_bytes);
        prop_assert_eq!(passed, Some((bytes.len(), table)));
        prop_assert_eq!(raw_headers(&bytes).map(|fields| fields.rest()), table);
    }

    #[test]
    fn amq_protocol_reads_what_it_can_hold_and_writes_it_the_same(properties in properties()) {
        let bytes = written(&properties);
        if is_lapins(&properties) {
            prop_assert_eq!(theirs(&bytes), Some(bytes));
        }
    }

    #[test]
    fn what_is_cut_short_is_malformed(properties in properties(), at in any::<prop::sample::Index>()) {
        let bytes = written(&properties);
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(Properties::read(cut), None);
    }

    #[test]
    fn a_table_without_some_fields_has_the_others_in_their_order(table in tables(), byte in any::<u8>()) {
        let goes = |name: &[u8]| name.first().is_some_and(|first| *first < byte);
        let rest = table.without(goes);
        let kept: Vec<_> = table.fields().filter(|field| !goes(field.name)).collect();
        prop_assert_eq!(rest.fields().collect::<Vec<_>>(), kept);
        prop_assert_eq!(Table::read(rest.as_bytes()), Some(rest.clone()));
        let mut both = rest.clone();
        both.append(&table);
        prop_assert_eq!(both.fields().count(), rest.fields().count() + table.fields().count());
    }
}

#[test]
fn what_is_missing_is_taken_from_below() {
    let name = |text: &str| Name::new(text).unwrap();
    let (mut over, mut under) = (Properties::default(), Properties::default());
    over.set(Text::Type, name("over"));
    under.set(Text::Type, name("under"));
    under.set(Text::AppId, name("app"));
    under.set_octet(Octet::Priority, 3);
    under.timestamp = Some(1);
    let both = over.over(&under);
    assert_eq!(both.get(Text::Type), Some(&name("over")));
    assert_eq!(both.get(Text::AppId), Some(&name("app")));
    assert_eq!((both.octet(Octet::Priority), both.timestamp), (Some(3), Some(1)));
    over.set_octet(Octet::Priority, 1);
    assert_eq!(over.over(&under).octet(Octet::Priority), Some(1));
}

#[test]
fn a_name_has_255_bytes_at_most() {
    assert!(Name::new([0xff; 255]).is_ok());
    assert_eq!(Name::new([0xff; 256]), Err(TooLong(256)));
    assert_eq!(Name::new(b"k\xff\n").unwrap().shown(), "'k\\xff\\n'");
    assert_eq!(Name::new("größer").unwrap().shown(), "größer");
}

#[test]
fn no_depth_overflows_the_stack_and_too_much_is_refused() {
    let nested = |depth: usize, is_array: bool| {
        let mut builder = Builder::default();
        builder.name(&Name::new("h").unwrap());
        for level in 0..depth {
            match is_array {
                true => builder.begin_array(),
                false => {
                    builder.begin_table();
                    if level + 1 < depth {
                        builder.name(&Name::default());
                    }
                }
            }
        }
        (0..depth).for_each(|_| builder.end());
        builder.table()
    };
    for is_array in [true, false] {
        assert!(Table::read(nested(MAX_DEPTH, is_array).as_bytes()).is_some());
        assert_eq!(Table::read(nested(MAX_DEPTH + 1, is_array).as_bytes()), None);
        assert_eq!(Table::read(nested(100_000, is_array).as_bytes()), None);
    }
}
