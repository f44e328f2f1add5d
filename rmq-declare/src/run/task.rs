//! The operation, and which options can be combined with it.

use crate::arguments::Arguments;
use crate::broker::delete::Conditions;
use crate::plan::columns;
use rmq_common::failure::Failure;

#[derive(Clone, Copy, Debug)]
pub enum Task {
    Declare,
    Check,
    /// Print what would be declared.
    DryRun,
    /// Delete the queues; with `pretend`, only print which exist.
    Delete {
        conditions: Conditions,
        pretend: bool,
    },
    /// Delete the exchanges; with `pretend`, only print which exist.
    DeleteExchanges {
        if_unused: bool,
        pretend: bool,
    },
    /// Remove bindings; with `pretend`, only print which may exist.
    Unbind {
        pretend: bool,
    },
    /// Remove messages; with `pretend`, only print how many there are.
    Purge {
        pretend: bool,
    },
}

impl Task {
    /// The operation that the command line selects.
    ///
    /// # Errors
    /// Options that cannot be combined, or no queue (64).
    pub fn of(options: &Arguments) -> Result<Self, Failure> {
        let Arguments { check, dry_run, delete, purge, if_empty, if_unused, .. } = *options;
        if (if_empty || if_unused) && !delete {
            return Err(Failure::usage("--if-empty and --if-unused require --delete"));
        }
        if check && (delete || dry_run) {
            return Err(Failure::usage("--check cannot be combined with --delete or --dry-run"));
        }
        let unbind = !options.unbind.is_empty();
        let operations =
            [(check, "--check"), (delete, "--delete"), (purge, "--purge"), (unbind, "--unbind")];
        let mut given = operations.into_iter().filter(|(given, _)| *given).map(|(_, name)| name);
        let operation = given.next();
        if let (Some(one), Some(other)) = (operation, given.next()) {
            return Err(Failure::usage(format!("{one} cannot be combined with {other}")));
        }
        let removing = operation.filter(|_| !check);
        if let Some(removing) = removing {
            refuse_descriptions(removing, options)?;
        }
        let has_exchanges = !options.exchange.is_empty();
        if !options.to.is_empty() {
            refuse_beside_destinations(options)?;
        } else if options.csv.is_some() {
            if let Some(removing) = removing {
                return Err(Failure::usage(format!("{removing} and --csv cannot be combined")));
            }
            if !options.queues.is_empty() {
                return Err(Failure::usage("--csv cannot be combined with names of queues"));
            }
            if let Some(option) = columns::first_described(options) {
                return Err(Failure::usage(format!(
                    "--csv cannot be combined with {option}: make it a column of the file"
                )));
            }
        } else if options.queues.is_empty() {
            if !has_exchanges {
                return Err(Failure::usage("no queue is given"));
            }
            if columns::first_of_queue(options).is_some() {
                return Err(Failure::usage("options describe a queue, but none is given"));
            }
        }
        let (conditions, pretend) = (Conditions { if_empty, if_unused }, dry_run);
        Ok(match removing {
            Some("--delete") if has_exchanges => Task::DeleteExchanges { if_unused, pretend },
            Some("--delete") => Task::Delete { conditions, pretend },
            Some("--purge") => Task::Purge { pretend },
            Some(_) => Task::Unbind { pretend },
            None if check => Task::Check,
            None if dry_run => Task::DryRun,
            None => Task::Declare,
        })
    }
}

/// `--to` says what is bound, and that is not a queue.
fn refuse_beside_destinations(options: &Arguments) -> Result<(), Failure> {
    let why = if options.bind.is_empty() && options.unbind.is_empty() {
        "--to requires --bind or --unbind".to_owned()
    } else if options.csv.is_some() {
        "--to cannot be combined with --csv".to_owned()
    } else if !options.queues.is_empty() {
        "--to cannot be combined with names of queues: it names exchanges to bind instead"
            .to_owned()
    } else if let Some(option) = columns::first_of_queue_alone(options) {
        format!("--to cannot be combined with {option}, which describes a queue")
    } else {
        return Ok(());
    };
    Err(Failure::usage(why))
}

/// What is removed has a name, and needs no description.
fn refuse_descriptions(removing: &str, options: &Arguments) -> Result<(), Failure> {
    if let Some(option) = columns::first_of_queue(options) {
        return Err(Failure::usage(format!(
            "{removing} cannot be combined with {option}, which describes a queue"
        )));
    }
    if options.exchange.is_empty() {
        return Ok(());
    }
    if removing != "--delete" {
        return Err(Failure::usage(format!("{removing} cannot be combined with --exchange")));
    }
    if options.if_empty {
        return Err(Failure::usage(
            "--if-empty cannot be combined with --exchange: an exchange has no messages",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let task = |words: &str| {
            let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
            Task::of(&Arguments::from_args(&["rmq-declare"], &words).unwrap())
        };
        for (words, why) in [
            ("", "no queue is given"),
            ("--if-empty q", "require --delete"),
            ("--check --delete q", "--check cannot be combined"),
            ("--check --dry-run q", "--check cannot be combined"),
            ("--delete --max-length 5 q", "combined with --max-length"),
            ("--delete --with-dlq q", "combined with --with-dlq"),
            ("--delete --csv f", "--csv cannot be combined"),
            ("--csv f q", "with names of queues"),
            ("--csv f --type classic", "combined with --type"),
            ("--exchange e:topic --bind e:k", "but none is given"),
            ("--purge", "no queue is given"),
            ("--unbind e:k", "no queue is given"),
            ("--purge --delete q", "--delete cannot be combined with --purge"),
            ("--purge --unbind e q", "--purge cannot be combined with --unbind"),
            ("--delete --unbind e q", "--delete cannot be combined with --unbind"),
            ("--check --purge q", "--check cannot be combined with --purge"),
            ("--check --unbind e q", "--check cannot be combined with --unbind"),
            ("--purge --csv f", "--purge and --csv cannot be combined"),
            ("--unbind e --csv f", "--unbind and --csv cannot be combined"),
            ("--purge --type stream q", "--purge cannot be combined with --type"),
            ("--unbind e:k --bind e:j q", "--unbind cannot be combined with --bind"),
            ("--purge --exchange e q", "--purge cannot be combined with --exchange"),
            ("--unbind e --exchange e:topic q", "--unbind cannot be combined with --exchange"),
            ("--purge --if-empty q", "require --delete"),
            ("--delete --exchange e --if-empty", "an exchange has no messages"),
            ("--delete --exchange e --bind e:k", "combined with --bind"),
            ("--to a", "--to requires --bind or --unbind"),
            ("--exchange a:topic --to a", "--to requires --bind or --unbind"),
            ("--bind e --to a q", "--to cannot be combined with names of queues"),
            ("--bind e --to a --csv f", "--to cannot be combined with --csv"),
            ("--bind e --to a --type classic", "--to cannot be combined with --type"),
            ("--delete --bind e --to a", "combined with --bind"),
            ("--unbind e --bind f --to a", "--unbind cannot be combined with --bind"),
        ] {
            let failure = task(words).unwrap_err();
            assert_eq!(failure.exit().status(), 64);
            assert!(failure.to_string().contains(why), "{words}: {failure}");
        }
        for words in [
            "q",
            "--csv f",
            "--check --csv f",
            "--delete --if-empty --dry-run q",
            "--exchange e:topic",
            "--delete --exchange e",
            "--delete --exchange e --if-unused --dry-run f",
            "--purge --dry-run q r",
            "--unbind e:k --unbind f --dry-run q",
            "--bind e:k --to a --to b",
            "--exchange a:topic --bind e:k --to a",
            "--check --bind e:k --to a",
            "--unbind e:k --to a --dry-run",
        ] {
            assert!(task(words).is_ok(), "{words}");
        }
    }
}
