//! A password's hash, as RabbitMQ stores it: a salt of four bytes and a digest, in Base64. Source:
//! <https://www.rabbitmq.com/docs/passwords>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use std::fmt;

const SALT: usize = 4;

/// What MD5, SHA-256 and SHA-512 give. Which of them it is, the broker's configuration decides.
const DIGESTS: [usize; 3] = [16, 32, 64];

/// A salted hash. Whoever has it can try passwords at leisure, so it is a secret, too.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    base64: Secret,
    bytes: Vec<u8>,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base64.fmt(f)
    }
}

impl PasswordHash {
    /// Reads a hash as `rabbitmqctl hash_password` and the HTTP API write it.
    ///
    /// # Errors
    /// When it cannot be one (65).
    pub fn read(base64: Secret) -> Result<PasswordHash, Failure> {
        let bytes = STANDARD.decode(base64.reveal()).ok();
        let is_hash = |bytes: &Vec<u8>| DIGESTS.iter().any(|size| size + SALT == bytes.len());
        match bytes.filter(is_hash) {
            Some(bytes) => Ok(PasswordHash { base64, bytes }),
            None => Err(Failure::data(
                "that is no password hash: it has to be a salt of 4 bytes and an MD5, SHA-256 or \
                 SHA-512 digest, in Base64",
            )),
        }
    }

    /// In Base64.
    pub fn base64(&self) -> &str {
        self.base64.reveal()
    }

    /// The bytes themselves.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_salted_digest_in_base64_is_refused_and_not_shown() {
        let good = "VBzI8ylGfRQe1cWow92fSquUvNfwfDkmDpVysCO3Qh1TgI6x";
        assert_eq!(PasswordHash::read(Secret::new(good)).unwrap().bytes().len(), 36);
        for bad in ["", "hunter2", "aGVsbG8=", &good[1..], &format!("{good} ")] {
            let failure = PasswordHash::read(Secret::new(bad)).unwrap_err();
            assert_eq!(failure.exit().status(), 65, "{bad}");
            assert!(bad.is_empty() || !failure.to_string().contains(bad));
        }
    }
}
