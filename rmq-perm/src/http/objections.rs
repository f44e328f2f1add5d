//! The broker's objections to patterns.
//!
//! No request of the API only checks a pattern. So a permission is sent in which the pattern in
//! question is followed by one that no broker accepts: the broker checks them in order before it
//! changes anything, and says which one it refuses.

use super::broker::Http;
use super::json::broken;
use super::permission_request::{body, path_of};
use super::refusal;
use crate::administration::Patterns;
use crate::pattern::NO_PATTERN;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use ureq::http::Method;

/// What the broker says against `pattern`; `None` if it takes it.
pub fn to(broker: &Http, pattern: &str) -> Result<Option<String>, Failure> {
    let (vhost, user) = witness(broker)?;
    let probe = body(Patterns { configure: pattern, write: NO_PATTERN, read: NO_PATTERN });
    let path = path_of(vhost, user);
    let answer = broker.send(Effect::Reads, Method::PUT, &path, "", Some(&probe))?;
    match refusal::invalid_pattern(&answer) {
        Some((refused, why)) if refused == pattern.as_bytes() => Ok(Some(why)),
        Some((refused, _)) if refused == NO_PATTERN.as_bytes() => Ok(None),
        _ => Err(broker.refusal(&answer, Effect::Reads)),
    }
}

/// The same for many, over several connections, in order.
///
/// # Errors
/// The position of one about which the broker gave no answer, and why.
pub fn to_each(broker: &Http, patterns: &[&str]) -> Result<Vec<Option<String>>, (usize, Failure)> {
    let (vhost, user) = witness(broker).map_err(|failure| (0, failure))?;
    // Two at a time, because nearly always both are good.
    let pairs: Vec<&[&str]> = patterns.chunks(2).collect();
    let request = |pair: &&[&str]| {
        let configure = pair.first().copied().unwrap_or_default();
        let write = pair.get(1).copied().unwrap_or(NO_PATTERN);
        (path_of(vhost, user).to_vec(), body(Patterns { configure, write, read: NO_PATTERN }))
    };
    let requests: Vec<_> = pairs.iter().map(request).collect();
    let mut refused = Vec::new();
    let mut failed = None;
    broker
        .send_all(Effect::Reads, &requests, &mut |place, answer| {
            match refusal::invalid_pattern(&answer) {
                Some((pattern, _)) if pattern == NO_PATTERN.as_bytes() => {}
                Some(_) => refused.extend([2 * place, 2 * place + 1]),
                None => {
                    failed.get_or_insert((2 * place, broker.refusal(&answer, Effect::Reads)));
                }
            }
            failed.is_none()
        })
        .map_err(|(place, failure)| (2 * place, failure))?;
    if let Some(failed) = failed {
        return Err(failed);
    }
    let mut objections = vec![None; patterns.len()];
    for place in refused {
        if let (Some(pattern), Some(found)) = (patterns.get(place), objections.get_mut(place)) {
            *found = to(broker, pattern).map_err(|failure| (place, failure))?;
        }
    }
    Ok(objections)
}

/// A virtual host and a user that exist.
fn witness(broker: &Http) -> Result<(&str, &str), Failure> {
    let (vhost, user) = match broker.witness.get() {
        Some(witness) => witness,
        None => {
            let found = (one_of(broker, "vhosts", "/")?, one_of(broker, "users", &broker.user)?);
            broker.witness.get_or_init(|| found)
        }
    };
    Ok((vhost, user))
}

/// The name of an existing one: `likely`, which nothing deletes meanwhile, if it exists.
fn one_of(broker: &Http, kind: &str, likely: &str) -> Result<String, Failure> {
    let all = broker.expect(&[kind], "?columns=name")?;
    let names = || all.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
    let name = names().find(|name| *name == likely).or_else(|| names().next());
    name.map(str::to_owned).ok_or_else(|| broken(format!("the broker has no {kind}")))
}
