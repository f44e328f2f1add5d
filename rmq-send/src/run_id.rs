//! A name for this run that no other run has.

use rmq_common::failure::Failure;
use std::fmt::Write;

/// 32 random hexadecimal digits.
///
/// # Errors
/// The system has no randomness to give (74).
pub fn new() -> Result<String, Failure> {
    let mut random = [0; 16];
    let got = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
    match got {
        // Never less, for so few bytes (getrandom(2)).
        Ok(_) => Ok(random.iter().fold(String::new(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })),
        Err(error) => Err(Failure::io("get random bytes", &error.into())),
    }
}
