//! What is done with each queue, and what there is to tell of it.

use crate::broker::check::{self, Found};
use crate::broker::declare::{self, Refused};
use crate::broker::delete::{Conditions, Deleted, delete};
use crate::broker::link::Link;
use crate::broker::take_back;
use crate::plan::Job;
use crate::queue::Queue;
use crate::queue::exchange::Exchange;
use crate::queue::known_arguments;
use crate::queue::queue_arguments;
use crate::queue::queue_type::QueueType;
use crate::queue::warnings;
use crate::report::Told;
use crate::report::counts::{self, Counts};
use rmq_common::declaration::Declaration;
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
        Found::Different((), difference) | Found::Down(difference) => {
            vec![Told::Difference(difference)]
        }
        Found::Missing => {
            let (name, vhost) = (&exchange.name, link.vhost());
            let why = Failure::data(format!("check exchange {name} in {vhost}: missing"));
            vec![Told::Difference(why)]
        }
        Found::Unknown(failure) => vec![Told::Failure(failure)],
    })
}

/// Declares a queue and what belongs to it, as far as it goes: what comes later would not do
/// without what came before, and what was made for nothing is taken back.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn declare_all(link: &Link, job: &Job) -> Result<Vec<Told>, Failure> {
    let mut new = Vec::new();
    for queue in job.queues().filter(|_| !job.bindings.is_empty()) {
        if check::is_missing(link, &queue.name).await? {
            new.push(queue);
        }
    }
    if new.contains(&&job.queue) {
        let failures = check::without_source(link, &job.queue.name, &job.bindings).await?;
        if !failures.is_empty() {
            return Ok(failures.into_iter().map(Told::Failure).collect());
        }
    }
    let mut told = match &job.dead_letters {
        Some(dlq) => declare_with_dead_letters(link, job, dlq).await?,
        None => vec![declare_one(link, &job.queue).await?],
    };
    if told.iter().any(|told| matches!(told, Told::Failure(_))) {
        return Ok(told);
    }
    let mut is_bound = true;
    for binding in &job.bindings {
        if let Err(failure) = declare::binding(link, &job.queue.name, binding).await? {
            told.push(Told::Failure(failure));
            is_bound = false;
        }
    }
    if !is_bound {
        // A message may have come, and a quorum queue cannot be deleted only if it is empty.
        told.extend(new.iter().map(|queue| Told::Notice(take_back::left(link, queue))));
    }
    let server = link.server();
    let notices = warnings::of(&job.queue.shape, job.dead_letters.is_some(), server.as_ref());
    let of_bindings = job.bindings.iter().flat_map(|it| known_arguments::of_binding(&it.arguments));
    told.extend(notices.into_iter().chain(of_bindings).map(Told::Notice));
    Ok(told)
}

async fn declare_one(link: &Link, queue: &Queue) -> Result<Told, Failure> {
    Ok(match declare::queue(link, queue, "declare").await? {
        Ok(counts) => Told::Line(counts::line(queue.name.as_str(), counts)),
        Err(Refused { failure, .. }) => Told::Failure(failure),
    })
}

/// The dead-letter queue comes first, so that the queue is never without; but a queue that is there
/// already has to be as it is asked for before anything is made for it.
async fn declare_with_dead_letters(
    link: &Link,
    job: &Job,
    dlq: &Queue,
) -> Result<Vec<Told>, Failure> {
    let is_missing = match check::look(link, &job.queue.name).await? {
        Found::Missing => true,
        Found::Same(_) | Found::Different(..) | Found::Down(_) => false,
        Found::Unknown(failure) => return Ok(vec![Told::Failure(failure)]),
    };
    if !is_missing {
        let queue = declare_one(link, &job.queue).await?;
        if matches!(queue, Told::Failure(_)) {
            return Ok(vec![queue]);
        }
        return Ok(vec![declare_one(link, dlq).await?, queue]);
    }
    let is_ours = !job.dead_letters_are_shared && check::is_missing(link, &dlq.name).await?;
    let first = declare_one(link, dlq).await?;
    if matches!(first, Told::Failure(_)) {
        return Ok(vec![first]);
    }
    let queue = declare_one(link, &job.queue).await?;
    if is_ours && matches!(queue, Told::Failure(_)) {
        let left = take_back::queue(link, dlq).await?;
        return Ok([queue].into_iter().chain(left.map(Told::Notice)).collect());
    }
    Ok(vec![first, queue])
}

/// Looks whether a queue is there, and as it is asked for if anything is.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn check_all(link: &Link, job: &Job) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    for queue in job.queues() {
        let name = queue.name.as_str();
        match look(link, job, queue).await?.0 {
            Found::Same(counts) => told.push(Told::Line(counts::line(name, counts))),
            Found::Different(counts, difference) => {
                told.push(Told::Line(counts::line(name, counts)));
                told.push(Told::Difference(difference));
            }
            Found::Down(why) => {
                told.push(Told::Line(counts::down(name)));
                told.push(Told::Difference(why));
            }
            Found::Missing => told.extend([Told::Line(counts::missing(name)), Told::No]),
            Found::Unknown(failure) => told.push(Told::Failure(failure)),
        }
    }
    told.extend(unchecked(link, job));
    Ok(told)
}

/// What a look found, and what a queue that differs is like, where all of that is known.
pub type Looked = (Found<Counts>, Option<Declaration>);

/// Looks at a queue of `job`, as closely as that asks for.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn look(link: &Link, job: &Job, queue: &Queue) -> Result<Looked, Failure> {
    let (found, is) = match job.described {
        true => check::compare(link, queue).await?,
        false => (check::look(link, &queue.name).await?, None),
    };
    // A classic queue has answered for itself, and of a stream that it has no leader cannot be seen.
    if !job.described || queue.shape.queue_type == QueueType::Quorum {
        return Ok((check::in_use(link, &queue.name, found).await, is));
    }
    Ok((found, is))
}

/// What a check leaves out.
pub fn unchecked(link: &Link, job: &Job) -> Vec<Told> {
    let bindings = (!job.bindings.is_empty())
        .then(|| "bindings are not checked: AMQP cannot query them".to_owned());
    let arguments = match job.described {
        true => queue_arguments::not_compared(link.server().as_ref(), &job.queue.shape.arguments),
        false => Vec::new(),
    };
    bindings.into_iter().chain(arguments).map(Told::Notice).collect()
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
        let found = check::look(link, &job.queue.name).await?;
        return Ok(vec![match check::in_use(link, &job.queue.name, found).await {
            Found::Same(counts) | Found::Different(counts, _) => {
                Told::Line(counts::line(name, counts))
            }
            Found::Down(_) => Told::Line(counts::down(name)),
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
