//! Names as AMQP carries them: short strings, of at most 255 bytes (specification, section 4.2.5.3).

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
pub use crate::cli::shown::{shown, shown_bytes};
use crate::envelope::message::Name;
use lapin::types::ShortString;

/// The beginnings of URLs that may contain a password.
pub(crate) const SCHEMES: [&str; 4] = ["amqp://", "amqps://", "http://", "https://"];

/// A queue's name, as given on a command line.
///
/// # Errors
/// It has more than 255 bytes or is not a queue's name (65), or it is a URL (64).
pub fn queue(name: &str) -> Result<ShortString, Failure> {
    not_a_url("the queue's name", name)?;
    not_reply_to(name)?;
    short(Exit::DataErr, "the queue's name", name)
}

/// Refuses the name that a requester uses with Direct Reply-to. RabbitMQ answers its passive
/// declaration as if it were a queue, but returns messages sent there.
///
/// # Errors
/// It is that name (65).
pub fn not_reply_to(name: &str) -> Result<(), Failure> {
    if name != "amq.rabbitmq.reply-to" {
        return Ok(());
    }
    let why = "it is not a queue; an answer goes to what the request's reply_to says";
    Err(Failure::data(format!("{name}: {why} ({name}.TOKEN)")))
}

/// Refuses a URL in place of a name; `what` describes the name in the error. A URL would be shown
/// wherever the name is, with its password.
///
/// # Errors
/// It is a URL (64).
pub fn not_a_url(what: &str, name: &str) -> Result<(), Failure> {
    let begins = |scheme: &str| {
        name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    match SCHEMES.iter().find(|scheme| begins(scheme)) {
        Some(scheme) => Err(Failure::usage(format!(
            "{what} is a URL ({scheme}...); a URL is given by --url, or by --api of rmq-perm"
        ))),
        None => Ok(()),
    }
}

/// A text as an AMQP short string; `what` describes it in the error.
///
/// # Errors
/// It has more than 255 bytes; the failure ends with `exit`. `ShortString::from` would panic.
pub fn short(exit: Exit, what: &str, text: &str) -> Result<ShortString, Failure> {
    ShortString::try_new(text).map_err(|_| {
        Failure::new(exit, format!("{what} has {} bytes; AMQP allows 255", text.len()))
    })
}

/// Bytes as a name; `what` describes them in the error.
///
/// # Errors
/// There are more than 255; the failure ends with `exit`.
pub fn name(exit: Exit, what: &str, bytes: &[u8]) -> Result<Name, Failure> {
    Name::new(bytes).map_err(|why| Failure::new(exit, format!("{what} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_not_a_name_and_is_not_quoted() {
        for url in ["amqp://u:S3cr3t@h", "AMQPS://h", "http://u:S3cr3t@h/", "https://S3cr3t"] {
            let failure = queue(url).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage, "{url}");
            assert!(!failure.to_string().contains("S3cr3t"), "{failure}");
        }
        for name in ["amqp", "amqp:q", "http", "ftp://q", "é", "amqp:/é"] {
            assert!(queue(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_a_requester_consumes_from_is_not_a_queue() {
        assert_eq!(queue("amq.rabbitmq.reply-to").unwrap_err().exit(), Exit::DataErr);
        for name in ["amq.rabbitmq.reply-to.x", "amq.rabbitmq.reply-to2", "reply-to"] {
            assert!(queue(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_of_more_than_255_bytes_is_refused() {
        assert!(queue(&"q".repeat(255)).is_ok());
        assert!(queue(&"q".repeat(256)).unwrap_err().to_string().contains("256 bytes"));
        assert!(queue(&"ä".repeat(128)).is_err());
    }
}
