//! Sizes in human-readable form: `1000`, `64K`, `16M`, `2G`.

/// Parses a number of bytes: a whole number, and `K`, `M`, `G` or `T` for powers of 1024.
///
/// # Errors
/// A sentence that describes the form.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "" => Some(0),
        "K" | "k" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    match (number.parse::<u64>(), shift) {
        (Ok(number), Some(shift)) => number.checked_mul(1 << shift),
        _ => None,
    }
    .ok_or_else(|| format!("'{text}' is not a size; write 1000, 64K, 16M or 2G"))
}

/// Parses the size of a message in bytes (`--max-size`). RabbitMQ accepts none above 512 MiB,
/// whatever its configuration says (<https://www.rabbitmq.com/docs/configure>, `max_message_size`).
///
/// # Errors
/// A sentence that gives the range.
pub fn of_message(text: &str) -> Result<u64, String> {
    match parse(text)? {
        size @ 1..=0x2000_0000 => Ok(size),
        _ => Err("not from 1 byte to 512M".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_a_number_and_a_power_of_1024() {
        for (text, bytes) in [("0", 0), ("1000", 1000), ("64K", 65_536), ("16M", 16 << 20)] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "1.5M", "-1", "16 M", "16MB", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_size_or_refused(text in "[0-9]{0,22}[KMGT]?|\\PC{0,8}") {
            if let Ok(bytes) = parse(&text) {
                let digits = text.trim_end_matches(char::is_alphabetic);
                prop_assert!(bytes >= digits.parse().unwrap());
            }
        }
    }
}
