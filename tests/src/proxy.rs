//! A TCP proxy that can fall silent as a network does, nothing passes any more and neither end is
//! told; or cut what passes in the middle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A proxy on a port of loopback. It listens until the process ends.
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
    /// How often it was told to cut; a connection is cut if it was there by then.
    cuts: AtomicUsize,
    /// How many more bytes pass of what comes next on such a connection.
    left: AtomicUsize,
    connections: AtomicUsize,
    /// Both ends of every connection that has fallen silent, so that none is closed because nobody
    /// holds it.
    kept: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy to `target`, an address with a port; whatever passes is held back for `delay`.
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
            kept: Mutex::default(),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                // Where the target is gone the client finds its connection closed.
                let _ = accepting.serve(stream);
            }
        });
        Proxy { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From here on nothing passes, and new connections hear nothing.
    pub fn stall(&self) {
        self.shared.stalled.store(true, Ordering::Relaxed);
    }

    /// New connections are served again. Those that have fallen silent stay so.
    pub fn resume(&self) {
        self.shared.stalled.store(false, Ordering::Relaxed);
    }

    /// Of what comes next on each connection that there is, in either direction, no more than so
    /// many bytes pass; then it is closed to both ends.
    pub fn cut(&self, bytes: usize) {
        self.shared.left.store(bytes, Ordering::Relaxed);
        self.shared.cuts.fetch_add(1, Ordering::Release);
    }

    /// How many connections have come.
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
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let shared = self.clone();
            std::thread::spawn(move || shared.pump(from, to, cuts));
        }
        Ok(())
    }

    /// Carries bytes one way until there are no more or the proxy stalls. What was read then is
    /// lost, and what comes after stays in the kernel's buffers until they are full.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, cuts: usize) {
        let mut block = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut block) {
            std::thread::sleep(self.delay);
            if self.stalled.load(Ordering::Relaxed) {
                break;
            }
            if self.cuts.load(Ordering::Acquire) > cuts {
                let left = self.left.load(Ordering::Relaxed).min(length);
                // Fails only where the other end is gone already, and so do the next two.
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

    fn keep(&self, stream: TcpStream) {
        self.kept.lock().expect("no panic while it was held").push(stream);
    }
}
