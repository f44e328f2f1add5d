//! The API's no, in words and with its exit status.

use super::answer::Answer;
use super::unanswered::{Effect, UNKNOWN};
use crate::reach::Unreached;
use crate::refused;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use serde_json::Value;

/// What keeps us from asking anything, if the first answer says so.
pub fn of_the_first(answer: &Answer, user: &str) -> Option<Unreached> {
    let why = match answer.status {
        200 => return None,
        // A broker that is starting, or a proxy before it.
        502..=504 => return Some(Unreached::for_now(in_words(answer, user, Effect::Reads))),
        401 | 403 | 500.. => {
            return Some(Unreached::lasting(in_words(answer, user, Effect::Reads)));
        }
        404 => "no management API there (is the plugin enabled?)".to_owned(),
        300..=399 => match &answer.location {
            Some(location) => format!("what answers there says to ask {location}"),
            None => "what answers there says to ask somewhere else".to_owned(),
        },
        status => format!("what answers there is not the management API: status {status}"),
    };
    Some(Unreached::lasting(Failure::new(Exit::Unavailable, why)))
}

/// Whether a change was refused because there is no such user or virtual host.
pub fn is_of_missing(answer: &Answer) -> bool {
    reason(answer) == Some("vhost_or_user_not_found")
}

/// What an answer that is no success means, for a request of `user`'s.
pub fn in_words(answer: &Answer, user: &str, effect: Effect) -> Failure {
    let reason = reason(answer);
    match answer.status {
        401 | 403 => Failure::new(Exit::NoPerm, lacking(user, reason.unwrap_or_default())),
        400..=499 => {
            if let Some(failure) = answer.body.get("reason").and_then(known) {
                return failure;
            }
            Failure::data(match (answer.status, reason) {
                // What a credential validator has against a password.
                (400, Some(why)) => refused::plain(why),
                (_, Some(why)) => format!("the broker refuses it: {}", refused::plain(why)),
                (status, None) => format!("the broker refuses it with status {status}"),
            })
        }
        status => {
            // 503 is said by a broker that starts or has no majority, and by a proxy with no
            // broker behind it, as 502 and 504.
            let exit = match (status, effect) {
                (502..=504, Effect::Reads) => Exit::Unavailable,
                (502..=504, Effect::Changes) => Exit::TempFail,
                _ => Exit::Software,
            };
            let why =
                reason.map(|reason| format!(": {}", refused::plain(reason))).unwrap_or_default();
            let unknown = if effect == Effect::Changes { UNKNOWN } else { "" };
            Failure::new(exit, format!("the broker failed with status {status}{why}{unknown}"))
        }
    }
}

fn reason(answer: &Answer) -> Option<&str> {
    answer.body.get("reason")?.as_str()
}

/// What `user` lacks, by the API's own reason.
fn lacking(user: &str, reason: &str) -> String {
    match reason {
        "Not administrator user" => format!("{user} lacks the tag administrator"),
        "Not monitor user" => format!("{user} lacks the tag monitoring (or administrator)"),
        "Not management user" => format!("{user} lacks the tag management (or administrator)"),
        "User not authorised to access virtual host" => {
            format!("{user} has no permissions on the virtual host")
        }
        "User can only log in via localhost" => {
            format!("{user} may log in from the broker's own machine only")
        }
        // The reasons are many, and mean the same to a client that may not know more.
        "Login failed" | "Not_Authorized" | "" => format!(
            "the broker refuses {user}: no such user, a wrong password, or none of the tags \
             management, policymaker, monitoring and administrator"
        ),
        other => format!("the broker refuses {user}: {}", refused::plain(other)),
    }
}

/// A refusal with details: `["invalid_regexp", Pattern, [Text, Position]]`.
fn known(reason: &Value) -> Option<Failure> {
    let (tag, details) = reason.as_array()?.split_first()?;
    match (tag.as_str()?, details) {
        ("invalid_regexp", [pattern, why]) => {
            Some(refused::invalid_pattern(&characters(pattern)?, &objection(why)))
        }
        ("no_such_exchange", [name]) => Some(refused::no_such_exchange(&characters(name)?)),
        _ => None,
    }
}

/// What was refused and why, in an answer to a permission with a pattern that is none.
pub fn refused_pattern(answer: &Answer) -> Option<(String, String)> {
    match answer.body.get("reason")?.as_array()?.as_slice() {
        [tag, pattern, why] if tag == "invalid_regexp" => {
            Some((characters(pattern)?, objection(why)))
        }
        _ => None,
    }
}

/// What `[Text, Position]` says against a pattern.
fn objection(why: &Value) -> String {
    match why.as_array().map(Vec::as_slice) {
        Some([text, Value::Number(position)]) => {
            format!("{} at offset {position}", characters(text).unwrap_or_default())
        }
        _ => why.to_string(),
    }
}

/// A text, which in Erlang may be a list of bytes, and is then one in JSON, too.
fn characters(text: &Value) -> Option<String> {
    match text {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes = bytes.iter().map(byte).collect::<Option<Vec<u8>>>()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: Value) -> Answer {
        Answer { status, body, location: None }
    }

    fn said(status: u16, reason: impl Into<Value>, effect: Effect) -> (String, u8) {
        let answer = answer(status, json!({"error": "e", "reason": reason.into()}));
        let failure = in_words(&answer, "jo", effect);
        (failure.to_string(), failure.exit().status())
    }

    #[test]
    fn a_pattern_may_come_back_as_text_or_as_its_bytes() {
        let wanted =
            "'ü*' is not a regular expression the broker takes: nothing to repeat at offset 2";
        let why = json!([b"nothing to repeat", 2]);
        for pattern in [json!("ü*"), json!([195, 188, 42])] {
            let reason = json!(["invalid_regexp", pattern, why]);
            assert_eq!(said(400, reason, Effect::Changes), (wanted.to_owned(), 65));
        }
    }

    #[test]
    fn a_missing_tag_is_named() {
        for (reason, lacks) in [
            ("Not administrator user", "jo lacks the tag administrator"),
            ("Not monitor user", "jo lacks the tag monitoring (or administrator)"),
        ] {
            assert_eq!(said(401, json!(reason), Effect::Changes), (lacks.to_owned(), 77));
        }
        let (text, status) = said(401, json!("Login failed"), Effect::Reads);
        assert!(text.contains("a wrong password") && status == 77, "{text}");
    }

    #[test]
    fn a_broker_that_fails_may_have_done_it() {
        let down = ("the broker failed with status 503: x".to_owned(), 69);
        assert_eq!(said(503, json!("x"), Effect::Reads), down);
        let unknown =
            "the broker failed with status 503: x; whether it was done is unknown".to_owned();
        assert_eq!(said(503, json!("x"), Effect::Changes), (unknown, 75));
        assert_eq!(said(500, json!({}), Effect::Reads).1, 70);
    }

    #[test]
    fn another_refusal_is_told_in_the_brokers_own_words() {
        let why = json!("minimum required password length: 8");
        let wanted = "minimum required password length: 8";
        assert_eq!(said(400, why, Effect::Changes), (wanted.to_owned(), 65));
        let protected = "the broker refuses it: protected".to_owned();
        assert_eq!(said(412, json!("protected"), Effect::Changes), (protected, 65));
        let wanted = "the broker refuses it with status 405".to_owned();
        assert_eq!(said(405, Value::Null, Effect::Changes), (wanted, 65));
    }

    #[test]
    fn the_first_answer_tells_whether_it_is_the_api() {
        let first = |status, location: Option<&str>| {
            let location = location.map(str::to_owned);
            let failure = of_the_first(&Answer { status, body: Value::Null, location }, "jo");
            failure.map(|it| (it.failure.to_string(), it.failure.exit().status()))
        };
        assert_eq!(first(200, None), None);
        assert!(first(404, None).unwrap().0.contains("plugin"));
        let (text, status) = first(301, Some("https://h/")).unwrap();
        assert!(text.ends_with("https://h/") && status == 69, "{text}");
        assert_eq!(first(401, None).unwrap().1, 77);
        assert_eq!(first(418, None).unwrap().1, 69);
    }
}
