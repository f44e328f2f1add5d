//! `--dry-run`: what would be declared, and whether it exists. Only queries, passively.

use crate::broker::check::{self, Found};
use crate::broker::link::Link;
use crate::plan::Job;
use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments;
use crate::queue::shape::json_of;
use crate::report::Outcome;
use crate::report::counts::Escaped;
use rmq_common::failure::Failure;
use serde_json::Value;

/// The lines of an exchange.
pub async fn exchange(link: &Link, exchange: &Exchange) -> Result<Vec<Outcome>, Failure> {
    let found = check::look_for_exchange(link, exchange).await?;
    let line = |state| line("exchange", exchange.name.as_str(), state, &exchange.json());
    Ok(match found {
        Found::Same(()) | Found::Different((), _) => vec![line("there")],
        Found::Down(why) => vec![Outcome::Difference(why)],
        Found::Missing => vec![line("missing"), Outcome::No],
        Found::Unknown(failure) => vec![Outcome::Failure(failure)],
    })
}

/// The lines of a queue and what belongs to it.
pub async fn queues(link: &Link, job: &Job) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    let mut binding_state = "missing";
    for queue in job.queues() {
        let name = queue.name.as_str();
        let found = check::look(link, &queue.name).await?;
        let found = check::in_use(link, &queue.name, found).await;
        let server = link.server();
        let declaration = queue.shape.declaration(server.as_ref());
        let line = |state| line("queue", name, state, &json_of(&declaration));
        match found {
            Found::Same(_) | Found::Different(..) => {
                outcomes.push(line("there"));
                // AMQP cannot query bindings.
                binding_state = "unknown";
            }
            Found::Down(why) => {
                outcomes.extend([line("down"), Outcome::Difference(why)]);
                binding_state = "unknown";
            }
            Found::Missing => {
                outcomes.extend([line("missing"), Outcome::No]);
                binding_state = "missing";
            }
            Found::Unknown(failure) => outcomes.push(Outcome::Failure(failure)),
        }
        let unknown =
            server.and_then(|it| queue_arguments::unknown_to(&it, &declaration.arguments));
        if let Some(why) = unknown {
            let vhost = link.vhost();
            outcomes
                .push(Outcome::Failure(Failure::data(format!("declare {name} in {vhost}: {why}"))));
        }
    }
    for binding in &job.bindings {
        outcomes.push(line("binding", job.queue.name.as_str(), binding_state, &binding.json()));
    }
    Ok(outcomes)
}

pub fn line(what: &str, name: &str, state: &str, like: &Value) -> Outcome {
    Outcome::Line(format!("{what}\t{}\t{state}\t{like}\n", Escaped(name)))
}
