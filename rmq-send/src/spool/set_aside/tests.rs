use super::*;
use crate::record::compose::{Content, Routing};
use crate::record::item::Route;
use crate::record::properties::Properties;
use rmq_common::message::Name;

fn aside(directory: &Arc<Directory>, format: Format, content: Content, most: u64) -> SetAside {
    let routing_key = Name::new("logs").unwrap();
    let routing = match content {
        Content::Body => Routing::Fixed(Arc::new(Route { routing_key, ..Route::default() })),
        _ => Routing::Record,
    };
    let composer = Composer {
        routing,
        content,
        properties: Properties::default(),
        drops: false,
        source_header: None,
    };
    let [rejected, _] = Rejects::in_spool(directory);
    let diagnostics = Diagnostics::new("rmq-send", true, false);
    SetAside::new(Arc::clone(directory), rejected, composer, format, most, diagnostics)
}

/// What is kept of a record that comes in these pieces.
fn kept(format: Format, content: Content, most: u64, pieces: &[&[u8]]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let spool = Arc::new(Directory::open(directory.path()).unwrap());
    let mut aside = aside(&spool, format, content, most);
    let (first, rest) = pieces.split_first().unwrap();
    let raw = Raw::Begun { bytes: first.to_vec().into(), more: !rest.is_empty() };
    aside.bad(1, &raw).unwrap();
    for (index, piece) in rest.iter().enumerate() {
        aside.rest(piece, index + 1 < rest.len()).unwrap();
    }
    assert!(!directory.path().join(PASSING).exists());
    std::fs::read_to_string(directory.path().join("rejected")).unwrap()
}

#[test]
fn a_long_record_becomes_an_envelope_that_can_be_sent() {
    let pieces: [&[&[u8]]; 3] =
        [&[b"a long line\n"], &[b"a lo", b"ng l", b"ine\n"], &[b"a long line", b"\n"]];
    for pieces in pieces {
        let line = kept(Format::Lines, Content::Body, 1000, pieces);
        let envelope = Envelope::decode(line.trim_end().as_bytes()).unwrap();
        assert_eq!(envelope.body.as_deref(), Some(&b"a long line"[..]), "{line}");
        assert_eq!(envelope.routing_key.as_ref().map(Name::as_bytes), Some(&b"logs"[..]));
    }
    let line = kept(Format::Length, Content::Body, 1000, &[b"\0\0\0\x06bod", b"ies"]);
    let envelope = Envelope::decode(line.trim_end().as_bytes()).unwrap();
    assert_eq!(envelope.body.as_deref(), Some(&b"bodies"[..]));
    let keyed = Content::Keyed(b":".to_vec());
    let line = kept(Format::Lines, keyed.clone(), 1000, &[b"jobs:bo", b"dy\n"]);
    let envelope = Envelope::decode(line.trim_end().as_bytes()).unwrap();
    assert_eq!(envelope.body.as_deref(), Some(&b"body"[..]));
    assert_eq!(envelope.routing_key.as_ref().map(Name::as_bytes), Some(&b"jobs"[..]));
    // Without its key, its destination is unknown.
    let line = kept(Format::Lines, keyed, 1000, &[b"no key", b" at all\n"]);
    let envelope = Envelope::decode(line.trim_end().as_bytes()).unwrap();
    assert_eq!(envelope.body.as_deref(), Some(&b"no key at all"[..]));
    assert_eq!(envelope.routing_key, None);
}

#[test]
fn what_was_to_be_an_envelope_stays_as_it_is_and_what_is_beyond_the_bound_is_left_out() {
    let line = kept(Format::Json, Content::Envelope, 1000, &[b"{\"body\":\"", b"long\"}\n"]);
    assert_eq!(line, "{\"body\":\"long\"}\n");
    let line = kept(Format::Lines, Content::Body, 5, &[b"a lo", b"ng line\n"]);
    assert!(line.ends_with("\"body_base64\":\"YSBsb24=\",\"left_out\":6}\n"), "{line}");
    assert!(Envelope::decode(line.trim_end().as_bytes()).is_err());
}

#[test]
fn a_record_in_its_own_format_but_not_in_ours_is_kept_without_a_route() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Arc::new(Directory::open(directory.path()).unwrap());
    let mut aside = aside(&spool, Format::Lines, Content::Keyed(b":".to_vec()), 1000);
    aside.bad(1, &Raw::Whole(b"no key"[..].into())).unwrap();
    // One whose end never comes leaves nothing.
    aside.bad(2, &Raw::Begun { bytes: b"k:long"[..].into(), more: true }).unwrap();
    assert_eq!(aside.end(), Some(2));
    assert!(!directory.path().join(PASSING).exists());
    let text = std::fs::read_to_string(directory.path().join("rejected")).unwrap();
    assert_eq!(text, "{\"body\":\"no key\"}\n");
}
