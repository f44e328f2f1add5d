//! Where reading starts in a file that is followed from its end.

use crate::follow::fingerprint::Seen;
use crate::follow::identity;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at once.
const STEP: u64 = 4096;

/// Everything before the last incomplete record, in a file whose records end with `delimiter`;
/// nothing if the file is truncated meanwhile.
///
/// # Errors
/// It cannot be read.
pub fn seen(file: &File, delimiter: u8) -> io::Result<Seen> {
    let seen = begins(file, delimiter).and_then(|offset| Seen::take(file, offset));
    match seen {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        seen => Ok(seen.ok().flatten().unwrap_or_default()),
    }
}

fn begins(file: &File, delimiter: u8) -> io::Result<u64> {
    let mut end = identity::size(&rustix::fs::fstat(file)?);
    while end > 0 {
        let begin = end.saturating_sub(STEP);
        let mut block = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        file.read_exact_at(&mut block, begin)?;
        if let Some(last) = memchr::memrchr(delimiter, &block) {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_last_record_begins_after_the_last_delimiter_however_long_it_is() {
        for (before, part) in [(0, 0), (1, 0), (3, 5), (5000, 9000), (0, 10_000)] {
            let mut file = tempfile::tempfile().unwrap();
            for _ in 0..before {
                file.write_all(b"\n").unwrap();
            }
            file.write_all(&vec![b'x'; part]).unwrap();
            assert_eq!(begins(&file, b'\n').unwrap(), before, "{part}");
        }
    }
}
