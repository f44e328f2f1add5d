//! Many requests, over several connections.

use super::super::answer::Answer;
use super::super::path::path;
use super::Http;
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use ureq::http::Method;

/// More connections do not make the broker faster.
const AT_ONCE: usize = 16;

impl Http {
    /// Sends many requests, in any order, over several connections: for most of the milliseconds that
    /// a change takes, the broker waits for its disk. `answered` is called for each answer with its
    /// request's place, and returns whether to continue; requests in flight are waited for.
    ///
    /// # Errors
    /// The position of one that was not answered, and why.
    pub(in crate::http) fn send_all(
        &self,
        effect: Effect,
        requests: &[(Vec<&str>, Value)],
        answered: &mut dyn FnMut(usize, Answer) -> bool,
    ) -> Result<(), (usize, Failure)> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, answers) = std::sync::mpsc::channel();
        let mut failed = None;
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(requests.len()) {
                let (client, sender) = (self.client.another(), sender.clone());
                let (next, stop) = (&next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        let place = next.fetch_add(1, Ordering::SeqCst);
                        let Some((segments, body)) = requests.get(place) else { break };
                        let path = path(segments);
                        let asked = path.map(|path| client.ask(Method::PUT, &path, Some(body)));
                        if sender.send((place, asked)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (place, asked) in answers {
                let answer = asked.and_then(|answer| {
                    answer.map_err(|why| why.failure(effect, &self.place, self.limit))
                });
                let go_on = match answer {
                    Ok(answer) => answered(place, answer),
                    Err(failure) => {
                        failed.get_or_insert((place, failure));
                        false
                    }
                };
                if !go_on {
                    stop.store(true, Ordering::SeqCst);
                }
            }
        });
        failed.map_or(Ok(()), Err)
    }
}
