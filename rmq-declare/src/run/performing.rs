//! What is done for each queue, and what is reported about it.

use crate::broker::check::{self, Found};
use crate::broker::declare::{self, Refused};
use crate::broker::delete::{Conditions, Deleted, delete};
use crate::broker::link::Link;
use crate::broker::take_back;
use crate::plan::Job;
use crate::queue::Queue;
use crate::queue::exchange::Exchange;
use crate::queue::misspelt;
use crate::queue::queue_arguments;
use crate::queue::queue_type::QueueType;
use crate::queue::warnings;
use crate::report::Outcome;
use crate::report::counts::{self, Counts};
use crate::values::shell;
use rmq_common::declaration::Declaration;
use rmq_common::failure::Failure;

pub async fn declare_exchange(link: &Link, exchange: &Exchange) -> Result<Vec<Outcome>, Failure> {
    Ok(match declare::exchange(link, exchange, "declare").await? {
        Ok(()) => {
            let notices = misspelt::of_exchange(&exchange.arguments);
            notices.into_iter().map(Outcome::Notice).collect()
        }
        Err(failure) => vec![Outcome::Failure(failure)],
    })
}

/// Checks whether an exchange exists as described.
pub async fn check_exchange(link: &Link, exchange: &Exchange) -> Result<Vec<Outcome>, Failure> {
    Ok(match check::compare_exchange(link, exchange).await? {
        Found::Same(()) => Vec::new(),
        Found::Different((), difference) | Found::Down(difference) => {
            vec![Outcome::Difference(difference)]
        }
        Found::Missing => {
            let (name, vhost) = (&exchange.name, link.vhost());
            let why = Failure::data(format!("check exchange {name} in {vhost}: missing"));
            vec![Outcome::Difference(why)]
        }
        Found::Unknown(failure) => vec![Outcome::Failure(failure)],
    })
}

/// Declares a queue and what belongs to it, up to the first failure, because later steps depend on
/// earlier ones. What was created for a refused queue is removed.
pub async fn declare_all(link: &Link, job: &Job) -> Result<Vec<Outcome>, Failure> {
    let mut new = Vec::new();
    for queue in job.queues().filter(|_| !job.bindings.is_empty()) {
        if check::is_missing(link, &queue.name).await? {
            new.push(queue);
        }
    }
    if new.contains(&&job.queue) {
        let failures = check::without_source(link, &job.queue.name, &job.bindings).await?;
        if !failures.is_empty() {
            return Ok(failures.into_iter().map(Outcome::Failure).collect());
        }
    }
    let mut outcomes = match &job.dead_letters {
        Some(dlq) => declare_with_dead_letters(link, job, dlq).await?,
        None => vec![declare_one(link, &job.queue).await?],
    };
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failure(_))) {
        return Ok(outcomes);
    }
    let mut is_bound = true;
    for binding in &job.bindings {
        if let Err(failure) = declare::binding(link, &job.queue.name, binding).await? {
            outcomes.push(Outcome::Failure(failure));
            is_bound = false;
        }
    }
    if !is_bound {
        // Messages may have arrived, and RabbitMQ cannot delete a quorum queue only if it is empty.
        outcomes.extend(new.iter().map(|queue| Outcome::Notice(take_back::left(link, queue))));
    }
    let server = link.server();
    let notices = warnings::of(&job.queue.shape, job.dead_letters.is_some(), server.as_ref());
    let of_bindings = job.bindings.iter().flat_map(|it| misspelt::of_binding(&it.arguments));
    outcomes.extend(notices.into_iter().chain(of_bindings).map(Outcome::Notice));
    Ok(outcomes)
}

async fn declare_one(link: &Link, queue: &Queue) -> Result<Outcome, Failure> {
    Ok(match declare::queue(link, queue, "declare").await? {
        Ok(counts) => Outcome::Line(counts::line(queue.name.as_str(), counts)),
        Err(Refused { failure, .. }) => Outcome::Failure(failure),
    })
}

/// Declares the dead-letter queue first, so that the queue never lacks one. But an existing queue
/// has to match before anything is created for it.
async fn declare_with_dead_letters(
    link: &Link,
    job: &Job,
    dlq: &Queue,
) -> Result<Vec<Outcome>, Failure> {
    let is_missing = match check::look(link, &job.queue.name).await? {
        Found::Missing => true,
        Found::Same(_) | Found::Different(..) | Found::Down(_) => false,
        Found::Unknown(failure) => return Ok(vec![Outcome::Failure(failure)]),
    };
    if !is_missing {
        let queue = declare_one(link, &job.queue).await?;
        if matches!(queue, Outcome::Failure(_)) {
            return Ok(vec![queue]);
        }
        return Ok(vec![declare_one(link, dlq).await?, queue]);
    }
    let is_ours = !job.dead_letters_are_shared && check::is_missing(link, &dlq.name).await?;
    let first = declare_one(link, dlq).await?;
    if matches!(first, Outcome::Failure(_)) {
        return Ok(vec![first]);
    }
    let queue = declare_one(link, &job.queue).await?;
    if is_ours && matches!(queue, Outcome::Failure(_)) {
        let left = take_back::queue(link, dlq).await?;
        return Ok([queue].into_iter().chain(left.map(Outcome::Notice)).collect());
    }
    Ok(vec![first, queue])
}

/// Checks whether a queue exists, and matches if it is described.
pub async fn check_all(link: &Link, job: &Job) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    for queue in job.queues() {
        let name = queue.name.as_str();
        match look(link, job, queue).await?.0 {
            Found::Same(counts) => outcomes.push(Outcome::Line(counts::line(name, counts))),
            Found::Different(counts, difference) => {
                outcomes.push(Outcome::Line(counts::line(name, counts)));
                outcomes.push(Outcome::Difference(difference));
            }
            Found::Down(why) => {
                outcomes.push(Outcome::Line(counts::down(name)));
                outcomes.push(Outcome::Difference(why));
            }
            Found::Missing => outcomes.extend([Outcome::Line(counts::missing(name)), Outcome::No]),
            Found::Unknown(failure) => outcomes.push(Outcome::Failure(failure)),
        }
    }
    outcomes.extend(unchecked(link, job));
    Ok(outcomes)
}

/// The result of a check, and the full description of a queue that differs, if known.
pub type Looked = (Found<Counts>, Option<Declaration>);

/// Checks a queue as far as `job` describes it.
pub async fn look(link: &Link, job: &Job, queue: &Queue) -> Result<Looked, Failure> {
    let (found, is) = match job.described {
        true => check::compare(link, queue).await?,
        false => (check::look(link, &queue.name).await?, None),
    };
    // A classic queue has answered itself, and AMQP cannot show that a stream has no leader.
    if !job.described || queue.shape.queue_type == QueueType::Quorum {
        return Ok((check::in_use(link, &queue.name, found).await, is));
    }
    Ok((found, is))
}

/// What a check does not cover.
pub fn unchecked(link: &Link, job: &Job) -> Vec<Outcome> {
    let bindings = (!job.bindings.is_empty()).then(|| bindings_unchecked(link));
    let arguments = match job.described {
        true => queue_arguments::not_compared(link.server().as_ref(), &job.queue.shape.arguments),
        false => Vec::new(),
    };
    bindings.into_iter().chain(arguments).map(Outcome::Notice).collect()
}

/// A notice that bindings are not checked, and where they are listed.
pub fn bindings_unchecked(link: &Link) -> String {
    let vhost = shell::word(link.vhost());
    format!("bindings are not checked: AMQP cannot query them (rmq-perm list-bindings -p {vhost})")
}

/// Deletes a queue; with `pretend`, only reports what would be deleted.
pub async fn delete_all(
    link: &Link,
    job: &Job,
    conditions: Conditions,
    pretend: bool,
) -> Result<Vec<Outcome>, Failure> {
    let name = job.queue.name.as_str();
    if pretend {
        let found = check::look(link, &job.queue.name).await?;
        return Ok(vec![match check::in_use(link, &job.queue.name, found).await {
            Found::Same(counts) | Found::Different(counts, _) => {
                Outcome::Line(counts::line(name, counts))
            }
            Found::Down(_) => Outcome::Line(counts::down(name)),
            Found::Missing => Outcome::Line(counts::missing(name)),
            Found::Unknown(failure) => Outcome::Failure(failure),
        }]);
    }
    Ok(vec![match delete(link, &job.queue.name, conditions).await? {
        Deleted::Gone(messages) => Outcome::Line(counts::deleted(name, messages)),
        Deleted::Missing => Outcome::Line(counts::missing(name)),
        Deleted::Kept(failure) => Outcome::Failure(failure),
    }])
}
