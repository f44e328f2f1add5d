//! A refusal of the broker's as the person at the terminal reads it.

use crate::inequivalent::{self, Complaint, Value};
use crate::permission;
use crate::queue::Shape;
use crate::queue_arguments::{DELIVERY_LIMIT, TYPE, option_of};
use lapin::types::{AMQPValue, FieldTable};
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::fmt;

/// What was asked for, where and by whom.
pub struct Request<'a> {
    /// What was being done, for messages: `declare`.
    pub verb: &'static str,
    /// The queue.
    pub queue: &'a str,
    /// Its virtual host.
    pub vhost: &'a str,
    /// The user.
    pub user: &'a str,
    /// What it was to be like.
    pub shape: &'a Shape,
    /// The same as it was sent.
    pub arguments: &'a FieldTable,
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.verb, self.queue, self.vhost)
    }
}

/// The failure of a declaration.
pub fn of_declaring(trouble: Trouble, request: &Request<'_>) -> Failure {
    let failure = match trouble {
        Trouble::Refused { code: reply::PRECONDITION_FAILED, text } => unfit(text, request),
        Trouble::Refused { code: reply::ACCESS_REFUSED, text } => {
            match permission::lacking(&text, request.shape) {
                Some(lacking) => lacks(&lacking, &text, request),
                // A reserved name: no permission helps.
                None if text.contains("reserved prefix") => {
                    Failure::data("names that begin with amq. are the broker's own")
                }
                None => Failure::new(Exit::NoPerm, text),
            }
        }
        other => as_it_stands(other),
    };
    failure.context(request)
}

/// The failure of a passive declaration, other than that there is no such queue.
pub fn of_checking(trouble: Trouble, request: &Request<'_>) -> Failure {
    let failure = match trouble {
        // 4.3 answers those only who have some permission on the queue.
        Trouble::Refused { code: reply::ACCESS_REFUSED, text } => {
            lacks("has no permission on it", &text, request)
        }
        other => as_it_stands(other),
    };
    failure.context(request)
}

fn as_it_stands(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Refused { code: reply::RESOURCE_LOCKED, .. } => {
            Failure::new(Exit::TempFail, "it is another connection's exclusive queue")
        }
        other => other.failure(),
    }
}

/// The queue is there and different, or cannot be like this.
fn unfit(text: String, request: &Request<'_>) -> Failure {
    Failure::data(match inequivalent::read(&text, request.queue, request.vhost) {
        Some(Complaint::Inequivalent { argument, current }) => {
            difference(&argument, &current, request)
        }
        Some(Complaint::Invalid { argument, why }) if why.starts_with("of queue type") => {
            let types = request.shape.queue_type().plural();
            format!("{types} have no argument {}", named(&argument))
        }
        Some(Complaint::Invalid { argument, why }) => {
            format!("the broker does not take this {}: {why}", named(&argument))
        }
        None => text,
    })
}

/// A permission is missing, and this is how to give it.
fn lacks(lacking: &str, text: &str, request: &Request<'_>) -> Failure {
    let vhost = request.vhost;
    // With a certificate the broker knows the user by another name than the URL's.
    let user = text.rsplit_once(" refused for user '").map(|(_, user)| user);
    let user = user.and_then(|user| user.strip_suffix('\'')).unwrap_or(request.user);
    Failure::new(
        Exit::NoPerm,
        format!("{user} {lacking} (rmq-perm set -p {vhost} {user} CONFIGURE WRITE READ)"),
    )
}

/// `it exists with --max-length (x-max-length) 10, 5 was asked for; ...`
fn difference(argument: &str, current: &Value, request: &Request<'_>) -> String {
    let name = named(argument);
    let exists = match current {
        // 3.10 says none of a queue that was declared without a type.
        Value::None if argument == TYPE => format!("with {name} classic"),
        Value::None => format!("without {name}"),
        Value::Is(value) => format!("with {name} {}", spelt(argument, value)),
        Value::CutOff => format!("with another {name}"),
    };
    let asked = asked(argument, request.arguments).unwrap_or_else(|| "none".to_owned());
    let vhost = request.vhost;
    format!(
        "it exists {exists}, {asked} was asked for; that is the first difference, \
         rmq-perm list-queues -v -p {vhost} shows all"
    )
}

/// `--max-length (x-max-length)`, or the argument alone where no option stands for it.
fn named(argument: &str) -> String {
    match option_of(argument) {
        Some(option) => format!("{option} ({argument})"),
        None => argument.to_owned(),
    }
}

/// What we asked for, told as the broker tells its own.
fn asked(argument: &str, arguments: &FieldTable) -> Option<String> {
    // The properties we declare with, which stand in no table.
    match argument {
        "durable" => return Some("true".to_owned()),
        "auto_delete" | "exclusive" => return Some("false".to_owned()),
        _ => {}
    }
    let text = match arguments.inner().get(argument)? {
        AMQPValue::LongLongInt(number) => number.to_string(),
        AMQPValue::Boolean(truth) => truth.to_string(),
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::Double(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    Some(spelt(argument, &text))
}

/// A value as it is written on the command line.
fn spelt(argument: &str, value: &str) -> String {
    match (argument, value) {
        (DELIVERY_LIMIT, "-1") => "unlimited".to_owned(),
        (_, "") => "''".to_owned(),
        (_, value) => value.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;
    use rmq_common::server::Server;

    /// What is told of a refused declaration of `jobs`, without the words every sentence has.
    fn told(words: &[&str], code: u16, text: &str) -> (String, u8) {
        let server = Server {
            product: "RabbitMQ".to_owned(),
            version: "4.0.5".to_owned(),
            ..Server::default()
        };
        let options = Arguments::from_args(&["rmq-declare"], words).unwrap();
        let shape = Shape::from_options(&options).unwrap();
        let trouble = Trouble::Refused { code, text: text.to_owned() };
        let failure = of_declaring(
            trouble,
            &Request {
                verb: "declare",
                queue: "jobs",
                vhost: "/",
                user: "guest",
                shape: &shape,
                arguments: &shape.arguments(Some(&server)),
            },
        );
        let told = failure.to_string();
        let told = told.strip_prefix("declare jobs in /: ").unwrap();
        let more = "; that is the first difference, rmq-perm list-queues -v -p / shows all";
        (told.strip_suffix(more).unwrap_or(told).to_owned(), failure.exit().status())
    }

    #[test]
    fn a_difference_names_the_argument_and_both_values() {
        let table: [(&[&str], &str, &str); 7] = [
            (
                &["--max-length", "5"],
                "arg 'x-max-length' for queue 'jobs' in vhost '/': received '5' but current is '10'",
                "with --max-length (x-max-length) 10, 5 was asked for",
            ),
            (
                &["--max-length", "5"],
                "arg 'x-max-length' for queue 'jobs' in vhost '/': received the value '5' of type \
                 'long' but current is none",
                "without --max-length (x-max-length), 5 was asked for",
            ),
            (
                &[],
                "arg 'x-expires' for queue 'jobs' in vhost '/': received none but current is the \
                 value '60000' of type 'signedint'",
                "with --expires (x-expires) 60000, none was asked for",
            ),
            (
                &["--delivery-limit", "unlimited"],
                "arg 'x-delivery-limit' for queue 'jobs' in vhost '/': received '-1' but current \
                 is '5'",
                "with --delivery-limit (x-delivery-limit) 5, unlimited was asked for",
            ),
            (
                &[],
                "arg 'x-queue-type' for queue 'jobs' in vhost '/': received the value 'quorum' of \
                 type 'longstr' but current is none",
                "with --type (x-queue-type) classic, quorum was asked for",
            ),
            (
                &[],
                "arg 'durable' for queue 'jobs' in vhost '/': received 'true' but current is \
                 'false'",
                "with durable false, true was asked for",
            ),
            (
                &["--arg", "x-new=word"],
                "arg 'x-new' for queue 'jo...",
                "with another x-new, word was asked for",
            ),
        ];
        for (words, text, wanted) in table {
            let (told, status) = told(words, 406, &format!("inequivalent {text}"));
            assert_eq!(told, format!("it exists {wanted}"));
            assert_eq!(status, 65);
        }
    }

    #[test]
    fn a_missing_permission_is_named_with_the_command_that_gives_it() {
        let text = "configure access to queue 'jobs' in vhost '/' refused for user 'CN=dev'";
        let wanted = "CN=dev lacks the configure permission on it \
                      (rmq-perm set -p / CN=dev CONFIGURE WRITE READ)";
        assert_eq!(told(&[], 403, text), (wanted.to_owned(), 77));
    }

    #[test]
    fn other_refusals_keep_their_own_status() {
        let text = "invalid arg 'x-max-priority' for queue 'jobs' in vhost '/' of queue type \
                    rabbit_quorum_queue";
        let wanted = "quorum queues have no argument x-max-priority";
        assert_eq!(told(&[], 406, text), (wanted.to_owned(), 65));
        let (_, status) = told(&[], 405, "cannot obtain exclusive access to locked queue 'jobs'");
        assert_eq!(status, 75);
        let reserved = "queue name 'amq.x' contains reserved prefix 'amq.*'";
        assert_eq!(told(&[], 403, reserved).1, 65);
    }
}
