//! A connection to a node after the handshake.
//!
//! A node closes a connection on which it has received nothing for its `net_ticktime`, by default a
//! minute. We may be silent for longer, while a large answer is decoded or a question waits at the
//! terminal, and the node's own ticks may be queued after answers that we have not read yet. So a
//! thread sends ticks, whatever the rest does; they need no answer, and neither do the node's.

use super::frame;
use flume::RecvTimeoutError;
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::lock::Mutex;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use rmq_common::thread;
use std::io::{ErrorKind, Result};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The interval of a node whose `net_ticktime` is 1 s, the lowest that can be configured. The node
/// closes the connection after three to five of them.
const INTERVAL: Duration = Duration::from_millis(250);

/// Both directions of the connection, and the thread that sends ticks.
#[derive(Debug)]
pub struct Link<R, W> {
    incoming: R,
    outgoing: Arc<Mutex<Outgoing<W>>>,
    _ticks: Ticks,
}

impl<R, W> Link<R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    /// Uses these two directions.
    ///
    /// # Errors
    /// The thread cannot be started (74).
    pub fn new(incoming: R, outgoing: W) -> std::result::Result<Self, Failure> {
        let outgoing = Arc::new(Mutex::new(Outgoing { stream: outgoing, is_whole: true }));
        let ticks = Ticks::start(Arc::clone(&outgoing))
            .map_err(|error| Failure::io("start the thread that keeps the connection", &error))?;
        Ok(Link { incoming, outgoing, _ticks: ticks })
    }

    /// The next frame that is not a tick.
    pub async fn read(&mut self) -> Result<Vec<u8>> {
        frame::read(&mut self.incoming).await
    }

    /// Writes a frame.
    pub async fn write(&self, frame: &[u8]) -> Result<()> {
        self.outgoing.lock().await.write(frame).await
    }
}

#[derive(Debug)]
struct Outgoing<W> {
    stream: W,
    /// Whether the last frame was written completely. If its time limit cut it off, a tick would
    /// become part of it: four bytes of the intended change.
    is_whole: bool,
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    async fn write(&mut self, frame: &[u8]) -> Result<()> {
        if !self.is_whole {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.is_whole = false;
        frame::write(&mut self.stream, frame).await?;
        self.is_whole = true;
        Ok(())
    }
}

/// The thread; it ends when this is dropped, and the connection is then closed.
#[derive(Debug)]
struct Ticks {
    end: Option<flume::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticks {
    fn start<W>(outgoing: Arc<Mutex<Outgoing<W>>>) -> Result<Self>
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (end, ended) = flume::bounded::<()>(0);
        let thread = thread::start("ticks", move || {
            // Nothing is ever sent: the other end is dropped.
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // The thread that waits for answers notices a lost connection.
                let tick = async { outgoing.lock().await.write(&[]).await.is_err() };
                // A tick, too, may have to wait if the node reads nothing.
                let over = async { ended.recv_async().await.is_err() };
                if runtime::block_on(runtime::first(over, tick)) {
                    break;
                }
            }
        })?;
        Ok(Ticks { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Ticks {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // The thread does nothing that panics.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmq_common::runtime::{TcpStream, block_on};
    use std::io::Read;
    use std::net::TcpListener;
    use std::task::Poll;
    use std::time::Instant;

    /// A link, and the node at its other end.
    fn linked() -> (Link<TcpStream, TcpStream>, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = block_on(TcpStream::connect(listener.local_addr().unwrap())).unwrap();
        let node = listener.accept().unwrap().0;
        node.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (Link::new(stream.clone(), stream).unwrap(), node)
    }

    #[test]
    fn a_node_is_sent_ticks_while_nothing_reads_or_writes() {
        let (link, mut node) = linked();
        let begun = Instant::now();
        let mut ticks = [9; 4 * 4];
        node.read_exact(&mut ticks).unwrap();
        assert_eq!(ticks, [0; 16]);
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        drop(link);
    }

    #[test]
    fn a_connection_is_closed_at_once_when_it_is_no_longer_needed() {
        let (link, mut node) = linked();
        let begun = Instant::now();
        drop(link);
        let mut rest = Vec::new();
        node.read_to_end(&mut rest).unwrap();
        assert!(begun.elapsed() < INTERVAL, "{:?}", begun.elapsed());
    }

    #[test]
    fn frames_and_ticks_do_not_mix() {
        let (link, mut node) = linked();
        let frame = vec![7; 1 << 20];
        let reading = std::thread::spawn(move || {
            let mut frames = 0;
            while frames < 4 {
                let mut length = [0; 4];
                node.read_exact(&mut length).unwrap();
                let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
                // Slower than the frames arrive, so that one is always waiting when a tick is due.
                std::thread::sleep(INTERVAL / 4);
                node.read_exact(&mut bytes).unwrap();
                assert!(bytes.iter().all(|byte| *byte == 7));
                frames += usize::from(!bytes.is_empty());
            }
        });
        for _ in 0..4 {
            block_on(link.write(&frame)).unwrap();
        }
        reading.join().unwrap();
    }

    /// Accepts a few bytes, and then no more.
    struct Stuck(usize);

    impl AsyncWrite for Stuck {
        fn poll_write(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            bytes: &[u8],
        ) -> Poll<Result<usize>> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken > 0 { Poll::Ready(Ok(taken)) } else { Poll::Pending }
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn nothing_follows_a_frame_that_was_left_unfinished() {
        let mut outgoing = Outgoing { stream: Stuck(6), is_whole: true };
        let limit = Duration::from_millis(10);
        let written = block_on(runtime::timeout(limit, outgoing.write(b"change")));
        assert!(written.is_none());
        outgoing.stream.0 = 100;
        assert!(block_on(outgoing.write(&[])).is_err());
        assert_eq!(outgoing.stream.0, 100);
    }

    #[test]
    fn a_node_that_takes_nothing_does_not_keep_the_thread() {
        let link = Link::new(futures_util::io::empty(), Stuck(0)).unwrap();
        std::thread::sleep(INTERVAL * 2);
        let begun = Instant::now();
        drop(link);
        assert!(begun.elapsed() < INTERVAL, "{:?}", begun.elapsed());
    }
}
