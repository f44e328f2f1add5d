//! What is read and written here, beside amq-protocol's own parser and serialiser.

use super::head::Head;
use super::method::Method;
use super::outgoing::{Ends, FromLapin, Outgoing};
use super::wire::{self, Span};
use crate::envelope::message::samples::{is_lapins, properties};
use crate::envelope::message::{Name, Properties};
use amq_protocol::frame::{AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::basic::gen_properties;
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use lapin::types::ShortString;
use proptest::prelude::*;
use std::sync::Arc;

pub(super) fn serialized(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0
}

pub(super) fn method(class: AMQPClass) -> AMQPFrame {
    AMQPFrame::Method(1, class)
}

fn short() -> impl Strategy<Value = ShortString> {
    "\\PC{0,60}".prop_map(|text| ShortString::try_new(text).unwrap_or_default())
}

/// The methods that the lane reads, and some that it does not.
fn class() -> impl Strategy<Value = AMQPClass> {
    let basic = AMQPClass::Basic;
    prop_oneof![
        (any::<u64>(), any::<bool>()).prop_map(move |(delivery_tag, multiple)| basic(
            basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple })
        )),
        (any::<u64>(), any::<bool>()).prop_map(move |(delivery_tag, multiple)| basic(
            basic::AMQPMethod::Nack(basic::Nack { delivery_tag, multiple, requeue: false })
        )),
        (short(), any::<u64>(), any::<bool>(), short(), short()).prop_map(
            move |(consumer_tag, delivery_tag, redelivered, exchange, routing_key)| basic(
                basic::AMQPMethod::Deliver(basic::Deliver {
                    consumer_tag,
                    delivery_tag,
                    redelivered,
                    exchange,
                    routing_key,
                })
            )
        ),
        (any::<u16>(), short(), short(), short()).prop_map(
            move |(reply_code, reply_text, exchange, routing_key)| basic(
                basic::AMQPMethod::Return(basic::Return {
                    reply_code,
                    reply_text,
                    exchange,
                    routing_key,
                })
            )
        ),
        (any::<u64>(), any::<bool>(), short(), short(), any::<u32>()).prop_map(
            move |(delivery_tag, redelivered, exchange, routing_key, message_count)| basic(
                basic::AMQPMethod::GetOk(basic::GetOk {
                    delivery_tag,
                    redelivered,
                    exchange,
                    routing_key,
                    message_count,
                })
            )
        ),
        Just(basic(basic::AMQPMethod::GetEmpty(basic::GetEmpty {}))),
        short().prop_map(move |consumer_tag| basic(basic::AMQPMethod::ConsumeOk(
            basic::ConsumeOk { consumer_tag }
        ))),
        (short(), any::<bool>()).prop_map(move |(consumer_tag, nowait)| basic(
            basic::AMQPMethod::Cancel(basic::Cancel { consumer_tag, nowait })
        )),
        short().prop_map(move |consumer_tag| basic(basic::AMQPMethod::CancelOk(basic::CancelOk {
            consumer_tag
        }))),
        (any::<u16>(), short()).prop_map(|(reply_code, reply_text)| AMQPClass::Channel(
            channel::AMQPMethod::Close(channel::Close {
                reply_code,
                reply_text,
                class_id: 60,
                method_id: 40,
            })
        )),
        Just(AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))),
        (any::<u16>(), short()).prop_map(|(reply_code, reply_text)| AMQPClass::Connection(
            connection::AMQPMethod::Close(connection::Close {
                reply_code,
                reply_text,
                class_id: 0,
                method_id: 0,
            })
        )),
        Just(AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {}))),
    ]
}

/// What amq-protocol has read, in our terms; strings in place of spans.
#[derive(Debug, PartialEq)]
pub(super) struct Told(
    pub(super) &'static str,
    pub(super) u64,
    pub(super) bool,
    pub(super) Vec<Vec<u8>>,
);

pub(super) fn told_by_them(class: &AMQPClass) -> Told {
    let text = |texts: &[&ShortString]| {
        texts.iter().map(|text| text.as_str().as_bytes().to_vec()).collect()
    };
    match class {
        AMQPClass::Basic(basic::AMQPMethod::Ack(it)) => {
            Told("ack", it.delivery_tag, it.multiple, text(&[]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Nack(it)) => {
            Told("nack", it.delivery_tag, it.multiple, text(&[]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Deliver(it)) => {
            let texts = text(&[&it.consumer_tag, &it.exchange, &it.routing_key]);
            Told("deliver", it.delivery_tag, it.redelivered, texts)
        }
        AMQPClass::Basic(basic::AMQPMethod::Return(it)) => {
            Told("return", 0, false, text(&[&it.reply_text, &it.exchange, &it.routing_key]))
        }
        AMQPClass::Basic(basic::AMQPMethod::GetOk(it)) => {
            let texts = text(&[&it.exchange, &it.routing_key]);
            Told("get-ok", it.delivery_tag, it.redelivered, texts)
        }
        AMQPClass::Basic(basic::AMQPMethod::GetEmpty(_)) => Told("get-empty", 0, false, text(&[])),
        AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(it)) => {
            Told("consume-ok", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Cancel(it)) => {
            Told("cancel", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Basic(basic::AMQPMethod::CancelOk(it)) => {
            Told("cancel-ok", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Channel(channel::AMQPMethod::Close(it)) => {
            Told("channel.close", it.reply_code.into(), false, text(&[&it.reply_text]))
        }
        AMQPClass::Channel(channel::AMQPMethod::CloseOk(_)) => {
            Told("channel.close-ok", 0, false, text(&[]))
        }
        AMQPClass::Connection(connection::AMQPMethod::Close(it)) => {
            Told("connection.close", it.reply_code.into(), false, text(&[&it.reply_text]))
        }
        AMQPClass::Connection(connection::AMQPMethod::CloseOk(_)) => {
            Told("connection.close-ok", 0, false, text(&[]))
        }
        _ => Told("other", 0, false, text(&[])),
    }
}

pub(super) fn told_by_us(method: Method, buffer: &[u8]) -> Told {
    let text = |spans: &[Span]| spans.iter().map(|span| span.of(buffer).to_vec()).collect();
    match method {
        Method::Ack { tag, multiple } => Told("ack", tag, multiple, text(&[])),
        Method::Nack { tag, multiple } => Told("nack", tag, multiple, text(&[])),
        Method::Deliver { consumer, tag, redelivered, exchange, routing_key } => {
            Told("deliver", tag, redelivered, text(&[consumer, exchange, routing_key]))
        }
        Method::Return { text: reason, exchange, routing_key } => {
            Told("return", 0, false, text(&[reason, exchange, routing_key]))
        }
        Method::ConsumeOk { consumer } => Told("consume-ok", 0, false, text(&[consumer])),
        Method::Cancel { consumer } => Told("cancel", 0, false, text(&[consumer])),
        Method::CancelOk { consumer } => Told("cancel-ok", 0, false, text(&[consumer])),
        Method::ChannelClose { code, text: reason } => {
            Told("channel.close", code.into(), false, text(&[reason]))
        }
        Method::ChannelCloseOk => Told("channel.close-ok", 0, false, text(&[])),
        Method::ConnectionClose { code, text: reason } => {
            Told("connection.close", code.into(), false, text(&[reason]))
        }
        Method::ConnectionCloseOk => Told("connection.close-ok", 0, false, text(&[])),
        Method::GetOk { tag, redelivered, exchange, routing_key } => {
            Told("get-ok", tag, redelivered, text(&[exchange, routing_key]))
        }
        Method::GetEmpty => Told("get-empty", 0, false, text(&[])),
        Method::Seldom | Method::Other => Told("other", 0, false, text(&[])),
    }
}

/// All that waits, as it would be written, a few bytes at a time.
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
    fn a_method_is_read_as_amq_protocol_reads_it(class in class(), before in 0usize..20) {
        let frame = serialized(&method(class.clone()));
        let mut buffer = vec![7; before];
        buffer.extend(&frame[7..frame.len() - 1]);
        let payload = Span { from: before, to: buffer.len() };
        let ours = Method::read(&buffer, payload).map(|method| told_by_us(method, &buffer));
        prop_assert_eq!(ours, Some(told_by_them(&class)));
        // One byte short, or one too many.
        let short = Method::read(&buffer, Span { to: payload.to - 1, ..payload });
        prop_assert!(matches!(short, None | Some(Method::Other)));
        buffer.push(0);
        let long = Method::read(&buffer, Span { to: payload.to + 1, ..payload });
        prop_assert!(matches!(long, None | Some(Method::Other)));
    }

    #[test]
    fn noise_is_read_as_amq_protocol_reads_it_or_refused(
        class in prop_oneof![Just(10u16), Just(20), Just(60)],
        id in prop_oneof![any::<u16>(), (0u16..13).prop_map(|ten| ten * 10), 20u16..42],
        arguments in prop::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..40),
    ) {
        let mut payload = [class.to_be_bytes(), id.to_be_bytes()].concat();
        payload.extend(arguments);
        let ours = Method::read(&payload, Span { from: 0, to: payload.len() });
        let mut frame = vec![1, 0, 1];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(&payload);
        frame.push(0xce);
        if let Ok((_, AMQPFrame::Method(_, theirs))) = parse_frame(&frame[..]) {
            let ours = ours.map(|method| told_by_us(method, &payload));
            prop_assert_eq!(ours, Some(told_by_them(&theirs)));
        } else if let Some(method) = ours {
            // Strings that are not UTF-8 are the lane's to pass on.
            let Told(name, _, _, texts) = told_by_us(method, &payload);
            let is_text = |text: &Vec<u8>| std::str::from_utf8(text).is_ok();
            let is_passed_over = ["other", "get-empty"].contains(&name);
            prop_assert!(is_passed_over || !texts.iter().all(is_text), "{method:?}");
        }
    }

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
        let bodies: Vec<Arc<[u8]>> =
            sizes.iter().map(|size| (0..size + from).map(|at| at as u8).collect()).collect();
        for body in &bodies {
            out.publish(&head, 9, frame_max, body, from..body.len());
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

    /// Whatever way lapin writes: its frames stay whole between the lane's, and both in order.
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
