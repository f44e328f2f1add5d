//! Columns of a CSV file: the queue and the options that describe it, without their hyphens.

use crate::arguments::Arguments;
use argh::{ArgsInfo, FlagInfo, FlagInfoKind, FromArgs, Optionality};
use csv::StringRecord;
use rmq_common::nearest::nearest;

pub const QUEUE: &str = "queue";
/// The virtual host of a row, instead of the connection's.
pub const VHOST: &str = "vhost";
/// An empty value, which differs from no value.
pub const EMPTY: &str = "''";
/// Options that select an operation and do not describe a queue.
const NOT_COLUMNS: [&str; 9] = [
    "--check",
    "--dry-run",
    "--delete",
    "--if-empty",
    "--if-unused",
    "--purge",
    "--csv",
    "--unbind",
    "--to",
];

/// The options that describe a queue: those before the connection options.
fn describing() -> impl Iterator<Item = &'static FlagInfo<'static>> {
    let flags = Arguments::get_args_info().flags.iter();
    let own = flags.skip_while(|flag| flag.long != "--check").take_while(|it| it.long != "--url");
    own.filter(|flag| !NOT_COLUMNS.contains(&flag.long))
}

/// The first of these options that describes a queue or an exchange.
pub fn first_described(options: &Arguments) -> Option<&'static str> {
    if !options.exchange.is_empty() {
        return Some("--exchange");
    }
    first_of_queue(options)
}

/// The first of these options that describes a queue.
pub fn first_of_queue(options: &Arguments) -> Option<&'static str> {
    of_queue(options).next()
}

/// The first of them that an exchange does not have.
pub fn first_of_queue_alone(options: &Arguments) -> Option<&'static str> {
    of_queue(options).find(|option| *option != "--bind")
}

fn of_queue(options: &Arguments) -> impl Iterator<Item = &'static str> {
    let switches = [
        (options.queue_type.is_some(), "--type"),
        (!options.bind.is_empty(), "--bind"),
        (options.with_dlq, "--with-dlq"),
        (options.transient, "--transient"),
        (options.auto_delete, "--auto-delete"),
        (options.exclusive, "--exclusive"),
        (!options.arg.is_empty(), "--arg"),
    ];
    let given = switches.into_iter().filter(|(given, _)| *given).map(|(_, option)| option);
    given.chain(crate::queue::queue_arguments::first_given(options))
}

#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    queue: usize,
    vhost: Option<usize>,
}

#[derive(Debug)]
struct Column {
    /// With its hyphens; `None` for the queue and the virtual host.
    option: Option<&'static str>,
    is_switch: bool,
}

impl Columns {
    /// Reads the columns from a header row.
    ///
    /// # Errors
    /// Columns that are not options, a repeated one, or no `queue` (a sentence for a failure).
    pub fn of(header: &StringRecord) -> Result<Self, String> {
        let (mut columns, mut wrong) = (Vec::new(), Vec::new());
        for (index, name) in header.iter().enumerate() {
            let flag = describing().find(|flag| flag.long.strip_prefix("--") == Some(name));
            let repeats = flag.is_some_and(|it| matches!(it.optionality, Optionality::Repeating));
            if !repeats && header.iter().take(index).any(|other| other == name) {
                return Err(format!("the column '{name}' appears twice"));
            }
            columns.push(match flag {
                Some(flag) => Column {
                    option: Some(flag.long),
                    is_switch: matches!(flag.kind, FlagInfoKind::Switch),
                },
                None if name == QUEUE || name == VHOST => Column { option: None, is_switch: false },
                None => {
                    wrong.push(unknown(name));
                    continue;
                }
            });
        }
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        let place = |wanted| header.iter().position(|name| name == wanted);
        match place(QUEUE) {
            Some(queue) => Ok(Columns { columns, queue, vhost: place(VHOST) }),
            None => Err(format!("the header row has no column '{QUEUE}'")),
        }
    }

    /// Whether any column describes the queue; exchanges and bindings do not.
    pub fn describe(&self) -> bool {
        let mut options = self.columns.iter().filter_map(|column| column.option);
        options.any(|option| !["--exchange", "--bind"].contains(&option))
    }

    pub fn queue<'a>(&self, row: &'a StringRecord) -> &'a str {
        row.get(self.queue).unwrap_or_default()
    }

    /// The virtual host of a row, if it names one.
    pub fn vhost<'a>(&self, row: &'a StringRecord) -> Option<&'a str> {
        row.get(self.vhost?).filter(|vhost| !vhost.is_empty())
    }

    /// The options of a row.
    ///
    /// # Errors
    /// A sentence that names the wrong cell.
    pub fn options(&self, row: &StringRecord) -> Result<Arguments, String> {
        if row.len() != self.columns.len() {
            let (cells, columns) = (row.len(), self.columns.len());
            return Err(format!("it has {cells} columns, the header row {columns}"));
        }
        let mut words = Vec::new();
        for (column, cell) in self.columns.iter().zip(row) {
            match (column.option, column.is_switch, cell) {
                (None, ..) | (_, _, "") => {}
                // Spreadsheets write booleans in capitals.
                (_, true, cell) if cell.eq_ignore_ascii_case("false") => {}
                (Some(option), true, cell) if cell.eq_ignore_ascii_case("true") => {
                    words.push(option);
                }
                (Some(option), true, other) => {
                    return Err(format!("{option} {other}: not true or false"));
                }
                (Some(option), false, EMPTY) => words.extend([option, ""]),
                (Some(option), false, value) => words.extend([option, value]),
            }
        }
        Arguments::from_args(&["rmq-declare"], &words)
            .map_err(|early| rmq_common::arguments::problem(&early.output))
    }

    /// Each column's option, without its hyphens, with the row's cell; `None` for the queue and
    /// the virtual host.
    pub fn cells<'a>(
        &'a self,
        row: &'a StringRecord,
    ) -> impl Iterator<Item = (Option<&'static str>, &'a str)> {
        self.columns.iter().map(|column| column.option).zip(row)
    }
}

fn unknown(name: &str) -> String {
    let known = describing().filter_map(|flag| flag.long.strip_prefix("--"));
    let lower = name.to_lowercase();
    let hint = nearest(&lower, known.chain([QUEUE, VHOST])).map(|it| format!(" ({it} is one)"));
    format!(
        "the column '{name}' is not an option that describes a queue{}",
        hint.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &[&str]) -> Result<Columns, String> {
        Columns::of(&StringRecord::from(header))
    }

    fn options(header: &[&str], row: &[&str]) -> Result<Arguments, String> {
        columns(header).unwrap().options(&StringRecord::from(row))
    }

    #[test]
    fn every_option_that_describes_a_queue_is_a_column_and_no_other() {
        let names: Vec<_> = describing().map(|flag| flag.long).collect();
        for option in crate::queue::queue_arguments::TABLE.iter().map(|row| row.option) {
            assert!(names.contains(&option), "{option}");
        }
        for option in ["--type", "--exchange", "--bind", "--with-dlq", "--transient", "--arg"] {
            assert!(names.contains(&option), "{option}");
        }
        for option in [
            "--check", "--purge", "--unbind", "--to", "--csv", "--url", "--vhost", "--retry",
            "--quiet",
        ] {
            assert!(!names.contains(&option), "{option}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_meant_is_refused() {
        assert!(columns(&["max-length"]).unwrap_err().contains("no column 'queue'"));
        assert!(columns(&["queue", "max-lenght"]).unwrap_err().ends_with("(max-length is one)"));
        let why = columns(&["Queue", "type", "max-lenght"]).unwrap_err();
        assert!(
            why.contains("(queue is one); the column ") && why.ends_with("(max-length is one)")
        );
        assert!(columns(&["queue", "vhost", "vhost"]).unwrap_err().contains("twice"));
        assert!(columns(&["vhost"]).unwrap_err().contains("no column 'queue'"));
        assert!(columns(&["queue", "queue"]).unwrap_err().contains("twice"));
        assert!(columns(&["queue", "type", "type"]).unwrap_err().contains("twice"));
        assert!(columns(&["queue", "arg", "arg", "bind", "bind", "exchange", "exchange"]).is_ok());
        assert!(columns(&["queue", "url"]).is_err());
    }

    #[test]
    fn a_row_is_a_command_line_where_an_empty_cell_gives_nothing() {
        let header = ["queue", "max-length", "single-active-consumer", "dead-letter-exchange"];
        let row = options(&header, &["q", "5", "true", EMPTY]).unwrap();
        assert_eq!((row.max_length, row.single_active_consumer), (Some(5), true));
        assert_eq!(row.dead_letter_exchange.as_deref(), Some(""));
        let row = options(&header, &["q", "", "false", ""]).unwrap();
        assert_eq!((row.max_length, row.single_active_consumer), (None, false));
        assert_eq!(row.dead_letter_exchange, None);
        let row = options(&header, &["q", "", "TRUE", ""]).unwrap();
        assert!(row.single_active_consumer);
        assert!(!options(&header, &["q", "", "False", ""]).unwrap().single_active_consumer);
        let header = ["queue", "arg", "arg", "bind"];
        let row = options(&header, &["q", "a=1", "b=2", "--odd:k"]).unwrap();
        assert_eq!((row.arg.len(), row.bind[0].source.as_str()), (2, "--odd"));
    }

    #[test]
    fn a_column_that_describes_a_queue_asks_for_it_in_every_row() {
        assert!(columns(&["queue", "type"]).unwrap().describe());
        assert!(columns(&["with-dlq", "queue"]).unwrap().describe());
        assert!(!columns(&["queue", "exchange", "bind"]).unwrap().describe());
    }

    #[test]
    fn a_row_may_name_its_virtual_host() {
        let columns = columns(&["vhost", "queue", "type"]).unwrap();
        let vhost = |cell: &str| {
            let row = StringRecord::from(vec![cell, "q", "classic"]);
            assert_eq!(columns.queue(&row), "q");
            assert!(columns.options(&row).unwrap().vhost.is_none());
            columns.vhost(&row).map(str::to_owned)
        };
        assert_eq!((vhost("/a"), vhost("")), (Some("/a".to_owned()), None));
    }

    #[test]
    fn a_wrong_cell_is_told_with_its_column() {
        let header = ["queue", "max-length", "single-active-consumer"];
        let problem = |row: &[&str]| options(&header, row).unwrap_err();
        assert!(problem(&["q", "-5", ""]).starts_with("--max-length -5: "));
        assert!(problem(&["q", "", "yes"]).contains("not true or false"));
        assert!(problem(&["q", ""]).contains("has 2 columns, the header row 3"));
    }
}
