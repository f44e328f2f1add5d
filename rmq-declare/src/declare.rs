//! Making a queue be there.

use crate::counts::Counts;
use crate::link::Link;
use crate::queue::Shape;
use crate::refusal::{self, Request};
use lapin::options::QueueDeclareOptions;
use lapin::types::ShortString;
use rmq_common::failure::Failure;

/// What came of a declaration that the broker has answered.
pub type Declared = Result<Counts, Failure>;

/// Declares `queue` like `shape`; a queue that is there already, and is like it, stays as it is.
/// `verb` is what the user asked for, for messages.
///
/// # Errors
/// When the broker cannot be asked. That it refused is no error here but an answer.
pub async fn declare(
    link: &mut Link,
    queue: &ShortString,
    shape: &Shape,
    verb: &'static str,
) -> Result<Declared, Failure> {
    // No quorum queue or stream can be transient, exclusive or auto-delete.
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let answer = link.declare(queue, options, |server| shape.arguments(server)).await?;
    Ok(answer.map(|queue| Counts::from(&queue)).map_err(|trouble| {
        refusal::of_declaring(
            trouble,
            &Request {
                verb,
                queue: queue.as_str(),
                vhost: link.vhost(),
                user: link.user(),
                shape,
                arguments: &shape.arguments(link.server()),
            },
        )
    }))
}
