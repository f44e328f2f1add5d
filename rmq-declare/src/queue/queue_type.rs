use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueType {
    /// Replicated, on disk (default).
    Quorum,
    /// On one node.
    Classic,
    /// A replicated log that reading does not empty.
    Stream,
}

impl QueueType {
    /// As in `x-queue-type`.
    pub fn name(self) -> &'static str {
        match self {
            QueueType::Quorum => "quorum",
            QueueType::Classic => "classic",
            QueueType::Stream => "stream",
        }
    }

    /// The plural, for messages.
    pub fn plural(self) -> &'static str {
        match self {
            QueueType::Quorum => "quorum queues",
            QueueType::Classic => "classic queues",
            QueueType::Stream => "streams",
        }
    }
}

impl FromStr for QueueType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [QueueType::Quorum, QueueType::Classic, QueueType::Stream]
            .into_iter()
            .find(|queue_type| queue_type.name() == text)
            .ok_or_else(|| "not one of quorum, classic, stream".to_owned())
    }
}

impl fmt::Display for QueueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_of_three_as_rabbitmq_spells_them() {
        for queue_type in [QueueType::Quorum, QueueType::Classic, QueueType::Stream] {
            assert_eq!(queue_type.name().parse(), Ok(queue_type));
        }
        assert!("Quorum".parse::<QueueType>().is_err());
    }
}
