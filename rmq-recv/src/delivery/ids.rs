//! Names for deliveries, which the json envelope carries and a sender returns (`--ack downstream`):
//! `RUN.CHANNEL.TAG`. Delivery tags start again with every channel, and a sender may still name a
//! delivery of an earlier channel, or of another run.

use std::hash::{BuildHasher, RandomState};

/// This run's names.
#[derive(Clone, Debug)]
pub struct Ids {
    run: String,
}

/// The delivery that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel that it came on: the number of earlier channels in this run.
    pub channel: u64,
    /// Its delivery tag there.
    pub tag: u64,
}

impl Default for Ids {
    /// The names of a run begin with 64 random bits.
    fn default() -> Self {
        Ids { run: format!("{:016x}", RandomState::new().hash_one(0u8)) }
    }
}

impl Ids {
    /// The name of a delivery.
    pub fn name(&self, Delivery { channel, tag }: Delivery) -> String {
        format!("{}.{channel}.{tag}", self.run)
    }

    /// The delivery with this name; `None` if it is not from this run.
    pub fn delivery(&self, name: &str) -> Option<Delivery> {
        let (channel, tag) = name.strip_prefix(&self.run)?.strip_prefix('.')?.split_once('.')?;
        let delivery = Delivery { channel: channel.parse().ok()?, tag: tag.parse().ok()? };
        // A delivery has only one name: no leading zeros, no plus sign.
        (self.name(delivery) == name).then_some(delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_its_own_delivery_and_nothing_of_another_run() {
        let ids = Ids::default();
        let delivery = Delivery { channel: 3, tag: 17 };
        let name = ids.name(delivery);
        assert_eq!(ids.delivery(&name), Some(delivery));
        assert_eq!(Ids::default().delivery(&name), None);
        for other in ["", "x", ".3.17", &name[..name.len() - 3], &format!("{name}.1"), "3.17"] {
            assert_eq!(ids.delivery(other), None, "{other}");
        }
        assert_eq!(ids.delivery(&name.replace(".17", ".017")), None);
        assert_eq!(ids.delivery(&name.replace(".17", ".+17")), None);
    }
}
