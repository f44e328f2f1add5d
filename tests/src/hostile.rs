//! A peer that plays a broker by a script, and breaks off or breaks the rules where a test wants it:
//! raw frames of AMQP 0-9-1 on loopback.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
const END: u8 = 0xce;

/// A hostile broker, on a port of loopback until the process ends.
#[derive(Debug)]
pub struct Hostile {
    /// Where it listens, with its port.
    pub address: String,
    asked: Arc<Mutex<Vec<Method>>>,
}

impl Hostile {
    /// Plays `script` to every client that comes, and hangs up when that returns.
    ///
    /// # Panics
    /// When there is no port for it.
    pub fn new(script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port to listen on");
        let address = listener.local_addr().expect("its own address").to_string();
        let (script, asked) = (Arc::new(script), Arc::new(Mutex::new(Vec::new())));
        let heard = asked.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (script, asked) = (script.clone(), heard.clone());
                std::thread::spawn(move || {
                    let tuning = Tuning::default();
                    let mut peer = Peer { stream, tuning, published: 0, asked };
                    // A client that hangs up before the end of the script is the test's to judge.
                    let _ = script(&mut peer);
                });
            }
        });
        Hostile { address, asked }
    }

    /// A URL for it, with a heartbeat that notices a silent peer soon.
    pub fn url(&self) -> String {
        format!("amqp://{}/?heartbeat=1&connection_timeout=2000", self.address)
    }

    /// How often this has been asked, by whichever client.
    ///
    /// # Panics
    /// When a script has.
    pub fn asked(&self, method: Method) -> usize {
        let asked = self.asked.lock().expect("no panic while it was held");
        asked.iter().filter(|asked| **asked == method).count()
    }
}

/// What the broker proposes.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// How many channels; 0 is no limit.
    pub channel_max: u16,
    /// The largest frame; 0 is no limit.
    pub frame_max: u32,
    /// Seconds between heartbeats.
    pub heartbeat: u16,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning { channel_max: 2047, frame_max: 131_072, heartbeat: 1 }
    }
}

/// One client, seen from the broker.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    /// What [`answer`](Self::answer) proposes.
    pub tuning: Tuning,
    published: u64,
    asked: Arc<Mutex<Vec<Method>>>,
}

/// A method that a client has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its channel.
    pub channel: u16,
    /// Which method.
    pub method: Method,
}

impl Peer {
    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Waits for the client's protocol header.
    pub fn header(&mut self) -> io::Result<()> {
        self.stream.read_exact(&mut [0; 8])
    }

    /// The next method that the client sends. A published message counts with its body.
    pub fn next_method(&mut self) -> io::Result<Asked> {
        loop {
            let (kind, channel, payload) = self.frame()?;
            if kind != METHOD || payload.len() < 4 {
                continue;
            }
            let number = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
            let asked = Asked { channel, method: (number(0), number(2)) };
            match asked.method {
                PUBLISH => {
                    self.content()?;
                    self.published += 1;
                }
                // Each channel counts from 1.
                CHANNEL_OPEN => self.published = 0,
                _ => {}
            }
            self.asked.lock().expect("no panic while it was held").push(asked.method);
            return Ok(asked);
        }
    }

    fn frame(&mut self) -> io::Result<(u8, u16, Vec<u8>)> {
        let mut start = [0; 7];
        self.stream.read_exact(&mut start)?;
        let [kind, c, d, size @ ..] = start;
        let mut payload = vec![0; u32::from_be_bytes(size) as usize + 1];
        self.stream.read_exact(&mut payload)?;
        payload.pop();
        Ok((kind, u16::from_be_bytes([c, d]), payload))
    }

    fn content(&mut self) -> io::Result<()> {
        let mut missing = None;
        while missing != Some(0) {
            let (kind, _, payload) = self.frame()?;
            match kind {
                HEADER => {
                    let size = payload[4..12].try_into().expect("eight bytes");
                    missing = Some(u64::from_be_bytes(size));
                }
                BODY => missing = missing.map(|missing| missing - payload.len() as u64),
                _ => {}
            }
        }
        Ok(())
    }

    /// Behaves until the client asks for this, and leaves that unanswered.
    pub fn until(&mut self, method: Method) -> io::Result<Asked> {
        self.header()?;
        self.send(&start(b""))?;
        loop {
            let asked = self.next_method()?;
            if asked.method == method {
                return Ok(asked);
            }
            self.answer(asked)?;
        }
    }

    /// Behaves from here on, and counts what is published as confirmed.
    pub fn behave(&mut self) -> io::Result<()> {
        loop {
            let asked = self.next_method()?;
            self.answer(asked)?;
        }
    }

    /// Answers as a broker should.
    pub fn answer(&mut self, asked: Asked) -> io::Result<()> {
        match self.right_answer(asked) {
            Some(frame) => self.send(&frame),
            None => Ok(()),
        }
    }

    /// What a broker should answer; nothing to what takes no answer.
    pub fn right_answer(&self, Asked { channel, method: asked }: Asked) -> Option<Vec<u8>> {
        let empty: &[u8] = &[];
        Some(match asked {
            START_OK => {
                let Tuning { channel_max, frame_max, heartbeat } = self.tuning;
                let (channels, frame) = (channel_max.to_be_bytes(), frame_max.to_be_bytes());
                method(0, TUNE, &[&channels, &frame[..], &heartbeat.to_be_bytes()])
            }
            OPEN => method(0, OPEN_OK, &[&[0]]),
            CHANNEL_OPEN => method(channel, CHANNEL_OPEN_OK, &[&[0; 4]]),
            QUEUE_DECLARE => method(channel, QUEUE_DECLARE_OK, &[b"\x01q", &[0; 8]]),
            CONSUME => method(channel, CONSUME_OK, &[b"\x03tag"]),
            CANCEL => method(channel, (60, 31), &[b"\x03tag"]),
            PUBLISH => method(channel, ACK, &[&self.published.to_be_bytes(), &[0]]),
            CLOSE | CHANNEL_CLOSE | EXCHANGE_DECLARE | QOS | CONFIRM_SELECT => {
                method(channel, (asked.0, asked.1 + 1), &[empty])
            }
            _ => return None,
        })
    }

    /// Says nothing more, and hears whatever comes, until the client hangs up.
    pub fn fall_silent(&mut self) -> io::Result<()> {
        while self.stream.read(&mut [0; 4096])? > 0 {}
        Ok(())
    }

    /// Lives, but answers nothing any more: heartbeats until the client hangs up.
    pub fn only_beat(&mut self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        loop {
            match self.stream.read(&mut [0; 4096]) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => self.send(&frame(HEARTBEAT, 0, b""))?,
            }
        }
    }
}

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

/// `connection.start`, offering these ways to log in, with spaces between them.
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

/// A delivery, whole: to consumer `tag`, with these property bytes and this body.
pub fn delivery(channel: u16, tag: &str, number: u64, properties: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(tag.len()).expect("a short tag");
    let number = number.to_be_bytes();
    let deliver =
        method(channel, DELIVER, &[&[length], tag.as_bytes(), &number, &[0], &[0], b"\x01q"]);
    [deliver, content(channel, properties, body)].concat()
}

/// The header and the body behind a method that carries a message.
pub fn content(channel: u16, properties: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64).to_be_bytes();
    let header = frame(HEADER, channel, &[&[0, 60, 0, 0], &size[..], properties].concat());
    [header, frame(BODY, channel, body)].concat()
}
