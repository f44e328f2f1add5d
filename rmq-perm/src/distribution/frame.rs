//! What travels on a connection after the handshake: frames, each with its length first. An empty
//! one is a tick, which says that its sender is alive ([`link`](super::link)).

use futures_util::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::future::poll_fn;
use std::io::{Error, ErrorKind, Result};
use std::task::Poll;

/// The largest frame accepted, enough for about two hundred thousand queues with what we ask about
/// each.
const LARGEST: u32 = 64 << 20;

/// The next frame that is not a tick.
///
/// # Errors
/// The connection ends, or a frame is too large (`InvalidData`).
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    loop {
        pause().await;
        let mut length = [0; 4];
        stream.read_exact(&mut length).await?;
        match u32::from_be_bytes(length) {
            0 => {}
            length if length > LARGEST => {
                let what = format!("a message of {length} bytes; at most {LARGEST} are read");
                return Err(Error::new(ErrorKind::InvalidData, what));
            }
            length => {
                // Grows as bytes arrive, so that the length alone allocates nothing.
                let mut frame = Vec::new();
                stream.take(length.into()).read_to_end(&mut frame).await?;
                if u32::try_from(frame.len()) != Ok(length) {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                return Ok(frame);
            }
        }
    }
}

/// Gives time limits a chance if a node sends without pause.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Writes a frame in one piece.
///
/// # Errors
/// The connection does not accept it, or it is too long for a frame.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| ErrorKind::InvalidInput)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(frame);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::io::Cursor;
    use rmq_common::runtime::block_on;

    fn read_all(bytes: &[u8]) -> Result<Vec<u8>> {
        block_on(read(&mut Cursor::new(bytes)))
    }

    #[test]
    fn ticks_are_skipped_and_the_frame_after_them_is_read() {
        let frame = read_all(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']);
        assert_eq!(frame.unwrap(), b"hi");
    }

    /// Sends one tick after the other.
    struct Ticking;

    impl AsyncRead for Ticking {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<Result<usize>> {
            buffer.fill(0);
            Poll::Ready(Ok(buffer.len()))
        }
    }

    #[test]
    fn a_node_that_sends_without_pause_does_not_outlast_a_time_limit() {
        let limit = std::time::Duration::from_millis(50);
        let mut stream = Ticking;
        assert!(block_on(rmq_common::runtime::timeout(limit, read(&mut stream))).is_none());
    }

    #[test]
    fn a_length_is_not_believed_before_the_bytes_have_come() {
        let frame = read_all(&[0, 0, 0, 9, b'h', b'i']);
        assert_eq!(frame.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let frame = read_all(&[0xff, 0xff, 0xff, 0xff, b'h', b'i']);
        assert_eq!(frame.unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
