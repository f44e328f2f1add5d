//! A password's hash, as RabbitMQ stores it: a salt of four bytes and a digest, in Base64. Source:
//! <https://www.rabbitmq.com/docs/passwords>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;
use std::fmt;

const SALT: usize = 4;

/// The broker's algorithms and the sizes of their digests. The size identifies the algorithm, which
/// must be sent with a hash: a cluster may have hashes by several algorithms from earlier releases.
const ALGORITHMS: [(usize, &str); 3] = [(16, "md5"), (32, "sha256"), (64, "sha512")];

/// A salted hash. Passwords can be guessed from it, so it is a secret, too.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    base64: Secret,
    bytes: Vec<u8>,
    algorithm: &'static str,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base64.fmt(f)
    }
}

impl PasswordHash {
    /// Reads a hash in the form of `rabbitmqctl hash_password` and the HTTP API.
    ///
    /// # Errors
    /// It is not a hash (65).
    pub fn read(base64: Secret) -> Result<PasswordHash, Failure> {
        let bytes = STANDARD.decode(base64.reveal()).ok();
        let algorithm = |bytes: &[u8]| {
            let found = ALGORITHMS.iter().find(|(size, _)| size + SALT == bytes.len());
            found.map(|(_, name)| *name)
        };
        match bytes.and_then(|bytes| algorithm(&bytes).map(|it| (bytes, it))) {
            Some((bytes, algorithm)) => Ok(PasswordHash { base64, bytes, algorithm }),
            None => Err(Failure::data(
                "not a password hash: it must be a salt of 4 bytes and an MD5, SHA-256 or \
                 SHA-512 digest, in Base64",
            )),
        }
    }

    pub fn base64(&self) -> &str {
        self.base64.reveal()
    }

    /// Encodes the bytes of a hash in Base64.
    pub fn encode(bytes: &[u8]) -> Secret {
        Secret::new(STANDARD.encode(bytes))
    }

    /// The name of its algorithm: `md5`, `sha256` or `sha512`.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The broker's name for it.
    pub fn module(&self) -> String {
        format!("rabbit_password_hashing_{}", self.algorithm)
    }

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
        let hash = PasswordHash::read(Secret::new(good)).unwrap();
        assert_eq!((hash.bytes().len(), hash.algorithm()), (36, "sha256"));
        assert_eq!(PasswordHash::encode(hash.bytes()).reveal(), good);
        for (size, module) in [(20, "md5"), (68, "sha512")] {
            let hash = PasswordHash::read(PasswordHash::encode(&vec![7; size])).unwrap();
            assert_eq!(hash.module(), format!("rabbit_password_hashing_{module}"));
        }
        for bad in ["", "hunter2", "aGVsbG8=", &good[1..], &format!("{good} ")] {
            let failure = PasswordHash::read(Secret::new(bad)).unwrap_err();
            assert_eq!(failure.exit().status(), 65, "{bad}");
            assert!(bad.is_empty() || !failure.to_string().contains(bad));
        }
    }
}
