//! Lists of objects on a virtual host.

use super::answer::Answer;
use super::broker::Http;
use crate::refusal::words;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::Value;

/// The body of an answer about objects on a virtual host.
///
/// # Errors
/// There is no such virtual host (65), or our user has no access to it (77).
pub fn body(broker: &Http, answer: Answer) -> Result<Value, Failure> {
    match answer.status {
        200 => Ok(answer.body),
        404 => Err(words::of_missing_vhost(&answer.body).failure_of(&broker.user)),
        _ => Err(broker.refusal(&answer, Effect::Reads)),
    }
}
