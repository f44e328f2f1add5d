//! The parsing of methods, compared with amq-protocol's own parser.

use super::method::Method;
use super::samples::{method, serialized};
use super::wire::Span;
use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use lapin::types::ShortString;
use proptest::prelude::*;

fn short() -> impl Strategy<Value = ShortString> {
    "\\PC{0,60}".prop_map(|text| ShortString::try_new(text).unwrap_or_default())
}

/// The methods that the lane parses, and some that it does not.
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

/// What amq-protocol has parsed, in our terms; strings instead of spans.
#[derive(Debug, PartialEq)]
pub(super) struct Reading(
    pub(super) &'static str,
    pub(super) u64,
    pub(super) bool,
    pub(super) Vec<Vec<u8>>,
);

pub(super) fn read_by_them(class: &AMQPClass) -> Reading {
    let text = |texts: &[&ShortString]| {
        texts.iter().map(|text| text.as_str().as_bytes().to_vec()).collect()
    };
    match class {
        AMQPClass::Basic(basic::AMQPMethod::Ack(it)) => {
            Reading("ack", it.delivery_tag, it.multiple, text(&[]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Nack(it)) => {
            Reading("nack", it.delivery_tag, it.multiple, text(&[]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Deliver(it)) => {
            let texts = text(&[&it.consumer_tag, &it.exchange, &it.routing_key]);
            Reading("deliver", it.delivery_tag, it.redelivered, texts)
        }
        AMQPClass::Basic(basic::AMQPMethod::Return(it)) => {
            Reading("return", 0, false, text(&[&it.reply_text, &it.exchange, &it.routing_key]))
        }
        AMQPClass::Basic(basic::AMQPMethod::GetOk(it)) => {
            let texts = text(&[&it.exchange, &it.routing_key]);
            Reading("get-ok", it.delivery_tag, it.redelivered, texts)
        }
        AMQPClass::Basic(basic::AMQPMethod::GetEmpty(_)) => {
            Reading("get-empty", 0, false, text(&[]))
        }
        AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(it)) => {
            Reading("consume-ok", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Basic(basic::AMQPMethod::Cancel(it)) => {
            Reading("cancel", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Basic(basic::AMQPMethod::CancelOk(it)) => {
            Reading("cancel-ok", 0, false, text(&[&it.consumer_tag]))
        }
        AMQPClass::Channel(channel::AMQPMethod::Close(it)) => {
            Reading("channel.close", it.reply_code.into(), false, text(&[&it.reply_text]))
        }
        AMQPClass::Channel(channel::AMQPMethod::CloseOk(_)) => {
            Reading("channel.close-ok", 0, false, text(&[]))
        }
        AMQPClass::Connection(connection::AMQPMethod::Close(it)) => {
            Reading("connection.close", it.reply_code.into(), false, text(&[&it.reply_text]))
        }
        AMQPClass::Connection(connection::AMQPMethod::CloseOk(_)) => {
            Reading("connection.close-ok", 0, false, text(&[]))
        }
        _ => Reading("other", 0, false, text(&[])),
    }
}

pub(super) fn read_by_us(method: Method, buffer: &[u8]) -> Reading {
    let text = |spans: &[Span]| spans.iter().map(|span| span.of(buffer).to_vec()).collect();
    match method {
        Method::Ack { tag, multiple } => Reading("ack", tag, multiple, text(&[])),
        Method::Nack { tag, multiple } => Reading("nack", tag, multiple, text(&[])),
        Method::Deliver { consumer, tag, redelivered, exchange, routing_key } => {
            Reading("deliver", tag, redelivered, text(&[consumer, exchange, routing_key]))
        }
        Method::Return { text: reason, exchange, routing_key } => {
            Reading("return", 0, false, text(&[reason, exchange, routing_key]))
        }
        Method::ConsumeOk { consumer } => Reading("consume-ok", 0, false, text(&[consumer])),
        Method::Cancel { consumer } => Reading("cancel", 0, false, text(&[consumer])),
        Method::CancelOk { consumer } => Reading("cancel-ok", 0, false, text(&[consumer])),
        Method::ChannelClose { code, text: reason } => {
            Reading("channel.close", code.into(), false, text(&[reason]))
        }
        Method::ChannelCloseOk => Reading("channel.close-ok", 0, false, text(&[])),
        Method::ConnectionClose { code, text: reason } => {
            Reading("connection.close", code.into(), false, text(&[reason]))
        }
        Method::ConnectionCloseOk => Reading("connection.close-ok", 0, false, text(&[])),
        Method::GetOk { tag, redelivered, exchange, routing_key } => {
            Reading("get-ok", tag, redelivered, text(&[exchange, routing_key]))
        }
        Method::GetEmpty => Reading("get-empty", 0, false, text(&[])),
        Method::Seldom | Method::Other => Reading("other", 0, false, text(&[])),
    }
}

proptest! {
    #[test]
    fn a_method_is_read_as_amq_protocol_reads_it(class in class(), before in 0usize..20) {
        let frame = serialized(&method(class.clone()));
        let mut buffer = vec![7; before];
        buffer.extend(&frame[7..frame.len() - 1]);
        let payload = Span { from: before, to: buffer.len() };
        let ours = Method::read(&buffer, payload).map(|method| read_by_us(method, &buffer));
        prop_assert_eq!(ours, Some(read_by_them(&class)));
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
            let ours = ours.map(|method| read_by_us(method, &payload));
            prop_assert_eq!(ours, Some(read_by_them(&theirs)));
        } else if let Some(method) = ours {
            // The lane may pass on strings that are not UTF-8.
            let Reading(name, _, _, texts) = read_by_us(method, &payload);
            let is_text = |text: &Vec<u8>| std::str::from_utf8(text).is_ok();
            let is_passed_over = ["other", "get-empty"].contains(&name);
            prop_assert!(is_passed_over || !texts.iter().all(is_text), "{method:?}");
        }
    }
}
