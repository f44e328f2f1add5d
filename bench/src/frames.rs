//! What a client writes: frames and methods of AMQP 0-9-1, encoded by hand.

/// What RabbitMQ offers and every client accepts.
pub(crate) const FRAME_MAX: u32 = 131_072;

pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const END: u8 = 0xce;

/// A method's class and number (specification, section 4.2.4).
pub(crate) type Method = (u16, u16);
pub(crate) const START: Method = (10, 10);
pub(crate) const START_OK: Method = (10, 11);
pub(crate) const TUNE: Method = (10, 30);
pub(crate) const TUNE_OK: Method = (10, 31);
pub(crate) const OPEN: Method = (10, 40);
pub(crate) const OPEN_OK: Method = (10, 41);
pub(crate) const CHANNEL_OPEN: Method = (20, 10);
pub(crate) const CHANNEL_OPEN_OK: Method = (20, 11);
pub(crate) const DECLARE: Method = (50, 10);
pub(crate) const DECLARE_OK: Method = (50, 11);
pub(crate) const QOS: Method = (60, 10);
pub(crate) const QOS_OK: Method = (60, 11);
pub(crate) const CONSUME: Method = (60, 20);
pub(crate) const CONSUME_OK: Method = (60, 21);
pub(crate) const PUBLISH: Method = (60, 40);
pub(crate) const DELIVER: Method = (60, 60);
pub(crate) const ACK: Method = (60, 80);
pub(crate) const SELECT: Method = (85, 10);
pub(crate) const SELECT_OK: Method = (85, 11);

/// A message to `queue` through the default exchange, as frames.
pub(crate) fn message(queue: &str, body: &[u8]) -> Vec<u8> {
    let mut publish = vec![0, 0, 0];
    short(&mut publish, queue);
    // Mandatory, as in rmq-send.
    publish.push(1);
    let mut bytes = method(1, PUBLISH, &publish);
    let mut header = vec![0, 60, 0, 0];
    header.extend((body.len() as u64).to_be_bytes());
    // Delivery mode 2.
    header.extend([0x10, 0, 2]);
    frame(&mut bytes, HEADER, 1, &header);
    for part in body.chunks(FRAME_MAX as usize - 8) {
        frame(&mut bytes, BODY, 1, part);
    }
    bytes
}

pub(crate) fn ack(tag: u64) -> Vec<u8> {
    let mut arguments = tag.to_be_bytes().to_vec();
    arguments.push(1);
    method(1, ACK, &arguments)
}

pub(crate) fn method(channel: u16, (class, number): Method, arguments: &[u8]) -> Vec<u8> {
    let mut payload = class.to_be_bytes().to_vec();
    payload.extend(number.to_be_bytes());
    payload.extend(arguments);
    let mut bytes = Vec::new();
    frame(&mut bytes, METHOD, channel, &payload);
    bytes
}

fn frame(bytes: &mut Vec<u8>, kind: u8, channel: u16, payload: &[u8]) {
    bytes.push(kind);
    bytes.extend(channel.to_be_bytes());
    bytes.extend((payload.len() as u32).to_be_bytes());
    bytes.extend(payload);
    bytes.push(END);
}

pub(crate) fn short(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(text.len() as u8);
    bytes.extend(text.as_bytes());
}

pub(crate) fn long(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend((text.len() as u32).to_be_bytes());
    bytes.extend(text);
}
