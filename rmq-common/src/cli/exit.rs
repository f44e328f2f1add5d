//! Exit statuses: the names and numbers of BSD's `sysexits.h`, as RabbitMQ's own tools use them.

/// How a tool's run ends when no signal ends it. In the order of their numbers, so that of several
/// the highest, which says most, is their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done; or a stop condition that was asked for was met; or the reader went away.
    Ok,
    /// The answer is no: fewer messages than asked, or a difference found.
    No,
    /// Bad command line or URL.
    Usage,
    /// A bad record or row; no such queue, exchange or virtual host; other arguments; unroutable.
    DataErr,
    /// No such user.
    NoUser,
    /// No broker reached within `--retry`.
    Unavailable,
    /// A bug of ours, or the broker broke the protocol.
    Software,
    /// Reading the input, or writing the output, failed.
    IoErr,
    /// Something that was read is not confirmed: run it again.
    TempFail,
    /// Credentials or permissions refused.
    NoPerm,
    /// Bad environment, profile or cookie file.
    Config,
}

impl Exit {
    /// The number the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::No => 1,
            Exit::Usage => 64,
            Exit::DataErr => 65,
            Exit::NoUser => 67,
            Exit::Unavailable => 69,
            Exit::Software => 70,
            Exit::IoErr => 74,
            Exit::TempFail => 75,
            Exit::NoPerm => 77,
            Exit::Config => 78,
        }
    }
}

/// How a run that did what it could has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exit(Exit),
    /// It was asked to by this signal, has cleaned up, and now ends by it, so that the parent
    /// (a shell, systemd) sees the truth.
    Signal(i32),
}

impl From<Exit> for Ending {
    fn from(exit: Exit) -> Self {
        Ending::Exit(exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_sysexits() {
        let table = [
            (Exit::Ok, 0),
            (Exit::No, 1),
            (Exit::Usage, 64),
            (Exit::DataErr, 65),
            (Exit::NoUser, 67),
            (Exit::Unavailable, 69),
            (Exit::Software, 70),
            (Exit::IoErr, 74),
            (Exit::TempFail, 75),
            (Exit::NoPerm, 77),
            (Exit::Config, 78),
        ];
        for (exit, status) in table {
            assert_eq!(exit.status(), status, "{exit:?}");
        }
        assert!(table.is_sorted(), "their order is that of their numbers");
    }
}
