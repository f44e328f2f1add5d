//! Random bytes from the system's generator.

use crate::cli::failure::Failure;
use rustix::rand::{GetRandomFlags, getrandom};
use std::fmt::Write;

/// Fills at most 256 bytes, which the system provides at once or not at all (getrandom(2)).
///
/// # Errors
/// The system provides no random bytes (74).
pub fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    match getrandom(bytes, GetRandomFlags::empty()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::io("get random bytes", &error.into())),
    }
}

/// A unique id: 32 hexadecimal digits.
///
/// # Errors
/// As [`fill`].
pub fn id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_32_digits_and_no_other_is_like_it() {
        let (one, other) = (id().unwrap(), id().unwrap());
        assert_eq!((one.len(), one == other), (32, false));
        assert!(one.bytes().all(|digit| digit.is_ascii_hexdigit()), "{one}");
    }
}
