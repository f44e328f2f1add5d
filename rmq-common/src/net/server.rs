//! The identity of the broker, from its first frame.
//!
//! The same option can be harmless to one release and lose messages on another, so tools must know
//! the release. AMQP's `connection.start` contains it; lapin reads that frame and drops it, so the
//! bytes are parsed as they pass ([`crate::net::greeting`]).

/// What the broker says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The program: `RabbitMQ`.
    pub product: String,
    /// Its version: `4.0.5`.
    pub version: String,
    /// The login mechanisms that it offers, separated by spaces.
    pub mechanisms: String,
}

impl Server {
    /// Whether it is RabbitMQ, of this release or a later one.
    pub fn is_rabbitmq_from(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.version.split(['.', '-', '+']).map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten().unwrap_or(0);
        self.product == "RabbitMQ" && (next(), next()) >= (major, minor)
    }

    /// Parses a `connection.start` (AMQP 0-9-1, sections 2.3.5 and 4.2); `None` if it is not one.
    /// Absent fields are empty.
    pub(crate) fn from_start(frame: &[u8]) -> Option<Self> {
        const METHOD: u8 = 1;
        const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];
        let mut bytes = Bytes(frame);
        if bytes.take(1)? != [METHOD] {
            return None;
        }
        bytes.take(2)?; // the channel
        bytes.long()?; // the frame's size
        if bytes.take(4)? != CONNECTION_START {
            return None;
        }
        bytes.take(2)?; // AMQP's own version
        let size = bytes.long()?;
        let mut table = Bytes(bytes.take(size)?);
        let (mut product, mut version) = (None, None);
        while !table.0.is_empty() {
            let length = usize::from(*table.take(1)?.first()?);
            let name = table.take(length)?;
            match table.take(1)? {
                b"S" => {
                    let length = table.long()?;
                    let text =
                        || Some(String::from_utf8_lossy(table.0.get(..length)?).into_owned());
                    match name {
                        b"product" => product = text(),
                        b"version" => version = text(),
                        _ => {}
                    }
                    table.take(length)?;
                }
                // Tables, arrays and bytes have a length too.
                b"F" | b"A" | b"x" => {
                    let length = table.long()?;
                    table.take(length)?;
                }
                b"t" | b"b" | b"B" => drop(table.take(1)?),
                b"s" | b"u" => drop(table.take(2)?),
                b"I" | b"i" | b"f" => drop(table.take(4)?),
                b"l" | b"d" | b"T" => drop(table.take(8)?),
                b"V" => {}
                _ => return None,
            }
        }
        let size = bytes.long()?;
        let mechanisms = String::from_utf8_lossy(bytes.take(size)?).into_owned();
        let (product, version) = (product.unwrap_or_default(), version.unwrap_or_default());
        Some(Server { product, version, mechanisms })
    }
}

/// Reads bytes from the front; `None` if they end too early.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What RabbitMQ 4.0.5 sends, but for the longer texts.
    fn start() -> Vec<u8> {
        let mut table = b"\x0ccapabilitiesF\0\0\0\x07\x04nackt\x01".to_vec();
        table.extend(b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x054.0.5");
        let mut payload = vec![0, 10, 0, 10, 0, 9];
        payload.extend((table.len() as u32).to_be_bytes());
        payload.extend(table);
        payload.extend(b"\0\0\0\x05PLAIN\0\0\0\x05en_US");
        let mut frame = vec![1, 0, 0];
        frame.extend((payload.len() as u32).to_be_bytes());
        frame.extend(payload);
        frame.push(0xce);
        frame
    }

    #[test]
    fn the_first_frame_tells_product_and_version() {
        let server = Server::from_start(&start()).unwrap();
        assert_eq!((server.product.as_str(), server.version.as_str()), ("RabbitMQ", "4.0.5"));
        assert_eq!(server.mechanisms, "PLAIN");
    }

    #[test]
    fn releases_are_compared_as_numbers() {
        let of = |product: &str, version: &str| Server {
            product: product.to_owned(),
            version: version.to_owned(),
            ..Server::default()
        };
        let server = |version| of("RabbitMQ", version);
        assert!(server("4.0.5").is_rabbitmq_from(4, 0));
        assert!(server("10.0.0").is_rabbitmq_from(4, 0));
        assert!(server("4.1.0-beta.4").is_rabbitmq_from(4, 1));
        assert!(!server("3.13.7").is_rabbitmq_from(4, 0));
        assert!(!server("4.2.1").is_rabbitmq_from(4, 3));
        assert!(!server("").is_rabbitmq_from(3, 0));
        assert!(!of("LavinMQ", "4.0.0").is_rabbitmq_from(4, 0));
    }

    proptest! {
        #[test]
        fn a_frame_cut_short_or_garbled_tells_nothing_and_breaks_nothing(
            end in 0usize..120, at in 0usize..120, byte in any::<u8>(),
        ) {
            let mut frame = start();
            if let Some(place) = frame.get_mut(at) {
                *place = byte;
            }
            frame.truncate(end);
            let _ = Server::from_start(&frame);
        }
    }
}
