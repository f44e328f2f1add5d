//! Raw frames of AMQP 0-9-1, right and wrong, and the numbers of its methods.

/// A class and a method of AMQP 0-9-1 (section 1.3 of the specification's reference).
pub type Method = (u16, u16);

/// `connection.start-ok`
pub const START_OK: Method = (10, 11);
/// `connection.tune`
pub const TUNE: Method = (10, 30);
/// `connection.open`
pub const OPEN: Method = (10, 40);
/// `connection.open-ok`
pub const OPEN_OK: Method = (10, 41);
/// `connection.close`
pub const CLOSE: Method = (10, 50);
/// `connection.blocked`, RabbitMQ's own
pub const BLOCKED: Method = (10, 60);
/// `channel.open`
pub const CHANNEL_OPEN: Method = (20, 10);
/// `channel.open-ok`
pub const CHANNEL_OPEN_OK: Method = (20, 11);
/// `channel.close`
pub const CHANNEL_CLOSE: Method = (20, 40);
/// `channel.close-ok`
pub const CHANNEL_CLOSE_OK: Method = (20, 41);
/// `exchange.declare`
pub const EXCHANGE_DECLARE: Method = (40, 10);
/// `queue.declare`
pub const QUEUE_DECLARE: Method = (50, 10);
/// `queue.declare-ok`
pub const QUEUE_DECLARE_OK: Method = (50, 11);
/// `basic.qos`
pub const QOS: Method = (60, 10);
/// `basic.consume`
pub const CONSUME: Method = (60, 20);
/// `basic.consume-ok`
pub const CONSUME_OK: Method = (60, 21);
/// `basic.cancel`
pub const CANCEL: Method = (60, 30);
/// `basic.publish`
pub const PUBLISH: Method = (60, 40);
/// `basic.return`
pub const RETURN: Method = (60, 50);
/// `basic.deliver`
pub const DELIVER: Method = (60, 60);
/// `basic.get`
pub const GET: Method = (60, 70);
/// `basic.get-ok`
pub const GET_OK: Method = (60, 71);
/// `basic.ack`
pub const ACK: Method = (60, 80);
/// `basic.nack`, RabbitMQ's own
pub const NACK: Method = (60, 120);
/// `confirm.select`, RabbitMQ's own
pub const CONFIRM_SELECT: Method = (85, 10);

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;

/// A frame.
pub fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("a payload of less than 4 GiB");
    [&[kind][..], &channel.to_be_bytes(), &size.to_be_bytes(), payload, &[END]].concat()
}

/// A method's frame.
pub fn method(channel: u16, (class, method): Method, arguments: &[&[u8]]) -> Vec<u8> {
    let ids = [class.to_be_bytes(), method.to_be_bytes()].concat();
    frame(METHOD, channel, &[&ids, &arguments.concat()[..]].concat())
}

/// `connection.start`, with these fields in its table.
pub fn start(table: &[u8]) -> Vec<u8> {
    introduction(table, "PLAIN")
}

/// `connection.start` that offers these login mechanisms, separated by spaces.
pub fn start_offering(mechanisms: &str) -> Vec<u8> {
    introduction(b"", mechanisms)
}

fn introduction(table: &[u8], mechanisms: &str) -> Vec<u8> {
    let size = |length| u32::try_from(length).expect("a short table").to_be_bytes();
    let (fields, offered) = (size(table.len()), size(mechanisms.len()));
    let offered = [&offered, mechanisms.as_bytes()].concat();
    method(0, (10, 10), &[&[0, 9], &fields, table, &offered, b"\0\0\0\x05en_US"])
}

/// `connection.close` or `channel.close`.
pub fn close(channel: u16, code: u16, text: &str) -> Vec<u8> {
    let closes = if channel == 0 { CLOSE } else { CHANNEL_CLOSE };
    let length = u8::try_from(text.len()).expect("a short text");
    method(channel, closes, &[&code.to_be_bytes(), &[length], text.as_bytes(), &[0; 4]])
}

/// A complete delivery: to consumer `tag`, with these property bytes and this body.
pub fn delivery(channel: u16, tag: &str, number: u64, properties: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(tag.len()).expect("a short tag");
    let number = number.to_be_bytes();
    let deliver =
        method(channel, DELIVER, &[&[length], tag.as_bytes(), &number, &[0], &[0], b"\x01q"]);
    [deliver, content(channel, properties, body)].concat()
}

/// The header and the body after a method that carries a message.
pub fn content(channel: u16, properties: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64).to_be_bytes();
    let header = frame(HEADER, channel, &[&[0, 60, 0, 0], &size[..], properties].concat());
    [header, frame(BODY, channel, body)].concat()
}
