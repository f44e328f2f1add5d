//! What is parsed and written here, compared with amq-protocol's own parser and serialiser.

use super::head::Head;
use super::outgoing::{Ends, FromLapin, Outgoing};
use super::samples::{method, serialized};
use super::wire;
use crate::envelope::message::samples::{is_lapins, properties};
use crate::envelope::message::{Name, Properties};
use amq_protocol::frame::{AMQPFrame, WriteContext, parse_frame};
use amq_protocol::protocol::basic::gen_properties;
use amq_protocol::protocol::{AMQPClass, basic, channel};
use lapin::types::ShortString;
use proptest::prelude::*;

fn short() -> impl Strategy<Value = ShortString> {
    "\\PC{0,60}".prop_map(|text| ShortString::try_new(text).unwrap_or_default())
}

/// Everything that waits, as it would be written, a few bytes at a time.
fn written(out: &mut Outgoing, step: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while out.len() > 0 {
        let (slices, count) = out.slices();
        let there = slices[..count].iter().flat_map(|slice| slice.iter().copied());
        let some: Vec<u8> = there.take(step).collect();
        assert!(!some.is_empty());
        bytes.extend(&some);
        out.wrote(some.len());
    }
    bytes
}

fn parsed(mut bytes: &[u8]) -> Vec<AMQPFrame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (rest, frame) = parse_frame(bytes).unwrap();
        bytes = rest;
        frames.push(frame);
    }
    frames
}

proptest! {
    #[test]
    fn amq_protocol_reads_what_is_published(
        exchange in short(), key in short(), properties in properties().prop_filter("lapin's", is_lapins), mandatory in any::<bool>(),
        frame_max in prop_oneof![Just(0u32), 1u32..5000, 4096u32..200_000],
        sizes in prop::collection::vec(prop_oneof![Just(0usize), 1usize..200, 0usize..300_000], 1..4),
        step in 1usize..100_000, from in 0usize..10,
    ) {
        let mut out = Outgoing::default();
        let [by, to] = [&exchange, &key].map(|name| Name::new(name.as_str()).unwrap());
        let head = Head::new(9, &by, &to, mandatory, &properties);
        let bodies: Vec<bytes::Bytes> =
            sizes.iter().map(|size| (0..size + from).map(|at| at as u8).collect()).collect();
        for body in &bodies {
            out.publish(&head, 9, frame_max, &body.slice(from..));
        }
        let expected = out.len();
        let bytes = written(&mut out, step);
        prop_assert_eq!(bytes.len(), expected);
        let mut frames = parsed(&bytes).into_iter();
        let most = if frame_max == 0 { 131_072 } else { frame_max.clamp(4096, 131_072) };
        for body in &bodies {
            let publish = basic::Publish {
                exchange: exchange.clone(),
                routing_key: key.clone(),
                mandatory,
                immediate: false,
            };
            let class = AMQPClass::Basic(basic::AMQPMethod::Publish(publish));
            prop_assert_eq!(frames.next(), Some(AMQPFrame::Method(9, class)));
            let Some(AMQPFrame::Header(9, header)) = frames.next() else {
                return Err(TestCaseError::fail("no header"));
            };
            prop_assert_eq!(header.body_size, (body.len() - from) as u64);
            let written = gen_properties(&header.properties)(WriteContext::from(Vec::new()));
            let written = written.unwrap().into_inner().0;
            prop_assert_eq!(Properties::read(&written), Some(properties.clone()));
            let mut got = Vec::new();
            while got.len() < body.len() - from {
                let Some(AMQPFrame::Body(9, piece)) = frames.next() else {
                    return Err(TestCaseError::fail("no body"));
                };
                prop_assert!(piece.len() + 8 <= most as usize);
                got.extend(piece);
            }
            prop_assert_eq!(&got[..], &body[from..]);
        }
        prop_assert_eq!(frames.next(), None);
    }

    /// However lapin writes, its frames stay complete between the lane's, and both stay in order.
    #[test]
    fn frames_of_lapin_and_of_the_lane_never_cut_each_other(
        sizes in prop::collection::vec(0usize..3000, 0..20), cuts in prop::collection::vec(1usize..700, 1..50),
        step in 1usize..9000,
    ) {
        let mut stream = b"AMQP\0\0\x09\x01".to_vec();
        for (index, size) in sizes.iter().enumerate() {
            stream.extend(serialized(&AMQPFrame::Body(2, vec![index as u8; *size])));
        }
        let close = channel::Close {
            reply_code: 200, reply_text: ShortString::default(), class_id: 0, method_id: 0,
        };
        stream.extend(serialized(&AMQPFrame::Method(
            5, AMQPClass::Channel(channel::AMQPMethod::Close(close)),
        )));
        let (mut out, mut lapin, mut lane) = (Outgoing::default(), FromLapin::default(), Outgoing::default());
        let mut ends = Vec::new();
        let (mut rest, mut tag, mut turn) = (&stream[..], 0, 0);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            rest = behind;
            lapin.take(piece, &mut out, |end| ends.push(end));
            tag += 1;
            turn += 1;
            lane.ack(1, tag, false);
            out.append(&mut lane);
        }
        prop_assert_eq!(ends, vec![Ends::Channel(5)]);
        let bytes = written(&mut out, step);
        let mut frames = bytes.as_slice();
        let (mut of_lapin, mut acks): (Vec<u8>, u64) = (Vec::new(), 0);
        while !frames.is_empty() {
            let (behind, frame) = parse_frame(frames).unwrap();
            if let AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) = &frame {
                acks += 1;
                prop_assert_eq!(ack.delivery_tag, acks);
            } else {
                of_lapin.extend(&frames[..frames.len() - behind.len()]);
            }
            frames = behind;
        }
        prop_assert_eq!(acks, tag);
        prop_assert!(of_lapin == stream);
    }
}

#[test]
fn acknowledgements_are_what_amq_protocol_writes() {
    let ack = basic::AMQPMethod::Ack(basic::Ack { delivery_tag: 77, multiple: true });
    let nack = |requeue| {
        basic::AMQPMethod::Nack(basic::Nack { delivery_tag: 78, multiple: false, requeue })
    };
    let mut out = Vec::new();
    wire::put_ack(&mut out, 1, 77, true);
    assert_eq!(out, serialized(&method(AMQPClass::Basic(ack))));
    for requeue in [true, false] {
        out.clear();
        wire::put_nack(&mut out, 1, 78, requeue);
        assert_eq!(out, serialized(&method(AMQPClass::Basic(nack(requeue)))));
    }
    let reject = basic::AMQPMethod::Reject(basic::Reject { delivery_tag: 79, requeue: true });
    out.clear();
    wire::put_return(&mut out, 1, 79);
    assert_eq!(out, serialized(&method(AMQPClass::Basic(reject))));
}

#[test]
fn a_question_for_a_message_is_what_amq_protocol_writes() {
    let queue = ShortString::try_new("jobs").unwrap();
    let get = basic::AMQPMethod::Get(basic::Get { queue, no_ack: false });
    let mut out = Vec::new();
    wire::put_get(&mut out, 1, &Name::new("jobs").unwrap());
    assert_eq!(out, serialized(&method(AMQPClass::Basic(get))));
}
