//! Declares queues, exchanges and bindings.

use crate::broker::exactly;
use crate::broker::learn::{self, Learnt};
use crate::broker::link::Link;
use crate::queue::Queue;
use crate::queue::binding::Binding;
use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments;
use crate::refusal::differences::{self, Difference};
use crate::refusal::{Request, Subject};
use crate::report::counts::Counts;
use lapin::options::QueueBindOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Value};
use rmq_common::declaration::Declaration;
use rmq_common::failure::Failure;

/// The broker's answer, or why it refused.
pub type Answer<T> = Result<T, Failure>;

#[derive(Debug)]
pub struct Refused {
    pub failure: Failure,
    /// The description of the existing queue, if it differs and is fully known.
    pub is: Option<Declaration>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused { failure, is: None }
    }
}

/// Declares a queue; an existing one that matches is not changed. Messages name the operation
/// `verb`. A refusal is an answer, not an error.
pub async fn queue(
    link: &Link,
    queue: &Queue,
    verb: &'static str,
) -> Result<Result<Counts, Refused>, Failure> {
    let name = queue.name.as_str();
    let server = link.server();
    let declaration = queue.shape.declaration(server.as_ref());
    let request = Request {
        verb,
        subject: Subject::Queue(name, Some(&declaration)),
        vhost: link.vhost(),
        user: link.user(),
    };
    let unknown = server.and_then(|it| queue_arguments::unknown_to(&it, &declaration.arguments));
    if let Some(why) = unknown {
        return Ok(Err(Failure::data(why).context(request).into()));
    }
    let answer = link
        .ask(&format!("queue {name}"), async |channel, server| {
            let Declaration { arguments, .. } = queue.shape.declaration(server);
            channel.queue_declare(queue.name.clone(), declaration.options(), arguments).await
        })
        .await?;
    let trouble = match answer {
        Ok(queue) => return Ok(Ok(Counts::from(&queue))),
        Err(trouble) => trouble,
    };
    if !request.is_difference(&trouble) {
        return Ok(Err(request.failure(trouble).into()));
    }
    let learnt = learn::queue(link, &queue.name, declaration.clone(), Some(&trouble)).await?;
    let differences = differences::of_queue(&declaration, &learnt.is);
    let failure = all(&request, trouble, differences, &learnt);
    Ok(Err(Refused { failure, is: learnt.whole() }))
}

/// The failure that lists every difference; the broker names one at a time.
fn all<T>(
    request: &Request<'_>,
    trouble: AmqpError,
    mut differences: Vec<Difference>,
    learnt: &Learnt<T>,
) -> Failure {
    differences.extend(learnt.cut_off.clone().map(|argument| {
        let asked = request.asked(&argument);
        Difference { argument, current: Value::CutOff, asked }
    }));
    // No difference is left if another client deleted or corrected it in the meantime.
    match differences.is_empty() {
        true => request.failure(trouble),
        false => request.differs(&differences, !learnt.is_whole),
    }
}

/// Declares an exchange; an existing one that matches is not changed.
pub async fn exchange(
    link: &Link,
    exchange: &Exchange,
    verb: &'static str,
) -> Result<Answer<()>, Failure> {
    let Err(trouble) = exactly::exchange(link, exchange).await? else {
        return Ok(Ok(()));
    };
    let subject = Subject::Exchange(exchange);
    let request = Request { verb, subject, vhost: link.vhost(), user: link.user() };
    if !request.is_difference(&trouble) {
        return Ok(Err(request.failure(trouble)));
    }
    let learnt = learn::exchange(link, exchange, &trouble).await?;
    let differences = differences::of_exchange(exchange, &learnt.is);
    Ok(Err(all(&request, trouble, differences, &learnt)))
}

/// Binds a queue; an existing binding is not changed.
pub async fn binding(
    link: &Link,
    queue: &ShortString,
    binding: &Binding,
) -> Result<Answer<()>, Failure> {
    let answer = link
        .ask(&format!("binding of {queue}"), async |channel, _| {
            let Binding { source, key, arguments } = binding.clone();
            let options = QueueBindOptions::default();
            channel.queue_bind(queue.clone(), source, key, options, arguments).await
        })
        .await?;
    let subject = Subject::Binding(queue.as_str(), binding);
    let request = Request { verb: "bind", subject, vhost: link.vhost(), user: link.user() };
    Ok(answer.map_err(|trouble| request.failure(trouble)))
}
