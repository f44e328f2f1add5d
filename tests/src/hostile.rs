//! A peer that plays a broker according to a script, and breaks off or breaks the rules at the
//! chosen point: raw frames of AMQP 0-9-1 on loopback.

mod frames;

pub use frames::*;
use frames::{BODY, HEADER, HEARTBEAT, METHOD};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A hostile broker, on a loopback port until the process ends.
#[derive(Debug)]
pub struct Hostile {
    /// Its address, with the port.
    pub address: String,
    asked: Arc<Mutex<Vec<Method>>>,
}

impl Hostile {
    /// Plays `script` for every client that connects, and hangs up when that returns.
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
                    let mut peer =
                        Peer { stream, tuning, published: 0, arguments: Vec::new(), asked };
                    // A client that hangs up before the end of the script is judged by the test.
                    let _ = script(&mut peer);
                });
            }
        });
        Hostile { address, asked }
    }

    /// Its URL, with a heartbeat that notices a silent peer soon.
    pub fn url(&self) -> String {
        format!("amqp://{}/?heartbeat=1&connection_timeout=2000", self.address)
    }

    /// How often this was asked, by any client.
    ///
    /// # Panics
    /// When a script has panicked.
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

/// One client, from the broker's side.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    /// What [`answer`](Self::answer) proposes.
    pub tuning: Tuning,
    published: u64,
    /// The arguments of the last method that arrived.
    arguments: Vec<u8>,
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
    /// Writes bytes unchanged.
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
            self.arguments = payload[4..].to_vec();
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

    /// Behaves correctly until the client asks for this, and leaves that unanswered.
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

    /// Behaves correctly from here on, and counts what is published as confirmed.
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

    /// The correct answer of a broker; `None` if no answer is due.
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
            // With the consumer's tag, which may vary in a script with many consumers.
            CANCEL => method(channel, (60, 31), &[&self.arguments[..=self.arguments[0].into()]]),
            PUBLISH => method(channel, ACK, &[&self.published.to_be_bytes(), &[0]]),
            CLOSE | CHANNEL_CLOSE | EXCHANGE_DECLARE | QOS | CONFIRM_SELECT => {
                method(channel, (asked.0, asked.1 + 1), &[empty])
            }
            _ => return None,
        })
    }

    /// Sends nothing more, and reads whatever arrives, until the client hangs up.
    pub fn fall_silent(&mut self) -> io::Result<()> {
        while self.stream.read(&mut [0; 4096])? > 0 {}
        Ok(())
    }

    /// Stays alive, but answers nothing: sends heartbeats until the client hangs up.
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
