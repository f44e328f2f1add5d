//! `authenticate`.

use crate::names;
use crate::password::Source;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// Check that a user can log in with a password: exit status 0, else 77. The password is the first
/// line of standard input; on a terminal there is a prompt.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "authenticate", help_triggers("-h", "--help"))]
pub struct Authenticate {
    /// read the password from the first line of this file
    #[argh(option, arg_name = "FILE")]
    password_file: Option<String>,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// as in `add-user`
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl Authenticate {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("authenticate {}", self.user));
        let user = names::user(&self.user)?;
        let file = self.password_file.as_deref();
        let source = Source { file, generate: false, hashed: false, words: &self.password };
        let password = source.read_known(user, session.diagnostics()).map_err(context)?;
        if let Some(exposed) = source.exposed() {
            session.diagnostics().notice(&exposed);
        }
        if !session.broker()?.authenticate(user, &password).map_err(context)? {
            let why = "the broker refused it: a wrong password, or no such user";
            return Err(context(Failure::new(Exit::NoPerm, why)));
        }
        session.diagnostics().detail(&format!("authenticate {user}: the password is right"));
        Ok(())
    }
}
