//! Where a queue or an exchange forwards messages to, and whether that exists. RabbitMQ accepts the
//! name of a missing target, and silently drops what is sent there.

use crate::broker::check;
use crate::broker::link::Link;
use crate::plan::{Job, Plan};
use crate::queue::exchange::Exchange;
use crate::queue::queue_arguments::{DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY};
use crate::values::argument_value::plain;
use crate::values::shell;
use lapin::types::ShortString;
use rmq_common::failure::Failure;

/// The argument that names where an exchange sends what it cannot route.
const ALTERNATE: &str = "alternate-exchange";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// To an exchange.
    Exchange(ShortString),
    /// To a queue, through the default exchange.
    Queue(ShortString),
}

/// A target and what is sent there: `dead letters of jobs`.
#[derive(Clone, Debug)]
pub struct Route {
    target: Target,
    what: String,
    more: usize,
}

/// The targets of a run, without duplicates.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Adds the target of a queue's dead letters. With the default exchange and no key, the target
    /// depends on each message, so there is none.
    pub fn add_queue(&mut self, job: &Job) {
        let text = |key| job.queue.shape.get(key).map(plain);
        let target = match (text(DEAD_LETTER_EXCHANGE).as_deref(), text(DEAD_LETTER_KEY)) {
            (None, _) | (Some(""), None) => return,
            (Some(""), Some(key)) => ShortString::try_new(key).ok().map(Target::Queue),
            (Some(exchange), _) => ShortString::try_new(exchange).ok().map(Target::Exchange),
        };
        // The dead-letter queue of --with-dlq is declared anyway.
        let own = job.dead_letters.as_ref().map(|dlq| Target::Queue(dlq.name.clone()));
        if let Some(target) = target.filter(|target| own.as_ref() != Some(target)) {
            self.add(target, format!("dead letters of {}", job.queue.name));
        }
    }

    /// Adds the alternate exchange.
    pub fn add_exchange(&mut self, exchange: &Exchange) {
        let alternate = exchange.arguments.inner().get(ALTERNATE).map(plain);
        if let Some(Ok(alternate)) = alternate.map(ShortString::try_new) {
            let what = format!("messages that exchange {} cannot route", exchange.name);
            self.add(Target::Exchange(alternate), what);
        }
    }

    fn add(&mut self, target: Target, what: String) {
        match self.0.iter_mut().find(|route| route.target == target) {
            Some(route) => route.more += 1,
            None => self.0.push(Route { target, what, more: 0 }),
        }
    }

    /// Removes what a dry run would declare.
    pub fn leave_out(&mut self, plan: &Plan) {
        let jobs = || plan.entries.iter().filter_map(|entry| entry.job.as_ref().ok());
        self.0.retain(|route| match &route.target {
            Target::Exchange(name) => plan.exchanges.iter().all(|(_, it)| it.name != *name),
            Target::Queue(name) => !jobs().flat_map(Job::queues).any(|it| it.name == *name),
        });
    }

    /// A sentence for each target that does not exist; none if that cannot be checked.
    pub async fn to_nowhere(&self, link: &Link) -> Result<Vec<String>, Failure> {
        let mut sentences = Vec::new();
        for route in &self.0 {
            let is_missing = match &route.target {
                Target::Exchange(name) => check::is_missing_exchange(link, name).await?,
                Target::Queue(name) => check::is_missing(link, name).await?,
            };
            if is_missing {
                sentences.push(route.to_nowhere(link.vhost()));
            }
        }
        Ok(sentences)
    }
}

impl Route {
    fn to_nowhere(&self, vhost: &str) -> String {
        let Route { target, what, more } = self;
        let what = match more {
            0 => what.clone(),
            more => format!("{what} (and of {more} more)"),
        };
        let in_vhost = shell::word(vhost);
        let (which, command) = match target {
            Target::Exchange(name) => (
                format!("exchange {name}"),
                format!("--exchange {}:TYPE", shell::word(name.as_str())),
            ),
            Target::Queue(name) => (format!("queue {name}"), shell::name(name.as_str())),
        };
        format!(
            "{what} go nowhere: there is no {which} in {vhost} (rmq-declare -p {in_vhost} \
             {command})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use argh::FromArgs;

    fn sentences(words: &str) -> Vec<String> {
        // argh does not support `--option=value`; `rmq_common::arguments` splits it.
        let words: Vec<&str> = words.split([' ', '=']).collect();
        let options = Arguments::from_args(&["rmq-declare"], &words).unwrap();
        let plan = Plan::of_options(&options).unwrap();
        let mut routes = Routes::default();
        plan.exchanges.iter().for_each(|(_, exchange)| routes.add_exchange(exchange));
        for entry in &plan.entries {
            routes.add_queue(entry.job.as_ref().unwrap());
        }
        routes.0.iter().map(|route| route.to_nowhere("/")).collect()
    }

    #[test]
    fn what_goes_nowhere_is_told_with_the_command_that_makes_a_place_for_it() {
        let wanted = "dead letters of a (and of 1 more) go nowhere: there is no exchange dead in / \
                      (rmq-declare -p / --exchange dead:TYPE)";
        assert_eq!(sentences("--dead-letter-exchange dead a b"), [wanted]);
        let wanted = "dead letters of a go nowhere: there is no queue k in / (rmq-declare -p / k)";
        assert_eq!(sentences("--dead-letter-exchange= --dead-letter-key k a"), [wanted]);
        let exchange = r#"{"name":"e","type":"topic","arguments":{"alternate-exchange":"x"}}"#;
        let told_of = sentences(&format!("--exchange {exchange}"));
        assert!(told_of[0].starts_with("messages that exchange e cannot route go nowhere"));
        for words in ["a", "--with-dlq a", "--dead-letter-exchange= a"] {
            assert!(sentences(words).is_empty(), "{words}");
        }
    }
}
