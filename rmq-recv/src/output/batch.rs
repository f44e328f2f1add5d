//! Bytes on their way to standard output: small pieces are gathered, so that few system calls write
//! many messages; large bodies are used in place, so that they are not copied.

use rmq_common::lane::Content;
use std::ops::Range;
use std::sync::Arc;

/// Bodies below this are gathered; the capacity of a Linux pipe, so that one write fills it.
const GATHER: usize = 64 << 10;

/// What is written together.
#[derive(Debug, Default)]
pub struct Batch {
    chunks: Vec<Chunk>,
    length: u64,
}

#[derive(Debug)]
enum Chunk {
    Own(Vec<u8>),
    /// The buffer that it was received in.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

impl Batch {
    /// Adds a few bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match self.chunks.last_mut() {
            Some(Chunk::Own(chunk)) if chunk.len() + bytes.len() <= GATHER => {
                chunk.extend_from_slice(bytes);
            }
            _ => {
                let mut chunk = Vec::with_capacity(GATHER.max(bytes.len()));
                chunk.extend_from_slice(bytes);
                self.chunks.push(Chunk::Own(chunk));
            }
        }
    }

    /// Adds a body, or anything else that may be large.
    pub fn put_body(&mut self, body: Vec<u8>) {
        if body.len() < GATHER {
            self.put(&body);
        } else {
            self.length += body.len() as u64;
            self.chunks.push(Chunk::Own(body));
        }
    }

    /// Adds a message's body; a large one is used in place.
    pub fn put_content(&mut self, content: &Content) {
        for (bytes, range) in content.shared() {
            if range.len() < GATHER / 4 {
                self.put(bytes.get(range).unwrap_or_default());
            } else {
                self.length += range.len() as u64;
                self.chunks.push(Chunk::Shared(bytes.clone(), range));
            }
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks.iter().map(|chunk| match chunk {
            Chunk::Own(bytes) => bytes.as_slice(),
            Chunk::Shared(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_come_out_whole_and_in_order() {
        let bodies = [b"a".to_vec(), vec![b'b'; GATHER + 5], b"c".to_vec(), vec![b'd'; GATHER - 1]];
        let mut batch = Batch::default();
        for body in &bodies {
            batch.put_body(body.clone());
            batch.put(b"\n");
        }
        let mut wanted = bodies.join(&b'\n');
        wanted.push(b'\n');
        let got: Vec<u8> = batch.chunks().flatten().copied().collect();
        assert!(got == wanted);
        assert_eq!(batch.len(), wanted.len() as u64);
    }
}
