//! Reading the broker's sentence when a permission is missing (403).
//!
//! Declaring takes `configure` on the queue and, with a dead-letter exchange, `read` on the queue
//! and `write` on that exchange, looked at in this order
//! (<https://www.rabbitmq.com/docs/access-control#authorisation>). From 4.0 on the sentence says
//! which one is missing: `configure access to queue 'q' in vhost '/' refused for user 'u'`; 3.10
//! says `access to queue 'q' in vhost '/' refused for user 'u'`.

use crate::queue::Shape;

/// What the user must be given, as a clause: `lacks the ... permission on it`.
pub fn lacking(text: &str, shape: &Shape) -> Option<String> {
    let (permission, on) = text.split_once("access to ")?;
    let wanted = match (permission.trim_end(), on.starts_with("exchange ")) {
        (_, true) => {
            let exchange = on.strip_prefix("exchange '")?;
            let exchange = exchange.rsplit_once("' in vhost '").map_or(exchange, |(name, _)| name);
            format!("lacks the write permission on its dead-letter exchange {exchange}")
        }
        ("read", _) => {
            "lacks the read permission on it, which a dead-letter exchange takes".to_owned()
        }
        ("", false) if shape.has_dead_letter_exchange() => {
            "lacks the configure permission on it, or the read permission that a dead-letter \
             exchange takes"
                .to_owned()
        }
        ("" | "configure", _) => "lacks the configure permission on it".to_owned(),
        _ => return None,
    };
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;

    fn shape(words: &[&str]) -> Shape {
        Shape::from_options(&Arguments::from_args(&["rmq-declare"], words).unwrap()).unwrap()
    }

    /// Of 3.10.8, and of 4.0.5 and 4.3.6.
    #[test]
    fn the_brokers_sentences_tell_which_permission_is_missing() {
        let plain = shape(&[]);
        let with_exchange = shape(&["--dead-letter-exchange", "dlx"]);
        let end = "in vhost '/testvhost' refused for user 'subro'";
        let table = [
            ("access to queue 'q'", &plain, "lacks the configure permission on it"),
            ("configure access to queue 'q'", &plain, "lacks the configure permission on it"),
            (
                "configure access to queue 'q'",
                &with_exchange,
                "lacks the configure permission on it",
            ),
            (
                "access to queue 'q'",
                &with_exchange,
                "lacks the configure permission on it, or the read permission that a dead-letter \
                 exchange takes",
            ),
            (
                "read access to queue 'q'",
                &with_exchange,
                "lacks the read permission on it, which a dead-letter exchange takes",
            ),
            (
                "write access to exchange 'dlx'",
                &with_exchange,
                "lacks the write permission on its dead-letter exchange dlx",
            ),
            (
                "access to exchange 'amq.default'",
                &with_exchange,
                "lacks the write permission on its dead-letter exchange amq.default",
            ),
        ];
        for (text, shape, wanted) in table {
            assert_eq!(lacking(&format!("{text} {end}"), shape).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn other_refusals_are_left_in_the_brokers_words() {
        let text = "queue name 'amq.foo' contains reserved prefix 'amq.*'";
        assert_eq!(lacking(text, &shape(&[])), None);
    }
}
