//! Names as AMQP carries them: short strings, of at most 255 bytes (specification, section 4.2.5.3).

use crate::failure::Failure;
use lapin::types::ShortString;

/// A queue's name, as given on a command line.
///
/// # Errors
/// When it has more than 255 bytes (65). `ShortString::from` would panic over it.
pub fn queue(name: &str) -> Result<ShortString, Failure> {
    ShortString::try_new(name).map_err(|_| {
        let length = name.len();
        Failure::data(format!("the queue's name has {length} bytes; AMQP allows 255"))
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
