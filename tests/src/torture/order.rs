//! How far a sequence is from being in order.

/// The fewest elements of `sequence` whose removal leaves it ascending: those that may have been
/// sent again and so have lost their place. (By its longest ascending subsequence, as in patience
/// sorting.)
pub fn displaced(sequence: &[u32]) -> usize {
    let mut ends: Vec<u32> = Vec::new();
    for element in sequence {
        let place = ends.partition_point(|end| end < element);
        match ends.get_mut(place) {
            Some(end) => *end = *element,
            None => ends.push(*element),
        }
    }
    sequence.len() - ends.len()
}

#[cfg(test)]
mod tests {
    use super::displaced;

    #[test]
    fn what_is_out_of_place_is_counted_and_what_it_passed_is_not() {
        assert_eq!(displaced(&[]), 0);
        assert_eq!(displaced(&[1, 2, 3, 9]), 0);
        assert_eq!(displaced(&[9, 1, 2, 3]), 1);
        assert_eq!(displaced(&[1, 5, 6, 2, 3, 4, 7]), 2);
        assert_eq!(displaced(&[3, 2, 1]), 2);
    }
}
