//! The meaning of the status of an unsuccessful answer.

use super::answer::Answer;
use crate::reach::Unreached;
use crate::refusal::{Refusal, words};
use crate::unanswered::Effect;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Why nothing can be asked, if the first answer says so.
pub fn of_the_first(answer: &Answer, user: &str) -> Option<Unreached> {
    let refused = || of(answer, Effect::Reads).failure_of(user);
    let why = match answer.status {
        200 => return None,
        // A broker that is starting, or a proxy in front of it.
        500.. => return Some(Unreached::for_now(refused())),
        401 | 403 => return Some(Unreached::lasting(refused())),
        404 => {
            // Its server may listen for a moment before it serves any page.
            let why = "no management API there (is the plugin enabled?)";
            return Some(Unreached::before_the_first_start(Failure::new(Exit::Unavailable, why)));
        }
        300..=399 => match &answer.location {
            Some(location) => format!("the server there redirects to {location}"),
            None => "the server there redirects elsewhere".to_owned(),
        },
        status => format!("the server there is not the management API: status {status}"),
    };
    Some(Unreached::lasting(Failure::new(Exit::Unavailable, why)))
}

/// The refusal in an unsuccessful answer.
pub fn of(answer: &Answer, effect: Effect) -> Refusal {
    let Answer { status, body, .. } = answer;
    match *status {
        status @ 400..=499 => words::of_answer(status, body),
        status => Refusal::Failed { status, reason: words::reason(body), effect },
    }
}

/// The objection in an answer to a permission with an invalid pattern, and the pattern.
pub fn invalid_pattern(answer: &Answer) -> Option<(Vec<u8>, String)> {
    match words::of_answer(answer.status, &answer.body) {
        Refusal::InvalidPattern { pattern, objection } => Some((pattern, objection)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_first_answer_shows_whether_it_is_the_api() {
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
