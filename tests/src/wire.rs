//! A client that sends exactly the given bytes: names that are not UTF-8, duplicate headers. No
//! library of another client can do that.

use crate::vhost::{PASSWORD, Vhost};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

type Method = [u8; 4];

const START: Method = [0, 10, 0, 10];
const START_OK: Method = [0, 10, 0, 11];
const TUNE: Method = [0, 10, 0, 30];
const TUNE_OK: Method = [0, 10, 0, 31];
const OPEN: Method = [0, 10, 0, 40];
const OPEN_OK: Method = [0, 10, 0, 41];
const CHANNEL_OPEN: Method = [0, 20, 0, 10];
const CHANNEL_OPEN_OK: Method = [0, 20, 0, 11];
const SELECT: Method = [0, 85, 0, 10];
const SELECT_OK: Method = [0, 85, 0, 11];
const PUBLISH: Method = [0, 60, 0, 40];
const ACK: Method = [0, 60, 0, 80];
const GET: Method = [0, 60, 0, 70];
const GET_OK: Method = [0, 60, 0, 71];
const GET_EMPTY: Method = [0, 60, 0, 72];

/// A message as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The exchange.
    pub exchange: Vec<u8>,
    /// The routing key.
    pub routing_key: Vec<u8>,
    /// The property flags and the properties.
    pub properties: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// A connection to a broker, with channel 1 open and confirming.
#[derive(Debug)]
pub struct Wire(TcpStream);

impl Wire {
    /// Connects as the user of `vhost`.
    pub fn connect(vhost: &Vhost<'_>) -> Self {
        let host = vhost.cluster.hosts().split(',').next().unwrap();
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut wire = Wire(stream);
        wire.0.write_all(b"AMQP\0\0\x09\x01").unwrap();
        wire.method(&[START]);
        let login = format!("\0{}\0{PASSWORD}", vhost.name);
        let start = [&[0; 4][..], &short(b"PLAIN"), &long(login.as_bytes()), &short(b"en_US")];
        wire.say(0, START_OK, &start.concat());
        wire.method(&[TUNE]);
        wire.say(0, TUNE_OK, &[7, 255, 0, 2, 0, 0, 0, 0]);
        wire.say(0, OPEN, &[&short(vhost.name.as_bytes())[..], &[0, 0]].concat());
        wire.method(&[OPEN_OK]);
        wire.say(1, CHANNEL_OPEN, &[0]);
        wire.method(&[CHANNEL_OPEN_OK]);
        wire.say(1, SELECT, &[0]);
        wire.method(&[SELECT_OK]);
        wire
    }

    /// Publishes a message, and waits until it is confirmed.
    pub fn publish(&mut self, message: &Raw) {
        let Raw { exchange, routing_key, properties, body } = message;
        self.say(1, PUBLISH, &[&[0, 0][..], &short(exchange), &short(routing_key), &[0]].concat());
        let size = (body.len() as u64).to_be_bytes();
        self.frame(2, 1, &[&[0, 60, 0, 0][..], &size, properties].concat());
        if !body.is_empty() {
            self.frame(3, 1, body);
        }
        self.method(&[ACK]);
    }

    /// Takes a message from `queue`, waiting for one if necessary.
    pub fn take(&mut self, queue: &str) -> Raw {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            self.say(1, GET, &[&[0, 0][..], &short(queue.as_bytes()), &[1]].concat());
            let (method, arguments) = self.method(&[GET_OK, GET_EMPTY]);
            if method == GET_OK {
                return self.content(&arguments[9..]);
            }
            assert!(Instant::now() < until, "nothing comes to {queue}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn content(&mut self, names: &[u8]) -> Raw {
        let (exchange, rest) = names[1..].split_at(names[0].into());
        let routing_key = &rest[1..=usize::from(rest[0])];
        let (_, header) = self.read();
        let size = u64::from_be_bytes(header[4..12].try_into().unwrap()) as usize;
        let mut body = Vec::new();
        while body.len() < size {
            body.extend(self.read().1);
        }
        let (exchange, routing_key) = (exchange.to_vec(), routing_key.to_vec());
        Raw { exchange, routing_key, properties: header[12..].to_vec(), body }
    }

    fn say(&mut self, channel: u8, method: Method, arguments: &[u8]) {
        self.frame(1, channel, &[&method[..], arguments].concat());
    }

    fn frame(&mut self, kind: u8, channel: u8, payload: &[u8]) {
        let frame = [&[kind, 0, channel][..], &long(payload), &[0xce]].concat();
        self.0.write_all(&frame).unwrap();
    }

    /// The next frame's type and payload.
    fn read(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).unwrap();
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        let mut payload = vec![0; size + 1];
        self.0.read_exact(&mut payload).unwrap();
        payload.pop();
        (head[0], payload)
    }

    /// The next method, which has to be one of these, and its arguments.
    fn method(&mut self, wanted: &[Method]) -> (Method, Vec<u8>) {
        let (kind, payload) = self.read();
        let (method, arguments) = payload.split_first_chunk().unwrap();
        let told = String::from_utf8_lossy(arguments);
        assert!(kind == 1 && wanted.contains(method), "{method:?} in place of {wanted:?}: {told}");
        (*method, arguments.to_vec())
    }
}

/// A short string.
pub fn short(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}

/// Bytes after their length.
pub fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// Properties with only these headers: names, and values after the letters of their types.
pub fn headers(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let fields: Vec<u8> =
        fields.iter().flat_map(|(name, value)| [&short(name)[..], value].concat()).collect();
    [&[0x20, 0][..], &long(&fields)].concat()
}
