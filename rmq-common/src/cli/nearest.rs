//! Finds the name that a misspelt one means.

/// The longest name that is compared, in bytes: the time is the product of the lengths, and none of
/// our names is as long.
const LONGEST: usize = 60;

/// The `known` name that `name` misspells: by one letter in a short word, up to three in a long
/// one; a swap of two neighbours counts as one.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let allowed = match name.len() {
        0..=4 => 1,
        5..=9 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(name, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// `; did you mean --quiet?` if one of the `known` names is near; else empty.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|known| format!("; did you mean {known}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_another_word_is_not() {
        let known = ["--quiet", "--verbose", "--key", "--password-file"];
        let table = [
            ("--quite", Some("--quiet")),
            ("--kye", Some("--key")),
            ("--pasword_fil", Some("--password-file")),
            ("--vhost", None),
            ("--window", None),
            ("-q", None),
            ("", None),
        ];
        for (name, meant) in table {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(nearest(&"q".repeat(100_000), known), None);
        assert_eq!(hint("--quite", known), "; did you mean --quiet?");
        assert_eq!(hint("--window", known), "");
    }
}
