//! `check`.

use crate::administration::Operation;
use crate::names;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// The broker's name for the default exchange when it matches patterns.
const DEFAULT_EXCHANGE: &str = "amq.default";

/// Say whether a user may do something on a virtual host (-p): yes, or no with exit status 1.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "check", help_triggers("-h", "--help"))]
pub struct Check {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// operation: configure, write or read
    #[argh(positional, arg_name = "configure|write|read", from_str_fn(operation))]
    operation: Operation,

    /// name of the queue or exchange ('' is the default exchange)
    #[argh(positional, arg_name = "NAME")]
    name: String,
}

impl Check {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("check permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        let name = if self.name.is_empty() { DEFAULT_EXCHANGE } else { &self.name };
        let name = names::resource(name)?;
        let mut broker = session.broker()?;
        let allowed = broker.is_allowed(user, vhost, self.operation, name).map_err(context)?;
        let (answer, exit) = if allowed { ("yes", Exit::Ok) } else { ("no", Exit::No) };
        // The default exchange routes to every queue, whatever the permissions on the queue are.
        let is_detour = self.operation == Operation::Write && name != DEFAULT_EXCHANGE;
        if is_detour
            && broker
                .is_allowed(user, vhost, Operation::Write, DEFAULT_EXCHANGE)
                .map_err(context)?
        {
            session.diagnostics().notice(&format!(
                "{user} can also publish to a queue named {name} through the default exchange \
                 (amq.default)"
            ));
        }
        session.print_line(answer)?;
        Ok(exit.into())
    }
}

fn operation(text: &str) -> Result<Operation, String> {
    match text {
        "configure" => Ok(Operation::Configure),
        "write" => Ok(Operation::Write),
        "read" => Ok(Operation::Read),
        _ => Err(format!("'{text}' is not an operation; use configure, write or read")),
    }
}
