//! The desired state, from the command line or a file: exchanges first, then queues.

pub mod columns;
pub mod sheet;

use crate::arguments::Arguments;
use crate::plan::sheet::Sheet;
use crate::queue::binding::Binding;
use crate::queue::dead_letters;
use crate::queue::exchange::Exchange;
use crate::queue::shape::Shape;
use crate::queue::{self, Queue};
use csv::StringRecord;
use lapin::types::ShortString;
use rmq_common::failure::Failure;
use rmq_common::sheet::{Row, Written};
use std::collections::{HashMap, HashSet};

#[derive(Debug, Default)]
pub struct Plan {
    /// The exchanges, each once, with the first line that names it.
    pub exchanges: Vec<(Option<u64>, Exchange)>,
    /// Exchanges to delete.
    pub unwanted: Vec<ShortString>,
    /// Exchanges to bind, or to unbind;
    pub destinations: Vec<ShortString>,
    /// and their bindings.
    pub bindings: Vec<Binding>,
    pub entries: Vec<Entry>,
}

/// A queue of the command line, or a row of a file.
#[derive(Debug)]
pub struct Entry {
    pub line: Option<u64>,
    pub row: Option<StringRecord>,
    /// The row as written.
    pub written: Option<Written>,
    /// What it asks for, or why that is not valid.
    pub job: Result<Job, Failure>,
}

/// A queue and what belongs to it.
#[derive(Debug)]
pub struct Job {
    /// The exchanges of the same row or command line.
    pub exchanges: Vec<Exchange>,
    /// The dead-letter queue, which is declared first.
    pub dead_letters: Option<Queue>,
    /// Whether the dead-letter queue is also listed by its own name.
    pub dead_letters_are_shared: bool,
    pub queue: Queue,
    pub bindings: Vec<Binding>,
    /// Bindings to remove.
    pub unwanted: Vec<Binding>,
    /// Whether an option or a column describes the queue: an empty cell there means "not set".
    pub described: bool,
}

impl Job {
    fn new(name: &str, options: &Arguments, shape: &Shape) -> Result<Self, Failure> {
        let described = options.queue_type.is_some() || options.with_dlq || shape.has_arguments();
        let mut queue = Queue { name: queue::name(name)?, shape: shape.clone() };
        let mut dead_letters = None;
        if options.with_dlq {
            let dlq = queue::name(&dead_letters::name(name))?;
            queue.shape = shape.with_dead_letters_to(dlq.as_str())?;
            dead_letters = Some(Queue { name: dlq, shape: shape.of_dead_letters() });
        }
        Ok(Job {
            exchanges: options.exchanges()?,
            dead_letters,
            dead_letters_are_shared: false,
            queue,
            bindings: options.bind.clone(),
            unwanted: options.unbind.clone(),
            described,
        })
    }

    /// The dead-letter queue, if any, and the queue.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.dead_letters.iter().chain([&self.queue])
    }
}

impl Plan {
    /// The plan of the command line.
    ///
    /// # Errors
    /// Options that cannot be combined (64).
    pub fn of_options(options: &Arguments) -> Result<Self, Failure> {
        let shape = Shape::from_options(options)?;
        let mut plan = Plan::default();
        let usage = |it: Failure| Failure::usage(it.to_string());
        plan.add_exchanges(None, &options.exchanges().map_err(usage)?);
        plan.destinations = options.destinations()?;
        if !plan.destinations.is_empty() {
            plan.bindings = [&options.bind[..], &options.unbind].concat();
        }
        let entries = options.queues.iter().map(|name| {
            let job = Job::new(name, options, &shape);
            Entry { line: None, row: None, written: None, job }
        });
        plan.entries = entries.collect();
        plan.refuse_contradictions();
        Ok(plan)
    }

    /// The plan of a command line that deletes exchanges.
    ///
    /// # Errors
    /// What is not a name (64).
    pub fn of_unwanted_exchanges(options: &Arguments) -> Result<Self, Failure> {
        Ok(Plan { unwanted: options.unwanted_exchanges()?, ..Plan::default() })
    }

    /// The plans of a file, in the order of its rows: one for each sequence of rows on the same
    /// virtual host, which is the connection's if it is `None`.
    pub fn of_sheet(sheet: &Sheet) -> Vec<(Option<String>, Self)> {
        let mut parts: Vec<(Option<String>, Vec<&Row>)> = Vec::new();
        for row in &sheet.rows {
            let vhost = row.cells.as_ref().map(|cells| sheet.columns.vhost(cells));
            match (parts.last_mut(), vhost) {
                // A row that cannot be read belongs to no virtual host.
                (Some((_, rows)), Err(_)) => rows.push(row),
                (Some((last, rows)), Ok(vhost)) if last.as_deref() == vhost => rows.push(row),
                (_, vhost) => parts.push((vhost.ok().flatten().map(str::to_owned), vec![row])),
            }
        }
        if parts.is_empty() {
            parts.push((None, Vec::new()));
        }
        parts.into_iter().map(|(vhost, rows)| (vhost, Self::of_rows(sheet, &rows))).collect()
    }

    fn of_rows(sheet: &Sheet, rows: &[&Row]) -> Self {
        let mut plan = Plan::default();
        let described = sheet.columns.describe();
        for Row { line, cells, written } in rows {
            let line = Some(*line);
            let asked = cells.clone().and_then(|row| Ok((sheet.columns.options(&row)?, row)));
            let (row, job) = match asked {
                Ok((options, row)) => {
                    let job = Shape::from_options(&options)
                        .and_then(|shape| Job::new(sheet.columns.queue(&row), &options, &shape))
                        .map(|job| Job { described, ..job })
                        // Invalid options affect only this row.
                        .map_err(|failure| Failure::data(failure.to_string()));
                    if let Ok(job) = &job {
                        plan.add_exchanges(line, &job.exchanges);
                    }
                    (Some(row), job)
                }
                Err(why) => (None, Err(Failure::data(why))),
            };
            plan.entries.push(Entry { line, row, written: Some(written.clone()), job });
        }
        plan.refuse_contradictions();
        plan
    }

    /// Whether it needs no broker: every row is invalid.
    pub fn asks_nothing(&self) -> bool {
        let is_all_wrong = self.entries.iter().all(|entry| entry.job.is_err());
        self.exchanges.is_empty()
            && self.destinations.is_empty()
            && self.unwanted.is_empty()
            && is_all_wrong
    }

    fn add_exchanges(&mut self, line: Option<u64>, exchanges: &[Exchange]) {
        for exchange in exchanges {
            if !self.exchanges.iter().any(|(_, known)| known == exchange) {
                self.exchanges.push((line, exchange.clone()));
            }
        }
    }

    /// A queue cannot have two descriptions; chance must not decide which one is declared.
    fn refuse_contradictions(&mut self) {
        let mut first: HashMap<ShortString, (Option<u64>, Shape)> = HashMap::new();
        let jobs = self.entries.iter().filter_map(|entry| entry.job.as_ref().ok());
        let named: HashSet<ShortString> = jobs.map(|job| job.queue.name.clone()).collect();
        for entry in &mut self.entries {
            let Ok(job) = &mut entry.job else { continue };
            job.dead_letters_are_shared =
                job.dead_letters.as_ref().is_some_and(|dlq| named.contains(&dlq.name));
            let other = job.queues().find_map(|queue| {
                let (line, shape) = first.get(&queue.name)?;
                (*shape != queue.shape).then(|| (queue.name.clone(), *line))
            });
            match other {
                Some((name, line)) => {
                    let place = line.map_or("earlier".to_owned(), |line| format!("on line {line}"));
                    entry.job = Err(Failure::data(format!(
                        "queue {name} is already listed {place} with other options"
                    )));
                }
                None => {
                    for queue in job.queues() {
                        first
                            .entry(queue.name.clone())
                            .or_insert_with(|| (entry.line, queue.shape.clone()));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    fn plan(words: &str) -> Plan {
        let words: Vec<&str> = words.split(' ').collect();
        Plan::of_options(&Arguments::from_args(&["rmq-declare"], &words).unwrap()).unwrap()
    }

    fn names(job: &Job) -> Vec<&str> {
        job.queues().map(|queue| queue.name.as_str()).collect()
    }

    #[test]
    fn a_dead_letter_queue_comes_before_its_queue() {
        let plan = plan("--with-dlq jobs");
        let job = plan.entries[0].job.as_ref().unwrap();
        assert_eq!(names(job), ["jobs.dlq", "jobs"]);
        assert!(job.queue.shape.is("x-dead-letter-routing-key", "jobs.dlq"));
    }

    #[test]
    fn a_queue_that_is_to_be_like_two_things_is_refused_the_second_time() {
        let plan = plan("--with-dlq jobs jobs.dlq jobs");
        let made: Vec<bool> = plan.entries.iter().map(|entry| entry.job.is_ok()).collect();
        assert_eq!(made, [true, false, true]);
        let why = plan.entries[1].job.as_ref().unwrap_err().to_string();
        assert!(why.contains("queue jobs.dlq is already listed earlier"), "{why}");
    }

    #[test]
    fn an_exchange_that_many_want_is_wanted_once() {
        assert_eq!(plan("--exchange e:topic --exchange e:topic a b").exchanges.len(), 1);
        // Only the broker can say which of the two exists.
        assert_eq!(plan("--exchange e:topic --exchange e:fanout a").exchanges.len(), 2);
    }
}
