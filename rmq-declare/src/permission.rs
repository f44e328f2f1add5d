//! Reading the broker's sentence when a permission is missing (403).
//!
//! What takes which permissions is told by
//! <https://www.rabbitmq.com/docs/access-control#authorisation>. From 4.0 on the sentence says
//! which one is missing: `configure access to queue 'q' in vhost '/' refused for user 'u'`; 3.10
//! says `access to queue 'q' in vhost '/' refused for user 'u'`, and leaves it to be inferred.

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Declaring a queue: `configure` on it, and with a dead-letter exchange `read` on it and
    /// `write` on that exchange.
    Queue {
        /// Whether there is one.
        with_exchange: bool,
    },
    /// Declaring this exchange: `configure` on it, and with an alternate one `read` on it and
    /// `write` on that one.
    Exchange(&'a str),
    /// Binding a queue: `write` on it and `read` on the exchange.
    Binding,
    /// Deleting a queue: `configure` on it.
    Deletion,
}

/// A missing permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// `configure on jobs`.
    pub permission: String,
    /// Who lacks it, as the broker calls them: with a certificate not as the URL does.
    pub user: Option<String>,
}

/// Reads the sentence; `None` where it is about something else.
pub fn lacking(text: &str, action: Action<'_>) -> Option<Lacking> {
    let (word, on) = text.split_once("access to ")?;
    let (kind, rest) = on.split_once(" '")?;
    let (name, rest) = rest.split_once("' in vhost '")?;
    let is_exchange = kind == "exchange";
    let permission = match (word.trim_end(), action) {
        ("", Action::Queue { with_exchange: true }) if !is_exchange => "configure or read",
        ("", Action::Queue { .. }) if is_exchange => "write",
        ("", Action::Exchange(own)) if name != own => "write",
        ("", Action::Binding) if is_exchange => "read",
        ("", Action::Binding) => "write",
        ("", _) => "configure",
        (word @ ("configure" | "write" | "read"), _) => word,
        _ => return None,
    };
    let why = match (permission, action) {
        ("configure or read" | "read", Action::Queue { .. }) | ("write", Action::Queue { .. }) => {
            ", which a dead-letter exchange takes"
        }
        ("read" | "write", Action::Exchange(_)) => ", which an alternate exchange takes",
        ("read" | "write", Action::Binding) => ", which a binding takes",
        _ => "",
    };
    let user =
        rest.rsplit_once(" refused for user '").and_then(|(_, user)| user.strip_suffix('\''));
    Some(Lacking {
        permission: format!("{permission} on {name}{why}"),
        user: user.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of 3.10.8, and of 4.0.5 and 4.3.6.
    #[test]
    fn the_brokers_sentences_tell_which_permission_is_missing() {
        let plain = Action::Queue { with_exchange: false };
        let dead = Action::Queue { with_exchange: true };
        let exchange = Action::Exchange("x");
        let for_dead = ", which a dead-letter exchange takes";
        let table = [
            ("access to queue 'q'", plain, "configure on q", ""),
            ("configure access to queue 'q'", plain, "configure on q", ""),
            ("configure access to queue 'q'", dead, "configure on q", ""),
            ("access to queue 'q'", dead, "configure or read on q", for_dead),
            ("read access to queue 'q'", dead, "read on q", for_dead),
            ("write access to exchange 'dlx'", dead, "write on dlx", for_dead),
            ("access to exchange 'amq.default'", dead, "write on amq.default", for_dead),
            ("access to exchange 'x'", exchange, "configure on x", ""),
            (
                "access to exchange 'ae'",
                exchange,
                "write on ae",
                ", which an alternate exchange takes",
            ),
            ("access to exchange 'x'", Action::Binding, "read on x", ", which a binding takes"),
            ("access to queue 'q'", Action::Binding, "write on q", ", which a binding takes"),
            ("write access to queue 'q'", Action::Binding, "write on q", ", which a binding takes"),
            ("access to queue 'q'", Action::Deletion, "configure on q", ""),
        ];
        for (text, action, wanted, why) in table {
            let text = format!("{text} in vhost '/testvhost' refused for user 'subro'");
            let lacking = lacking(&text, action).unwrap();
            assert_eq!(lacking.permission, format!("{wanted}{why}"), "{text}");
            assert_eq!(lacking.user.as_deref(), Some("subro"));
        }
    }

    #[test]
    fn other_refusals_are_left_in_the_brokers_words() {
        let text = "queue name 'amq.foo' contains reserved prefix 'amq.*'";
        assert_eq!(lacking(text, Action::Deletion), None);
    }

    proptest! {
        #[test]
        fn a_sentence_of_any_kind_breaks_nothing(
            text in "(configure |write |read |access to |queue '|exchange '|' in vhost '|\
                     ' refused for user '|'|\\PC){0,12}",
        ) {
            for action in [Action::Queue { with_exchange: true }, Action::Exchange("x"), Action::Binding] {
                let _ = lacking(&text, action);
            }
        }
    }
}
