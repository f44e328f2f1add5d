//! What every subcommand works with: the options, the transport to the broker, and the output.

use crate::administration::{Administration, Scope};
use crate::names;
use crate::options::{Options, PROGRAM};
use crate::output::{self, Format, Listing};
use crate::pattern;
use crate::reach::{self, Later, Unreached};
use crate::transport::Transport;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// One run of the tool.
pub struct Session {
    vhost: Option<String>,
    transport: Transport,
    retry: Limit,
    format: Option<Format>,
    diagnostics: Diagnostics,
}

impl Session {
    pub fn new(options: Options) -> Result<Session, Failure> {
        let diagnostics = Diagnostics::new(PROGRAM, options.quiet, options.verbose);
        let transport = Transport::choose(&options, diagnostics)?;
        Ok(Session {
            vhost: options.vhost,
            retry: options.retry.or(transport.retry()).unwrap_or(reach::FIRST_RETRY),
            transport,
            format: options.format,
            diagnostics,
        })
    }

    /// `--vhost`, else `/`.
    ///
    /// # Errors
    /// The name is not valid (65).
    pub fn vhost(&self) -> Result<&str, Failure> {
        names::vhost(self.vhost.as_deref().unwrap_or("/"))
    }

    /// The virtual host of `--vhost`, if given.
    pub fn given_vhost(&self) -> Option<Result<&str, Failure>> {
        self.vhost.as_deref().map(names::vhost)
    }

    /// The scope of a listing: `user` if given, and the virtual host of `--vhost`, or `/` if there is
    /// neither a user nor `all`.
    ///
    /// # Errors
    /// A name is not valid (65); `--vhost` with `all`, or no user although `of_user` (64).
    pub fn scope(&self, user: Option<&str>, all: bool, of_user: bool) -> Result<Scope, Failure> {
        if of_user && user.is_none() {
            // rabbitmqctl's name for this never lists a virtual host, so a shell variable must be
            // empty.
            return Err(Failure::usage("missing: USER (rmq-perm list lists a virtual host)"));
        }
        if all && (self.vhost.is_some() || user.is_some()) {
            return Err(Failure::usage("--all cannot be combined with --vhost or USER"));
        }
        let user = user.map(names::user).transpose()?.map(str::to_owned);
        let everywhere = self.vhost.is_none() && (all || user.is_some());
        let vhost = if everywhere { None } else { Some(self.vhost()?.to_owned()) };
        Ok(Scope { vhost, user })
    }

    /// The patterns with their names, as they are set: anchored if `anchor`. Warnings are printed.
    pub fn patterns<const N: usize>(
        &self,
        anchor: bool,
        patterns: [(&str, &str); N],
    ) -> [String; N] {
        patterns.map(|(name, given)| {
            let given = output::given(given);
            let set = if anchor { pattern::anchored(given) } else { given.to_owned() };
            for warning in pattern::warnings(&set) {
                self.diagnostics.notice(&format!("{name}: {warning}"));
            }
            set
        })
    }

    /// Connects to the broker. A subcommand checks its own arguments first.
    ///
    /// # Errors
    /// It is not reached (69), it refuses the connection (77), or an option or a secret is missing
    /// (64, 78).
    pub fn broker(&self) -> Result<Box<dyn Administration>, Failure> {
        self.transport.connect(self.retry, self.diagnostics)
    }

    /// Connects to the broker and waits until it is `ready`, within `--retry`; even if it never
    /// started yet.
    ///
    /// # Errors
    /// It is not ready by then (75), or never will be.
    pub fn wait_until(
        &self,
        mut ready: impl FnMut(&mut dyn Administration) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let not_yet = |failure: Failure| Failure::new(Exit::TempFail, failure.to_string());
        reach::connect(self.retry, self.diagnostics, || {
            let broker = self.transport.connect_once(self.diagnostics);
            let mut broker = broker.map_err(|unreached| match unreached.later {
                Later::Never => unreached,
                _ => Unreached::for_now(not_yet(unreached.failure)),
            })?;
            ready(broker.as_mut()).map_err(|failure| match failure.exit() {
                Exit::TempFail | Exit::Unavailable => Unreached::for_now(not_yet(failure)),
                _ => Unreached::lasting(failure),
            })
        })
    }

    pub fn diagnostics(&self) -> Diagnostics {
        self.diagnostics
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// Standard output cannot be written (74).
    pub fn print_line(&self, line: &str) -> Result<(), Failure> {
        output::write(format!("{line}\n").as_bytes())
    }

    /// Writes a listing to standard output.
    ///
    /// # Errors
    /// Standard output cannot be written (74).
    pub fn print(&self, listing: &Listing) -> Result<(), Failure> {
        listing.print(self.format)
    }
}
