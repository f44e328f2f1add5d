//! The lines that come through `--ack-from` ([`AckLine`]). Only those of the first sender to
//! announce itself are obeyed: a sender left over from an earlier run has counted other records.

use memchr::memchr;
use rmq_common::ack_line::{AckLine, LONGEST};

/// What a sender reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Records 1 to this one are done.
    Records(u64),
    /// The delivery with this name is done.
    Delivery(String),
    /// Something that is not obeyed.
    Ignored(Why),
}

/// Why something is not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It does not follow the protocol.
    Malformed,
    /// It comes from a sender other than the first that announced itself.
    OtherSender,
    /// Another sender announces itself.
    SecondSender,
    /// A sender of an earlier run announces itself again.
    EarlierSender,
    /// It is from an earlier run, and was still in the FIFO.
    LeftOver,
}

/// Parses the lines.
#[derive(Debug, Default)]
pub struct AckLines {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    /// Whether an overlong line is being skipped, whose end has not come.
    skips: bool,
    /// The sender that announced itself first.
    run: Option<String>,
    /// Senders that announced themselves before this run.
    earlier: Vec<String>,
}

impl AckLines {
    /// Whether a sender has announced itself.
    pub fn is_announced(&self) -> bool {
        self.run.is_some()
    }

    /// Parses what the FIFO held when this run started. A sender that already reports something as
    /// done cannot mean this run, which has written nothing yet, so it is never obeyed. One that
    /// has only announced itself has just started.
    pub fn read_left_over(&mut self, bytes: &[u8]) -> Vec<Report> {
        let mut said = Vec::new();
        self.lines(bytes, |lines, line| match AckLine::read(line) {
            Some(AckLine::Run(run)) => lines.run = Some(run.to_owned()),
            _ => {
                let run = line.split_once(' ').map_or("", |(run, _)| run);
                lines.earlier.push(run.to_owned());
                said.push(Report::Ignored(Why::LeftOver));
            }
        });
        self.run = self.run.take().filter(|run| !self.earlier.contains(run));
        said
    }

    /// Parses new bytes, and returns what complete lines say.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Report> {
        let mut said = Vec::new();
        self.lines(bytes, |lines, line| said.extend(lines.line(line)));
        said
    }

    /// Splits bytes into lines; a line that is not text or is too long counts as empty.
    fn lines(&mut self, mut bytes: &[u8], mut line: impl FnMut(&mut Self, &str)) {
        while let Some(end) = memchr(b'\n', bytes) {
            let mut whole = std::mem::take(&mut self.rest);
            whole.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let skipped = std::mem::take(&mut self.skips) || whole.len() >= LONGEST;
            let text = std::str::from_utf8(&whole).ok().filter(|_| !skipped);
            line(self, text.unwrap_or_default());
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= LONGEST {
            self.rest.clear();
            self.skips = true;
        }
    }

    fn line(&mut self, line: &str) -> Option<Report> {
        let read = AckLine::read(line);
        if let Some(AckLine::Run(run)) = read {
            if self.earlier.iter().any(|earlier| earlier == run) {
                return Some(Report::Ignored(Why::EarlierSender));
            }
            return match &self.run {
                None => {
                    self.run = Some(run.to_owned());
                    None
                }
                Some(ours) if ours == run => Some(Report::Ignored(Why::Malformed)),
                Some(_) => Some(Report::Ignored(Why::SecondSender)),
            };
        }
        let run = AckLine::run(line);
        if run.is_some() && run != self.run.as_deref() {
            return Some(Report::Ignored(Why::OtherSender));
        }
        Some(match read {
            Some(AckLine::Records(_, number)) => Report::Records(number),
            Some(AckLine::Delivery(_, name)) => Report::Delivery(name.to_owned()),
            Some(AckLine::Run(_)) | None => Report::Ignored(Why::Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const TWO: &str = "ffffffffffffffffffffffffffffffff";

    fn read(lines: &mut AckLines, text: &str) -> Vec<Report> {
        lines.read(text.replace("ONE", ONE).replace("TWO", TWO).as_bytes())
    }

    #[test]
    fn the_sender_announced_first_is_obeyed_and_no_other() {
        let mut lines = AckLines::default();
        assert_eq!(read(&mut lines, "ONE 5\n"), [Report::Ignored(Why::OtherSender)]);
        assert!(!lines.is_announced());
        assert_eq!(read(&mut lines, "run ONE\nONE 5\n"), [Report::Records(5)]);
        assert!(lines.is_announced());
        assert_eq!(
            read(&mut lines, "run TWO\nTWO 7\nTWO id x\nONE id a.1.2\n"),
            [
                Report::Ignored(Why::SecondSender),
                Report::Ignored(Why::OtherSender),
                Report::Ignored(Why::OtherSender),
                Report::Delivery("a.1.2".to_owned()),
            ]
        );
    }

    #[test]
    fn a_line_may_come_in_pieces_and_counts_once_it_is_whole() {
        let mut lines = AckLines::default();
        let text = format!("run {ONE}\n{ONE} 12\n{ONE} 13\n");
        let mut said = Vec::new();
        for byte in text.as_bytes() {
            said.extend(lines.read(&[*byte]));
        }
        assert_eq!(said, [Report::Records(12), Report::Records(13)]);
        assert_eq!(read(&mut lines, "ONE 1"), []);
        assert_eq!(read(&mut lines, "4\n"), [Report::Records(14)]);
    }

    #[test]
    fn what_is_not_of_the_protocol_is_told_and_nothing_else_is_lost_by_it() {
        let mut lines = AckLines::default();
        read(&mut lines, "run ONE\n");
        let long = "x".repeat(10_000);
        for text in [
            "",
            "hello",
            "run",
            "run 12",
            "ONE",
            "ONE ",
            "ONE -1",
            "ONE +1",
            "ONE 1 2",
            "ONE 99999999999999999999999",
            "ONE id",
            "run ONE",
            "\u{fffd}",
            &long,
        ] {
            let said = read(&mut lines, &format!("{text}\nONE 3\n"));
            assert_eq!(said, [Report::Ignored(Why::Malformed), Report::Records(3)], "{text}");
        }
        assert_eq!(lines.read(b"\xff\n"), [Report::Ignored(Why::Malformed)]);
    }

    #[test]
    fn a_sender_that_spoke_before_anything_was_written_is_never_obeyed() {
        let mut lines = AckLines::default();
        let left = lines.read_left_over(format!("{TWO} 4\nrun {ONE}\n{ONE} 1\n{ONE}").as_bytes());
        assert_eq!(left, [Report::Ignored(Why::LeftOver), Report::Ignored(Why::LeftOver)]);
        assert!(!lines.is_announced());
        assert_eq!(read(&mut lines, " 4\n"), [Report::Ignored(Why::OtherSender)]);
        assert_eq!(read(&mut lines, "run ONE\n"), [Report::Ignored(Why::EarlierSender)]);
        assert_eq!(read(&mut lines, "ONE 5\n"), [Report::Ignored(Why::OtherSender)]);
    }

    #[test]
    fn a_sender_that_announced_itself_the_moment_we_came_is_ours() {
        let mut lines = AckLines::default();
        assert_eq!(lines.read_left_over(format!("{TWO} 4\nrun {ONE}\n").as_bytes()).len(), 1);
        assert!(lines.is_announced());
        assert_eq!(
            read(&mut lines, "ONE 5\nTWO 6\n"),
            [Report::Records(5), Report::Ignored(Why::OtherSender)]
        );
    }

    /// Lines of the protocol, near misses, and noise.
    fn spoken() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just(format!("run {ONE}\n").into_bytes()),
            Just(format!("run {TWO}\n").into_bytes()),
            (0u64..300).prop_map(|number| format!("{ONE} {number}\n").into_bytes()),
            (0u64..300).prop_map(|number| format!("{ONE} id a.1.{number}\n").into_bytes()),
            (0u64..300).prop_map(|number| format!("{TWO} {number}\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..30),
            (4000usize..4200).prop_map(|length| [vec![b'x'; length], vec![b'\n']].concat()),
        ];
        prop::collection::vec(line, 0..30).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn what_comes_means_the_same_in_whatever_pieces_it_comes(
            spoken in spoken(), piece in 1usize..5000,
        ) {
            let (mut whole, mut pieces) = (AckLines::default(), AckLines::default());
            let said: Vec<Report> =
                spoken.chunks(piece).flat_map(|piece| pieces.read(piece)).collect();
            prop_assert_eq!(whole.read(&spoken), said);
            prop_assert!(pieces.rest.len() < LONGEST);
        }
    }
}
