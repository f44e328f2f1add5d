//! Finds the bytes of a string that JSON escapes, for both directions.

/// This many bytes are checked one by one first: after a byte to escape, the next is usually near.
const NEAR: usize = 16;

/// After that, this many are checked together. A loop over them without an early exit is compiled
/// to vector instructions.
const BLOCK: usize = 32;

/// Whether a string cannot hold `byte` as it is: a quote, a backslash, a control character.
const fn special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The same for each byte: a lookup table is faster for a single one.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = special(byte as u8);
        byte += 1;
    }
    table
};

/// The number of bytes before the first special one.
pub(super) fn length(bytes: &[u8]) -> usize {
    let is_special = |byte: &u8| SPECIAL.get(usize::from(*byte)).copied().unwrap_or_default();
    if let Some(near) = bytes.iter().take(NEAR).position(is_special) {
        return near;
    }
    let mut before = bytes.len().min(NEAR);
    for block in bytes.get(before..).unwrap_or_default().chunks(BLOCK) {
        if block.iter().fold(false, |found, byte| found | special(*byte)) {
            return before + block.iter().position(is_special).unwrap_or_default();
        }
        before += block.len();
    }
    before
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_special_byte_is_found_wherever_it_is() {
        for length in 0..200 {
            let mut text = "ä".repeat(100).into_bytes();
            text.truncate(length);
            assert_eq!(super::length(&text), length);
            for special in *b"\"\\\0\x1f\n" {
                text.push(special);
                text.extend_from_slice(b"after\"");
                assert_eq!(super::length(&text), length);
                text.truncate(length);
            }
        }
    }
}
