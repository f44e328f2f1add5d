//! The lines of `--ack-to` and `--ack-from`: through a FIFO, rmq-send reports to rmq-recv what is
//! done.
//!
//! `run RUN` announces a sender, identified by 32 hexadecimal digits. After it, `RUN N` means that
//! its records 1 to N are done, and `RUN id ID` that the delivery with that id is. A line has at
//! most 4096 bytes, so that a pipe writes it atomically (pipe(7): `PIPE_BUF` of Linux).

use std::fmt;

/// The maximum length of a line in bytes, with its newline.
pub const LONGEST: usize = 4096;

/// A line, without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckLine<'a> {
    /// A run starts.
    Run(&'a str),
    /// The run's records up to this one are done.
    Records(&'a str, u64),
    /// The run's delivery with this id is done.
    Delivery(&'a str, &'a str),
}

impl<'a> AckLine<'a> {
    /// Parses a line; `None` if it does not follow the protocol.
    pub fn read(line: &'a str) -> Option<Self> {
        let (first, rest) = line.split_once(' ')?;
        if first == "run" {
            return is_run(rest).then_some(AckLine::Run(rest));
        }
        if !is_run(first) {
            return None;
        }
        if let Some(name) = rest.strip_prefix("id ") {
            return Some(AckLine::Delivery(first, name));
        }
        let digits = Some(rest).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        Some(AckLine::Records(first, digits?.parse().ok()?))
    }

    /// The run of a line that otherwise does not follow the protocol.
    pub fn run(line: &str) -> Option<&str> {
        line.split_once(' ').map(|(run, _)| run).filter(|run| is_run(run))
    }
}

impl fmt::Display for AckLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AckLine::Run(run) => writeln!(f, "run {run}"),
            AckLine::Records(run, number) => writeln!(f, "{run} {number}"),
            AckLine::Delivery(run, name) => writeln!(f, "{run} id {name}"),
        }
    }
}

fn is_run(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else_is(
            run in "[0-9a-f]{32}", number in any::<u64>(), name in "[!-~]{0,60}",
            noise in "(run |id |[0-9a-f]{32}|[0-9]{1,22}| |\\PC){0,6}",
        ) {
            for line in [
                AckLine::Run(&run),
                AckLine::Records(&run, number),
                AckLine::Delivery(&run, &name),
            ] {
                let written = line.to_string();
                prop_assert!(written.len() <= LONGEST);
                let text = written.strip_suffix('\n').unwrap();
                prop_assert_eq!(AckLine::read(text), Some(line));
            }
            if let Some(line) = AckLine::read(&noise) {
                let number = line.to_string();
                let same = number.trim_end_matches('\n') == noise;
                // A number may have been written with zeros before it.
                prop_assert!(same || matches!(line, AckLine::Records(..)));
            }
        }
    }
}
