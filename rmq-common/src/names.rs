//! Names as AMQP carries them: short strings, of at most 255 bytes (specification, section 4.2.5.3).

use crate::exit::Exit;
use crate::failure::Failure;
use lapin::types::ShortString;

/// A queue's name, as given on a command line.
///
/// # Errors
/// When it has more than 255 bytes (65).
pub fn queue(name: &str) -> Result<ShortString, Failure> {
    short(Exit::DataErr, "the queue's name", name)
}

/// A text as AMQP's short string; `what` it is, for the error.
///
/// # Errors
/// When it has more than 255 bytes, which ends with `exit`. `ShortString::from` would panic over it.
pub fn short(exit: Exit, what: &str, text: &str) -> Result<ShortString, Failure> {
    ShortString::try_new(text).map_err(|_| {
        Failure::new(exit, format!("{what} has {} bytes; AMQP allows 255", text.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_more_than_255_bytes_is_refused() {
        assert!(queue(&"q".repeat(255)).is_ok());
        assert!(queue(&"q".repeat(256)).unwrap_err().to_string().contains("256 bytes"));
        assert!(queue(&"ä".repeat(128)).is_err());
    }
}
