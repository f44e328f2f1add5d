//! Sets of record numbers, kept and shown as ranges: `1-16, 18-512`.

use std::fmt;

/// How many ranges are shown; the rest is only counted.
const SHOWN: usize = 16;

/// A set of record numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds a number. Cheap if numbers come nearly in order, as confirms do.
    pub fn insert(&mut self, number: u64) {
        // The first range that ends at or after the number's left neighbour.
        let at = match self.0.last() {
            Some((_, last)) if *last + 1 < number => self.0.len(),
            _ => self.0.partition_point(|(_, last)| last + 1 < number),
        };
        match self.0.get_mut(at) {
            Some((first, last)) if *first <= number + 1 => {
                *first = (*first).min(number);
                *last = (*last).max(number);
            }
            _ => self.0.insert(at, (number, number)),
        }
        if at + 1 < self.0.len() && self.0[at].1 + 1 >= self.0[at + 1].0 {
            self.0[at].1 = self.0[at + 1].1;
            self.0.remove(at + 1);
        }
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether there is more than one number.
    pub fn is_many(&self) -> bool {
        self.0.first().is_some_and(|(first, last)| first < last) || self.0.len() > 1
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut ranges = Ranges::default();
        numbers.into_iter().for_each(|number| ranges.insert(number));
        ranges
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().take(SHOWN).enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more ranges"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_are_shown_as_people_write_them() {
        let ranges: Ranges = [1, 2, 3, 5, 7, 8, 6].into_iter().collect();
        assert_eq!(ranges.to_string(), "1-3, 5-8");
        assert_eq!(Ranges::from_iter([4]).to_string(), "4");
        assert!((1..40).map(|n| n * 2).collect::<Ranges>().to_string().ends_with("23 more ranges"));
    }

    proptest! {
        #[test]
        fn ranges_hold_just_what_was_put_in(numbers in proptest::collection::vec(1u64..60, 0..80)) {
            let ranges: Ranges = numbers.iter().copied().collect();
            let held: Vec<u64> = ranges.0.iter().flat_map(|(a, b)| *a..=*b).collect();
            let wanted: Vec<u64> = BTreeSet::from_iter(numbers).into_iter().collect();
            prop_assert_eq!(held, wanted);
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
