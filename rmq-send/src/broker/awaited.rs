//! The confirms awaited on a channel.

use rmq_common::amqp_error::AmqpError;
use std::collections::VecDeque;

/// Record numbers by delivery tag: the broker counts the channel's messages from 1.
#[derive(Debug)]
pub struct Awaited {
    /// The delivery tag of the first of `numbers`.
    first: u64,
    /// `None` for those already settled.
    numbers: VecDeque<Option<u64>>,
}

impl Default for Awaited {
    fn default() -> Self {
        Awaited { first: 1, numbers: VecDeque::new() }
    }
}

impl Awaited {
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub fn push(&mut self, number: u64) {
        self.numbers.push_back(Some(number));
    }

    /// Settles this tag, or all tags up to it, because the broker has answered.
    pub fn settle(&mut self, tag: u64, multiple: bool, to: &mut Vec<u64>) -> Result<(), AmqpError> {
        let behind = self.first + self.numbers.len() as u64;
        let unknown =
            || Err(AmqpError::unpublished(&format!("confirm {tag} of {} messages", behind - 1)));
        if multiple {
            // Tag 0 means all (AMQP 0-9-1, section 1.8.3.13).
            let up_to = if tag == 0 { behind } else { tag.saturating_add(1) };
            if up_to > behind {
                return unknown();
            }
            while self.first < up_to {
                to.extend(self.numbers.pop_front().flatten());
                self.first += 1;
            }
        } else {
            let index = tag.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
            match index.and_then(|index| self.numbers.get_mut(index)).and_then(Option::take) {
                Some(number) => to.push(number),
                None => return unknown(),
            }
        }
        while let Some(None) = self.numbers.front() {
            self.numbers.pop_front();
            self.first += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_was_never_published_or_is_settled_already_is_no_confirm() {
        let mut awaited = Awaited::default();
        let mut settled = Vec::new();
        assert!(awaited.settle(1, false, &mut settled).is_err());
        assert!(awaited.settle(1, true, &mut settled).is_err());
        (10..13).for_each(|number| awaited.push(number));
        assert!(awaited.settle(2, false, &mut settled).is_ok());
        assert!(awaited.settle(2, false, &mut settled).is_err());
        assert!(awaited.settle(4, true, &mut settled).is_err());
        assert!(awaited.settle(u64::MAX, true, &mut settled).is_err());
        assert!(awaited.settle(0, false, &mut settled).is_err());
        assert_eq!(settled, [11]);
        assert!(awaited.settle(0, true, &mut settled).is_ok());
        assert_eq!(settled, [11, 10, 12]);
        assert!(awaited.is_empty());
        assert!(awaited.settle(3, false, &mut settled).is_err());
    }

    proptest! {
        /// A set is the model.
        #[test]
        fn each_is_settled_once_and_only_when_it_was_published(
            steps in prop::collection::vec((0u8..4, 0u64..40), 0..200)
        ) {
            let mut awaited = Awaited::default();
            let mut model = BTreeSet::new();
            let mut published = 0;
            for (step, tag) in steps {
                let mut settled = Vec::new();
                match step {
                    0 | 1 => {
                        published += 1;
                        awaited.push(published);
                        model.insert(published);
                    }
                    2 => {
                        let is_known = model.remove(&tag);
                        let ok = awaited.settle(tag, false, &mut settled).is_ok();
                        prop_assert_eq!(ok, is_known);
                        prop_assert_eq!(settled, if ok { vec![tag] } else { Vec::new() });
                    }
                    _ => {
                        let ok = awaited.settle(tag, true, &mut settled).is_ok();
                        prop_assert_eq!(ok, tag <= published);
                        let upper = if tag == 0 { u64::MAX } else { tag };
                        let expected: Vec<u64> = model.iter().copied().filter(|it| ok && *it <= upper).collect();
                        model.retain(|it| !expected.contains(it));
                        prop_assert_eq!(settled, expected);
                    }
                }
                prop_assert_eq!(awaited.is_empty(), model.is_empty());
            }
        }
    }
}
