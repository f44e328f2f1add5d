//! `check`.

use crate::administration::Operation;
use crate::names;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Say whether the permissions of a user on a virtual host (-p) allow something: yes, or no with
/// exit status 1.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "check", help_triggers("-h", "--help"))]
pub struct Check {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// what is to be done: configure, write or read
    #[argh(positional, arg_name = "configure|write|read", from_str_fn(operation))]
    operation: Operation,

    /// name of the queue or exchange ('' is the default exchange)
    #[argh(positional, arg_name = "NAME")]
    name: String,
}

impl Check {
    /// Says it.
    ///
    /// # Errors
    /// Whatever kept it from being found out.
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let vhost = session.vhost()?;
        let context = |failure: Failure| {
            failure.context(format!("check permissions of {} on {vhost}", self.user))
        };
        let user = names::user(&self.user)?;
        // So the broker calls it, too, before it looks at a pattern.
        let name = if self.name.is_empty() { "amq.default" } else { &self.name };
        let name = names::resource(name)?;
        let allowed = session.broker()?.is_allowed(user, vhost, self.operation, name);
        let (answer, exit) =
            if allowed.map_err(context)? { ("yes", Exit::Ok) } else { ("no", Exit::No) };
        session.print_line(answer)?;
        Ok(exit.into())
    }
}

fn operation(text: &str) -> Result<Operation, String> {
    match text {
        "configure" => Ok(Operation::Configure),
        "write" => Ok(Operation::Write),
        "read" => Ok(Operation::Read),
        _ => Err(format!("'{text}' is no operation; there are configure, write and read")),
    }
}
