//! Writes the parts of JSON: strings, numbers, commas.

use crate::envelope::plain;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Display;
use std::io::Write;

/// A comma, unless an object or an array has just begun.
pub(super) fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// A string in quotes, with only the necessary escapes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain::length(rest));
        out.extend_from_slice(plain);
        let Some((first, after)) = special.split_first() else {
            break;
        };
        escape(out, *first);
        rest = after;
    }
    out.push(b'"');
}

/// Bytes in base64, in quotes.
pub(super) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// An integer, or another value whose display form is JSON.
pub(super) fn number(out: &mut Vec<u8>, number: impl Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{number}");
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        b'"' | b'\\' => byte,
        _ => {
            let _ = write!(out, "\\u{byte:04x}");
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}
