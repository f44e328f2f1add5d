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
}

impl Task {
    /// The operation that the command line selects.
    ///
    /// # Errors
    /// Options that cannot be combined, or no queue (64).
    pub fn of(options: &Arguments) -> Result<Self, Failure> {
        let Arguments { check, dry_run, delete, if_empty, if_unused, .. } = *options;
        let conditions = Conditions { if_empty, if_unused };
        if (if_empty || if_unused) && !delete {
            return Err(Failure::usage("--if-empty and --if-unused require --delete"));
        }
        if check && (delete || dry_run) {
            return Err(Failure::usage("--check cannot be combined with --delete or --dry-run"));
        }
        let described = columns::first_described(options);
        if delete && let Some(option) = described {
            return Err(Failure::usage(format!(
                "--delete cannot be combined with {option}, which describes a queue"
            )));
        }
        if options.csv.is_some() {
            if delete {
                return Err(Failure::usage("--delete and --csv cannot be combined"));
            }
            if !options.queues.is_empty() {
                return Err(Failure::usage("--csv cannot be combined with names of queues"));
            }
            if let Some(option) = described {
                return Err(Failure::usage(format!(
                    "--csv cannot be combined with {option}: make it a column of the file"
                )));
            }
        } else if options.queues.is_empty() {
            if options.exchange.is_empty() {
                return Err(Failure::usage("no queue is given (see rmq-declare --help)"));
            }
            if columns::describes_queue(options) {
                return Err(Failure::usage(
                    "options describe a queue, but none is given (see rmq-declare --help)",
                ));
            }
        }
        Ok(match (check, dry_run, delete) {
            (true, ..) => Task::Check,
            (_, pretend, true) => Task::Delete { conditions, pretend },
            (_, true, _) => Task::DryRun,
            _ => Task::Declare,
        })
    }
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
        ] {
            assert!(task(words).is_ok(), "{words}");
        }
    }
}
