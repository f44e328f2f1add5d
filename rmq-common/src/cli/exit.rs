//! Exit statuses: the names and numbers of BSD's `sysexits.h`, as RabbitMQ's tools use them.

/// The exit status of a tool that no signal ends. Ordered by number, so the highest and most
/// specific of several is their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Success: done, a requested stop condition was met, or the reader went away.
    Ok,
    /// The answer is no: fewer messages than requested, or a difference.
    No,
    /// Invalid command line or URL.
    Usage,
    /// Invalid record or row; no such queue, exchange or virtual host; different arguments;
    /// unroutable.
    DataErr,
    /// No such user.
    NoUser,
    /// No broker reached within `--retry`.
    Unavailable,
    /// A bug in the tool, or the broker violated the protocol.
    Software,
    /// Cannot read the input or write the output.
    IoErr,
    /// Some input is not confirmed: run it again.
    TempFail,
    /// Credentials or permissions refused.
    NoPerm,
    /// Invalid environment, profile or cookie file.
    Config,
}

impl Exit {
    /// The number for the shell.
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

/// How a run ended that did what it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exit(Exit),
    /// A signal requested it; after cleaning up, the process ends by that signal, so that its
    /// parent (a shell, systemd) sees the cause.
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
