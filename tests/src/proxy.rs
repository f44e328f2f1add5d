//! A TCP proxy that can fall silent like a network, so that neither end notices, or cut data in the
//! middle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A proxy on a loopback port. It listens until the process ends.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    delay: Duration,
    stalled: AtomicBool,
    /// How often it was asked to cut; a connection is cut if it existed by then.
    cuts: AtomicUsize,
    /// How many more bytes pass on such a connection.
    left: AtomicUsize,
    connections: AtomicUsize,
    /// After how many idle milliseconds a connection is cut; 0 means never.
    idle: AtomicUsize,
    /// A client that sends this is cut off.
    marker: Mutex<Vec<u8>>,
    /// Both ends of every silent connection, kept so that none is closed by being dropped.
    kept: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy to `target`, an address with a port; data is delayed by `delay`.
    ///
    /// # Panics
    /// When there is no port for it.
    pub fn new(target: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port to listen on");
        let address = listener.local_addr().expect("its own address").to_string();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            delay,
            stalled: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            marker: Mutex::default(),
            kept: Mutex::default(),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                // If the target is gone, the client finds its connection closed.
                let _ = accepting.serve(stream);
            }
        });
        Proxy { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on nothing passes, and new connections receive nothing.
    pub fn stall(&self) {
        self.shared.stalled.store(true, Ordering::Relaxed);
    }

    /// Serves new connections again. Silent ones stay silent.
    pub fn resume(&self) {
        self.shared.stalled.store(false, Ordering::Relaxed);
    }

    /// On each existing connection, passes at most this many more bytes; then closes it at both
    /// ends.
    pub fn cut(&self, bytes: usize) {
        self.shared.left.store(bytes, Ordering::Relaxed);
        self.shared.cuts.fetch_add(1, Ordering::Release);
    }

    /// Cuts new and existing connections once nothing has passed for this long.
    ///
    /// # Panics
    /// When that is longer than any test.
    pub fn cut_idle(&self, idle: Duration) {
        let idle = usize::try_from(idle.as_millis()).expect("a short time");
        self.shared.idle.store(idle, Ordering::Relaxed);
    }

    /// From now on, a client that sends these bytes is cut off before they pass.
    ///
    /// # Panics
    /// When a connection's thread has panicked.
    pub fn cut_at(&self, marker: &[u8]) {
        *self.shared.marker.lock().expect("no panic while it was held") = marker.to_vec();
    }

    /// How many connections have been accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        if self.stalled.load(Ordering::Relaxed) {
            self.keep(client);
            return Ok(());
        }
        let server = TcpStream::connect(&self.target)?;
        let cuts = self.cuts.load(Ordering::Acquire);
        let passed = Arc::new(Mutex::new(Instant::now()));
        let (ends, last) = ([client.try_clone()?, server.try_clone()?], passed.clone());
        let shared = self.clone();
        std::thread::spawn(move || shared.watch(&ends, &last));
        let ways = [(client.try_clone()?, server.try_clone()?, true), (server, client, false)];
        for (from, to, is_client) in ways {
            let (shared, passed) = (self.clone(), passed.clone());
            std::thread::spawn(move || shared.pump(from, to, cuts, &passed, is_client));
        }
        Ok(())
    }

    /// Passes bytes in one direction until there are no more or the proxy stalls. What was read
    /// then is lost, and later bytes stay in the kernel's buffers until they are full.
    fn pump(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        cuts: usize,
        passed: &Mutex<Instant>,
        is_client: bool,
    ) {
        let mut block = vec![0; 1 << 16];
        // The last bytes that have passed, in which the marker may begin.
        let mut seen = Vec::new();
        while let Ok(length @ 1..) = from.read(&mut block) {
            *passed.lock().expect("no panic while it was held") = Instant::now();
            std::thread::sleep(self.delay);
            if self.stalled.load(Ordering::Relaxed) {
                break;
            }
            if is_client && self.is_marked(&mut seen, &block[..length]) {
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
            if self.cuts.load(Ordering::Acquire) > cuts {
                let left = self.left.load(Ordering::Relaxed).min(length);
                // Fails only if the other end is already gone, and so do the next two.
                let _ = to.write_all(&block[..left]);
                let _ = from.shutdown(Shutdown::Both);
                break;
            }
            if to.write_all(&block[..length]).is_err() {
                break;
            }
        }
        if self.stalled.load(Ordering::Relaxed) {
            self.keep(from);
            self.keep(to);
        } else {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    /// Cuts a connection once it has been idle for too long. It ends with the connection.
    fn watch(&self, ends: &[TcpStream; 2], passed: &Mutex<Instant>) {
        while ends.iter().all(|end| end.peer_addr().is_ok()) {
            std::thread::sleep(Duration::from_millis(10));
            let idle = passed.lock().expect("no panic while it was held").elapsed();
            let limit = self.idle.load(Ordering::Relaxed);
            if limit > 0 && idle.as_millis() >= limit as u128 {
                for end in ends {
                    let _ = end.shutdown(Shutdown::Both);
                }
                return;
            }
        }
    }

    fn is_marked(&self, seen: &mut Vec<u8>, block: &[u8]) -> bool {
        let marker = self.marker.lock().expect("no panic while it was held").clone();
        if marker.is_empty() {
            return false;
        }
        seen.extend_from_slice(block);
        let found = seen.windows(marker.len()).any(|window| window == marker);
        seen.drain(..seen.len().saturating_sub(marker.len() - 1));
        found
    }

    fn keep(&self, stream: TcpStream) {
        self.kept.lock().expect("no panic while it was held").push(stream);
    }
}
