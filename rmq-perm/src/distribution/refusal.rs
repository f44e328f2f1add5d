//! A broker's no, in words and with its exit status.

use super::term::Term;
use crate::refused;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// What `{error, Reason}` means, if it is one of the refusals RabbitMQ is known for.
pub fn in_words(answer: &Term) -> Option<Failure> {
    let [reason] = answer.tagged("error")? else { return None };
    if reason.is_atom("timeout") {
        // Khepri, without a majority: what was asked may still be done once there is one.
        return Some(Failure::new(
            Exit::TempFail,
            "the cluster did not agree in time (is a majority of its nodes running?); \
             whether it was done is unknown",
        ));
    }
    let (tag, details) = match reason {
        Term::Tuple(elements) => elements.split_first()?,
        // What a credential validator has against a password.
        Term::Charlist(_) => {
            return reason.text().map(|why| Failure::data(refused::plain(&readable(&why))));
        }
        _ => return None,
    };
    let Term::Atom(tag) = tag else { return None };
    match (tag.as_str(), details) {
        ("no_such_user", _) => Some(refused::no_such_user()),
        ("no_such_vhost", _) => Some(refused::no_such_vhost()),
        ("no_such_exchange", [name]) => {
            Some(refused::no_such_exchange(&readable(&name.text().unwrap_or_default())))
        }
        ("user_already_exists", _) => Some(refused::user_exists()),
        ("invalid_regexp", [pattern, why]) => {
            // Bytes, also where they come as a list of numbers, which is else one of characters.
            let pattern = match pattern {
                Term::Charlist(bytes) => readable(bytes),
                other => readable(&other.text().unwrap_or_default()),
            };
            Some(refused::invalid_pattern(&pattern, &objection(why)))
        }
        _ => None,
    }
}

/// What `{Text, Position}` says against a pattern.
pub fn objection(why: &Term) -> String {
    match why.tuple() {
        Some([text, Term::Integer(position)]) => {
            format!("{} at offset {position}", readable(&text.text().unwrap_or_default()))
        }
        _ => why.to_string(),
    }
}

fn readable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &str) -> Term {
        Term::Atom(name.to_owned())
    }

    fn error(reason: Vec<Term>) -> Option<(String, u8)> {
        let answer = Term::Tuple(vec![atom("error"), Term::Tuple(reason)]);
        in_words(&answer).map(|failure| (failure.to_string(), failure.exit().status()))
    }

    #[test]
    fn each_known_refusal_has_its_sentence_and_its_status() {
        let name = || Term::Binary(b"x".to_vec());
        let said = |text: &str, status| Some((text.to_owned(), status));
        assert_eq!(error(vec![atom("no_such_user"), name()]), said("no such user", 67));
        assert_eq!(error(vec![atom("no_such_vhost"), name()]), said("no such vhost", 65));
        let exists = "the user exists already; nothing was changed (change-password gives a new \
                      password, add-user --replace this password and these tags)";
        assert_eq!(error(vec![atom("user_already_exists"), name()]), said(exists, 65));
        let why = vec![Term::Charlist(b"nothing to repeat".to_vec()), Term::Integer(0)];
        let pattern = Term::Binary(b"*".to_vec());
        let text =
            "'*' is not a regular expression the broker takes: nothing to repeat at offset 0";
        let refused = |pattern| vec![atom("invalid_regexp"), pattern, Term::Tuple(why.clone())];
        assert_eq!(error(refused(pattern)), said(text, 65));
        let bytes = error(refused(Term::Charlist("ü*".into()))).unwrap().0;
        assert!(bytes.starts_with("'ü*' is not"), "{bytes}");
    }

    #[test]
    fn what_is_no_known_refusal_is_left_to_the_caller() {
        assert_eq!(in_words(&atom("ok")), None);
        assert_eq!(error(vec![]), None);
        assert_eq!(error(vec![atom("something_new")]), None);
    }
}
