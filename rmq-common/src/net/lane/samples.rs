//! Frames for the tests, as amq-protocol writes them.

use amq_protocol::frame::{AMQPFrame, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use lapin::types::ShortString;

pub(super) fn serialized(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0
}

pub(super) fn method(class: AMQPClass) -> AMQPFrame {
    AMQPFrame::Method(1, class)
}

pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap()
}

pub(super) fn on(channel: u16, class: AMQPClass) -> Vec<u8> {
    serialized(&AMQPFrame::Method(channel, class))
}

pub(super) fn basic(channel: u16, method: basic::AMQPMethod) -> Vec<u8> {
    on(channel, AMQPClass::Basic(method))
}

pub(super) fn consume_ok(channel: u16) -> Vec<u8> {
    let consumer_tag = short("tag");
    basic(channel, basic::AMQPMethod::ConsumeOk(basic::ConsumeOk { consumer_tag }))
}

pub(super) fn ack(channel: u16, delivery_tag: u64) -> Vec<u8> {
    basic(channel, basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple: true }))
}

pub(super) fn deliver(channel: u16, consumer: &str, delivery_tag: u64) -> Vec<u8> {
    basic(
        channel,
        basic::AMQPMethod::Deliver(basic::Deliver {
            consumer_tag: short(consumer),
            delivery_tag,
            redelivered: false,
            exchange: short("e"),
            routing_key: short("key"),
        }),
    )
}

pub(super) fn header(channel: u16, size: u64) -> Vec<u8> {
    let payload = [&[0, 60, 0, 0][..], &size.to_be_bytes(), &[0x80, 0, 4], b"text"].concat();
    let mut frame = vec![2];
    frame.extend(channel.to_be_bytes());
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(payload);
    frame.push(0xce);
    frame
}

pub(super) fn body(channel: u16, bytes: &[u8]) -> Vec<u8> {
    serialized(&AMQPFrame::Body(channel, bytes.to_vec()))
}

pub(super) fn closes(channel: u16) -> Vec<u8> {
    let close = channel::Close {
        reply_code: 404,
        reply_text: short("NOT_FOUND - gone"),
        class_id: 60,
        method_id: 40,
    };
    on(channel, AMQPClass::Channel(channel::AMQPMethod::Close(close)))
}

pub(super) fn close_ok(channel: u16) -> Vec<u8> {
    on(channel, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {})))
}

pub(super) fn connection_closes() -> Vec<u8> {
    let close = connection::Close {
        reply_code: 320,
        reply_text: short("CONNECTION_FORCED - shutdown"),
        class_id: 0,
        method_id: 0,
    };
    on(0, AMQPClass::Connection(connection::AMQPMethod::Close(close)))
}
