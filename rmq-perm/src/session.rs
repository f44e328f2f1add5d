//! What every subcommand works with: the options, a way to the broker, and where results go.

use crate::administration::Administration;
use crate::arguments::{Arguments, PROGRAM};
use crate::commands::Command;
use crate::distribution::{self, Distribution};
use crate::names;
use crate::output::{Format, Listing};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;

/// One run of the tool.
pub struct Session {
    vhost: Option<String>,
    way: distribution::Options,
    format: Option<Format>,
    diagnostics: Diagnostics,
}

impl Session {
    /// Parts the options that every subcommand has from the subcommand.
    pub fn new(arguments: Arguments) -> (Session, Command) {
        let session = Session {
            vhost: arguments.vhost,
            way: distribution::Options {
                node: arguments.node,
                cookie_file: arguments.cookie_file,
                port: arguments.dist_port,
                timeout: arguments.timeout,
                insecure: arguments.insecure_dist,
            },
            format: arguments.format,
            diagnostics: Diagnostics::new(PROGRAM, arguments.quiet, arguments.verbose),
        };
        (session, arguments.command)
    }

    /// The virtual host meant: `--vhost`, else `/`.
    ///
    /// # Errors
    /// When its name cannot be one (65).
    pub fn vhost(&self) -> Result<&str, Failure> {
        names::vhost(self.vhost.as_deref().unwrap_or("/"))
    }

    /// Reaches the broker. A subcommand calls this once it knows that its own arguments are good.
    ///
    /// # Errors
    /// When it is not reached (69), refuses us (77), or we lack what it takes (64, 78).
    pub fn broker(&self) -> Result<impl Administration, Failure> {
        Distribution::connect(&self.way, self.diagnostics)
    }

    /// Where to tell what happens.
    pub fn diagnostics(&self) -> Diagnostics {
        self.diagnostics
    }

    /// Writes a listing to standard output.
    ///
    /// # Errors
    /// When standard output refuses it (74).
    pub fn print(&self, listing: &Listing) -> Result<(), Failure> {
        listing.print(self.format)
    }
}
