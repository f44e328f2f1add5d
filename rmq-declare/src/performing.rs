//! What is done with each queue, and what there is to tell of it.

use crate::check::{self, Found};
use crate::counts::{self, Counts};
use crate::declare;
use crate::delete::{Conditions, Deleted, delete};
use crate::exchange::Exchange;
use crate::known_arguments;
use crate::link::Link;
use crate::plan::Job;
use crate::queue::Queue;
use crate::report::Told;
use crate::warnings;
use rmq_common::failure::Failure;

/// Declares an exchange.
///
/// # Errors
/// When the broker cannot be asked; so in all of these.
pub async fn declare_exchange(link: &Link, exchange: &Exchange) -> Result<Vec<Told>, Failure> {
    Ok(match declare::exchange(link, exchange, "declare").await? {
        Ok(()) => {
            let notices = known_arguments::of_exchange(&exchange.arguments);
            notices.into_iter().map(Told::Notice).collect()
        }
        Err(failure) => vec![Told::Failure(failure)],
    })
}

/// Looks whether an exchange is there as it is asked for.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn check_exchange(link: &Link, exchange: &Exchange) -> Result<Vec<Told>, Failure> {
    Ok(match check::compare_exchange(link, exchange).await? {
        Found::Same(()) => Vec::new(),
        Found::Different((), difference) => vec![Told::Difference(difference)],
        Found::Missing => {
            let (name, vhost) = (&exchange.name, link.vhost());
            let why = Failure::data(format!("check exchange {name} in {vhost}: missing"));
            vec![Told::Difference(why)]
        }
        Found::Unknown(failure) => vec![Told::Failure(failure)],
    })
}

/// Declares a queue and what belongs to it, as far as it goes: what comes later would not do
/// without what came before.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn declare_all(link: &Link, job: &Job) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    for queue in job.queues() {
        match declare::queue(link, queue, "declare").await? {
            Ok(counts) => told.push(Told::Line(counts::line(queue.name.as_str(), counts))),
            Err(failure) => {
                told.push(Told::Failure(failure));
                return Ok(told);
            }
        }
    }
    for binding in &job.bindings {
        if let Err(failure) = declare::binding(link, &job.queue.name, binding).await? {
            told.push(Told::Failure(failure));
        }
    }
    let server = link.server();
    let notices = warnings::of(&job.queue.shape, job.dead_letters.is_some(), server.as_ref());
    told.extend(notices.into_iter().map(Told::Notice));
    Ok(told)
}

/// Looks whether a queue is there, and as it is asked for if anything is.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn check_all(link: &Link, job: &Job) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    for queue in job.queues() {
        let name = queue.name.as_str();
        match look(link, job, queue).await? {
            Found::Same(counts) => told.push(Told::Line(counts::line(name, counts))),
            Found::Different(counts, difference) => {
                told.push(Told::Line(counts::line(name, counts)));
                told.push(Told::Difference(difference));
            }
            Found::Missing => told.extend([Told::Line(counts::missing(name)), Told::No]),
            Found::Unknown(failure) => told.push(Told::Failure(failure)),
        }
    }
    told.extend(unchecked(job));
    Ok(told)
}

/// Looks at a queue of `job`, as closely as that asks for.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn look(link: &Link, job: &Job, queue: &Queue) -> Result<Found<Counts>, Failure> {
    if job.described {
        check::compare(link, queue).await
    } else {
        check::look(link, &queue.name).await
    }
}

/// What a check leaves out.
pub fn unchecked(job: &Job) -> Option<Told> {
    (!job.bindings.is_empty()).then(|| {
        Told::Notice("bindings are not checked: AMQP cannot ask whether one is there".to_owned())
    })
}

/// Deletes a queue; with `pretend` only tells what is there to be deleted.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn delete_all(
    link: &Link,
    job: &Job,
    conditions: Conditions,
    pretend: bool,
) -> Result<Vec<Told>, Failure> {
    let name = job.queue.name.as_str();
    if pretend {
        return Ok(vec![match check::look(link, &job.queue.name).await? {
            Found::Same(counts) | Found::Different(counts, _) => {
                Told::Line(counts::line(name, counts))
            }
            Found::Missing => Told::Line(counts::missing(name)),
            Found::Unknown(failure) => Told::Failure(failure),
        }]);
    }
    Ok(vec![match delete(link, &job.queue.name, conditions).await? {
        Deleted::Gone(messages) => Told::Line(counts::deleted(name, messages)),
        Deleted::Missing => Told::Line(counts::missing(name)),
        Deleted::Kept(failure) => Told::Failure(failure),
    }])
}
