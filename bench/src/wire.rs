//! AMQP 0-9-1 by hand, as little as measuring the wire needs: a connection, a channel, a trusted
//! broker.

use crate::frames::{
    ACK, BODY, CHANNEL_OPEN, CHANNEL_OPEN_OK, CONSUME, CONSUME_OK, DECLARE, DECLARE_OK, DELIVER,
    FRAME_MAX, HEADER, METHOD, Method, OPEN, OPEN_OK, QOS, QOS_OK, SELECT, SELECT_OK, START,
    START_OK, TUNE, TUNE_OK, ack, long, message, method, short,
};
use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

/// A connection with channel 1 open.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    reader: Reader,
}

/// What has arrived and is not parsed yet.
#[derive(Debug, Default)]
struct Reader {
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

/// A frame, without its end.
struct Frame<'a> {
    kind: u8,
    payload: &'a [u8],
}

impl Wire {
    /// Connects to `HOST:PORT` as guest, to virtual host `/`.
    ///
    /// # Errors
    /// When that fails.
    pub fn connect(address: &str) -> Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut wire = Wire { stream, reader: Reader::default() };
        wire.stream.write_all(b"AMQP\0\0\x09\x01")?;
        wire.expect(START)?;
        // No client properties, PLAIN, guest and guest, en_US.
        let mut arguments = 0_u32.to_be_bytes().to_vec();
        short(&mut arguments, "PLAIN");
        long(&mut arguments, b"\0guest\0guest");
        short(&mut arguments, "en_US");
        wire.call(0, START_OK, &arguments, TUNE)?;
        let mut arguments = 2047_u16.to_be_bytes().to_vec();
        arguments.extend(FRAME_MAX.to_be_bytes());
        arguments.extend(0_u16.to_be_bytes());
        wire.stream.write_all(&method(0, TUNE_OK, &arguments))?;
        wire.call(0, OPEN, b"\x01/\0\0", OPEN_OK)?;
        wire.call(1, CHANNEL_OPEN, b"\0", CHANNEL_OPEN_OK)?;
        Ok(wire)
    }

    /// How many messages are ready in `queue`.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub fn ready(&mut self, queue: &str) -> Result<u32> {
        let mut arguments = vec![0, 0];
        short(&mut arguments, queue);
        // Passive.
        arguments.push(1);
        arguments.extend(0_u32.to_be_bytes());
        let answer = self.call(1, DECLARE, &arguments, DECLARE_OK)?;
        let name = usize::from(answer.first().copied().unwrap_or_default());
        let count = answer.get(1 + name..5 + name).and_then(|bytes| bytes.try_into().ok());
        count.map(u32::from_be_bytes).ok_or_else(broken)
    }

    /// Publishes `count` messages of `body` to `queue`, persistent and mandatory, and waits for
    /// every confirm.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn publish(&mut self, queue: &str, body: &[u8], count: u64) -> Result<()> {
        const BLOCK: usize = 64 << 10;
        self.call(1, SELECT, &[0], SELECT_OK)?;
        let message = message(queue, body);
        let together = (BLOCK / message.len()).max(1) as u64;
        let block = message.repeat(together as usize);
        let mut writer = self.stream.try_clone()?;
        std::thread::scope(|scope| {
            let writing = scope.spawn(move || {
                for _ in 0..count / together {
                    writer.write_all(&block)?;
                }
                writer.write_all(&message.repeat((count % together) as usize))
            });
            let confirmed = self.confirms(count);
            writing.join().map_err(|_| broken())?.and(confirmed)
        })
    }

    fn confirms(&mut self, count: u64) -> Result<()> {
        // All up to `until`, and those in `single` beyond it.
        let (mut until, mut single) = (0, BTreeSet::new());
        while until + (single.len() as u64) < count {
            match self.next_method()? {
                (ACK, arguments) => {
                    let tag = tag(&arguments).ok_or_else(broken)?;
                    if arguments.get(8) == Some(&0) {
                        single.insert(tag);
                    } else if tag > until {
                        until = tag;
                        single = single.split_off(&(tag + 1));
                    }
                    while single.remove(&(until + 1)) {
                        until += 1;
                    }
                }
                _ => return Err(broken()),
            }
        }
        Ok(())
    }

    /// Starts to consume `queue`.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn consume(&mut self, queue: &str, prefetch: u16) -> Result<()> {
        let mut arguments = 0_u32.to_be_bytes().to_vec();
        arguments.extend(prefetch.to_be_bytes());
        arguments.push(0);
        self.call(1, QOS, &arguments, QOS_OK)?;
        let mut arguments = vec![0, 0];
        short(&mut arguments, queue);
        short(&mut arguments, "");
        arguments.push(0);
        arguments.extend(0_u32.to_be_bytes());
        self.call(1, CONSUME, &arguments, CONSUME_OK).map(drop)
    }

    /// Takes `count` messages and writes them to `output`, with one `multiple` acknowledgement for
    /// each read.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn receive(&mut self, count: u64, mut output: impl Write) -> Result<()> {
        let (mut taken, mut left) = (0, 0_u64);
        let (mut acknowledged, mut last, mut coming) = (0, 0, 0);
        let mut lines = Vec::new();
        while taken < count {
            let Some(frame) = self.reader.frame() else {
                if last > acknowledged {
                    output.write_all(&lines)?;
                    lines.clear();
                    self.stream.write_all(&ack(last))?;
                    acknowledged = last;
                }
                self.reader.fill(&mut self.stream)?;
                continue;
            };
            match (frame.kind, frame.payload) {
                (METHOD, [0, 60, 0, 60, name, rest @ ..]) => {
                    coming = tag(rest.get(usize::from(*name)..).unwrap_or_default())
                        .ok_or_else(broken)?;
                }
                (HEADER, [_, _, _, _, size @ ..]) => left = tag(size).ok_or_else(broken)?,
                (BODY, part) => {
                    lines.extend_from_slice(part);
                    left = left.saturating_sub(part.len() as u64);
                    if left == 0 {
                        lines.push(b'\n');
                        last = coming;
                        taken += 1;
                    }
                }
                _ => {}
            }
        }
        output.write_all(&lines)?;
        if last > acknowledged {
            self.stream.write_all(&ack(last))?;
        }
        // The broker has processed the acknowledgement once it has answered what came after it.
        self.call(1, QOS, &[0, 0, 0, 0, 0, 0, 0], QOS_OK).map(drop)
    }

    /// Publishes one message and takes it again, `count` times; returns how long each took.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn round_trips(&mut self, queue: &str, body: &[u8], count: u64) -> Result<Vec<f64>> {
        let message = message(queue, body);
        let mut seconds = Vec::new();
        for _ in 0..count {
            let begun = std::time::Instant::now();
            self.stream.write_all(&message)?;
            let tag = loop {
                let (method, arguments) = self.next_method()?;
                let name = arguments.first().copied().unwrap_or_default();
                if method == DELIVER {
                    break tag(arguments.get(1 + usize::from(name)..).unwrap_or_default());
                }
            };
            while self.next_frame_kind()? != BODY {}
            seconds.push(begun.elapsed().as_secs_f64());
            self.stream.write_all(&ack(tag.ok_or_else(broken)?))?;
        }
        Ok(seconds)
    }

    fn call(
        &mut self,
        channel: u16,
        name: Method,
        arguments: &[u8],
        answer: Method,
    ) -> Result<Vec<u8>> {
        self.stream.write_all(&method(channel, name, arguments))?;
        self.expect(answer)
    }

    fn expect(&mut self, wanted: Method) -> Result<Vec<u8>> {
        match self.next_method()? {
            (method, arguments) if method == wanted => Ok(arguments),
            (method, arguments) => {
                let text = String::from_utf8_lossy(&arguments).into_owned();
                Err(Error::other(format!("{method:?} in place of {wanted:?}: {text}")))
            }
        }
    }

    fn next_method(&mut self) -> Result<(Method, Vec<u8>)> {
        loop {
            match self.reader.frame() {
                None => self.reader.fill(&mut self.stream)?,
                Some(Frame { kind: METHOD, payload: [a, b, c, d, arguments @ ..] }) => {
                    let class = u16::from_be_bytes([*a, *b]);
                    return Ok(((class, u16::from_be_bytes([*c, *d])), arguments.to_vec()));
                }
                Some(_) => {}
            }
        }
    }

    fn next_frame_kind(&mut self) -> Result<u8> {
        loop {
            if let Some(frame) = self.reader.frame() {
                return Ok(frame.kind);
            }
            self.reader.fill(&mut self.stream)?;
        }
    }
}

impl Reader {
    /// The next complete frame.
    fn frame(&mut self) -> Option<Frame<'_>> {
        let bytes = self.buffer.get(self.begin..self.end)?;
        let (head, rest) = bytes.split_first_chunk::<7>()?;
        let [kind, _, _, size @ ..] = *head;
        let size = u32::from_be_bytes(size) as usize;
        if rest.len() <= size {
            return None;
        }
        self.begin += size + 8;
        Some(Frame { kind, payload: rest.get(..size)? })
    }

    fn fill(&mut self, stream: &mut TcpStream) -> Result<()> {
        const ROOM: usize = 256 << 10;
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        if self.buffer.len() < self.end + ROOM {
            self.buffer.resize(self.end + ROOM, 0);
        }
        match stream.read(self.buffer.get_mut(self.end..).unwrap_or_default())? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }
}

/// The first eight bytes as a number.
fn tag(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|tag| u64::from_be_bytes(*tag))
}

fn broken() -> Error {
    Error::new(ErrorKind::InvalidData, "the broker said what nobody expected")
}
