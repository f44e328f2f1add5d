//! Writing standard output, on a thread of its own, because a reader may pause for as long as it
//! likes while signals and the broker still want an answer.

use memchr::memchr;
use rmq_common::failure::Failure;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// Bodies below this are gathered into one write; larger ones are written as they are.
const GATHER: usize = 256 << 10;

/// The writing thread. It takes one batch at a time.
#[derive(Debug)]
pub struct Output {
    batches: flume::Sender<Vec<Vec<u8>>>,
    written: flume::Receiver<Written>,
    busy: bool,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Written {
    /// How many of its messages are out, to the last byte.
    pub complete: usize,
    /// How many of its bodies have a newline in them.
    pub with_newline: u64,
    /// Why not all are out.
    pub problem: Option<io::Error>,
}

impl Output {
    /// Starts the thread.
    ///
    /// # Errors
    /// When it cannot be started (74).
    pub fn start() -> Result<Self, Failure> {
        let problem = |error| Failure::io("write standard output", &error);
        // A descriptor of our own: the standard library's would look for line ends to flush at.
        let output = io::stdout().as_fd().try_clone_to_owned().map_err(problem)?;
        let mut output = File::from(output);
        let (batches, todo) = flume::bounded::<Vec<Vec<u8>>>(1);
        let (done, written) = flume::bounded(1);
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                for bodies in todo {
                    if done.send(write(&mut output, &bodies)).is_err() {
                        break;
                    }
                }
            })
            .map_err(problem)?;
        Ok(Output { batches, written, busy: false })
    }

    /// Whether a batch is being written.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Writes a batch; only while it is not busy.
    pub fn write(&mut self, bodies: Vec<Vec<u8>>) {
        self.busy = self.batches.send(bodies).is_ok();
    }

    /// Waits until the batch is written, or cannot be. Pending for ever where there is none.
    pub async fn written(&mut self) -> Written {
        if !self.busy {
            std::future::pending::<()>().await;
        }
        let written = self.written.recv_async().await;
        self.busy = false;
        written.unwrap_or_else(|_| Written {
            complete: 0,
            with_newline: 0,
            problem: Some(io::Error::other("the output thread ended")),
        })
    }
}

/// Writes bodies as lines, and says how many are out.
fn write(output: &mut impl Write, bodies: &[Vec<u8>]) -> Written {
    let mut gathered = Vec::new();
    let mut bytes = 0;
    let mut problem = None;
    let mut put = |bytes_now: &[u8]| match write_counted(output, bytes_now, &mut bytes) {
        Ok(()) => true,
        Err(error) => {
            problem = Some(error);
            false
        }
    };
    let mut well = true;
    for body in bodies {
        if !well {
            break;
        }
        if gathered.len() + body.len() < GATHER {
            gathered.extend_from_slice(body);
        } else {
            well = put(&gathered) && put(body);
            gathered.clear();
        }
        gathered.push(b'\n');
    }
    if well {
        put(&gathered);
    }
    let mut end = 0;
    let out = bodies.iter().take_while(|body| {
        end += body.len() + 1;
        end <= bytes
    });
    let complete = out.count();
    let with_newline =
        bodies[..complete].iter().filter(|body| memchr(b'\n', body).is_some()).count() as u64;
    Written { complete, with_newline, problem }
}

/// `write_all`, but it counts the bytes that are out before a failure.
fn write_counted(output: &mut impl Write, mut bytes: &[u8], count: &mut usize) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                *count += written;
                bytes = &bytes[written..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that has room for so many bytes, and takes at most seven at once.
    struct Small(Vec<u8>, usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1 - self.0.len();
            if room == 0 {
                return Err(io::Error::from_raw_os_error(28));
            }
            let taken = bytes.len().min(room).min(7);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_messages_that_are_out_to_the_last_byte_count_as_written() {
        let bodies = [b"one".to_vec(), b"".to_vec(), b"th\nree".to_vec(), b"four".to_vec()];
        for room in 0..=18 {
            let mut output = Small(Vec::new(), room);
            let written = write(&mut output, &bodies);
            let complete = match room {
                0..4 => 0,
                4 => 1,
                5..12 => 2,
                12..17 => 3,
                _ => 4,
            };
            assert_eq!(written.complete, complete, "room for {room}");
            assert_eq!(written.problem.is_some(), room < 17, "room for {room}");
            assert_eq!(written.with_newline, u64::from(complete > 2), "room for {room}");
        }
    }

    #[test]
    fn bodies_larger_than_the_buffer_come_out_whole_and_in_order() {
        let bodies = [b"a".to_vec(), vec![b'b'; GATHER + 5], b"c".to_vec(), vec![b'd'; GATHER]];
        let mut output = Vec::new();
        assert_eq!(write(&mut output, &bodies).complete, 4);
        let mut wanted = bodies.join(&b'\n');
        wanted.push(b'\n');
        assert!(output == wanted);
    }
}
