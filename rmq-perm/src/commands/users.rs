//! `add-user`, `change-password`, `delete-user` and `set-tags`.

use super::dry_run;
use crate::administration::{Added, Administration, Deleted, Password};
use crate::names;
use crate::output;
use crate::password::Source;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// Add a user, without permissions. The password is the first line of standard input; on a terminal
/// there is a prompt.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "add-user", help_triggers("-h", "--help"))]
pub struct AddUser {
    /// read the password from the first line of this file
    #[argh(option, arg_name = "FILE")]
    password_file: Option<String>,

    /// generate a password, and write it to standard output after the user is added
    #[argh(switch)]
    generate: bool,

    /// the input is a hash of the password, in Base64 (rabbitmqctl hash_password)
    #[argh(switch)]
    pre_hashed_password: bool,

    /// tags of the user, separated by commas (default: none)
    #[argh(option, arg_name = "TAGS")]
    tags: Option<String>,

    /// if the user exists, give it this password and these tags; permissions stay
    #[argh(switch)]
    replace: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// rabbitmqctl takes the password here. It is read so that argh does not repeat it in an error.
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl AddUser {
    /// Whether it writes a password that it generates.
    pub fn writes(&self) -> bool {
        self.generate
    }

    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let source = Source {
            file: self.password_file.as_deref(),
            generate: self.generate,
            hashed: self.pre_hashed_password,
            words: &self.password,
        };
        let user = &self.user;
        let what = format!("add user {user}");
        let tags = self.tags.iter().flat_map(|tags| tags.split(',')).filter(|tag| !tag.is_empty());
        let tags = tags.map(|tag| names::tag(tag.trim())).collect::<Result<Vec<_>, _>>();
        let tags = tags.map_err(|failure| failure.context(&*what))?;
        warn_of_unknown(&tags, session);
        let replace = self.replace;
        give_password(session, user, source, &what, |broker, user, password| {
            if !replace {
                broker.add_user(user, password, &tags)?;
            } else if broker.put_user(user, password, &tags)? == Added::Existed {
                return Ok(format!("set the password and the tags of user {user}"));
            }
            Ok(format!("added user {user}, without permissions"))
        })
    }
}

/// Set a user's password: the first line of standard input; on a terminal there is a prompt.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "change-password", help_triggers("-h", "--help"))]
pub struct ChangePassword {
    /// read the password from the first line of this file
    #[argh(option, arg_name = "FILE")]
    password_file: Option<String>,

    /// generate a password, and write it to standard output after it is set
    #[argh(switch)]
    generate: bool,

    /// the input is a hash of the password, in Base64 (rabbitmqctl hash_password)
    #[argh(switch)]
    pre_hashed_password: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// as in `add-user`
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl ChangePassword {
    /// Whether it writes a password that it generates.
    pub fn writes(&self) -> bool {
        self.generate
    }

    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let source = Source {
            file: self.password_file.as_deref(),
            generate: self.generate,
            hashed: self.pre_hashed_password,
            words: &self.password,
        };
        let user = &self.user;
        let what = format!("change the password of {user}");
        give_password(session, user, source, &what, |broker, user, password| {
            broker.change_password(user, password)?;
            Ok(format!("changed the password of {user}"))
        })
    }
}

/// Sets a new password, and writes it to standard output if it was generated: the only time it is
/// shown. `what` is the operation in messages; `give` sets the password and returns what was done.
fn give_password(
    session: &Session,
    user: &str,
    source: Source<'_>,
    what: &str,
    give: impl FnOnce(&mut dyn Administration, &str, &Password) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let context = |failure: Failure| failure.context(what);
    let user = names::user(user)?;
    let (password, made) = source.read(user, session.diagnostics()).map_err(context)?;
    if let Some(exposed) = source.exposed() {
        session.diagnostics().notice(&exposed);
    }
    let done = give(session.broker()?.as_mut(), user, &password).map_err(context)?;
    session.diagnostics().detail(&done);
    let Some(made) = made else { return Ok(()) };
    output::write_needed(format!("{}\n", made.reveal()).as_bytes()).map_err(|failure| {
        let why = format!(
            "{what}: done, but the password could not be written: {failure} (set another: \
             rmq-perm change-password {user})"
        );
        Failure::new(failure.exit(), why)
    })
}

fn warn_of_unknown(tags: &[&str], session: &Session) {
    for warning in tags.iter().filter_map(|tag| names::unknown_tag_warning(tag)) {
        session.diagnostics().notice(&warning);
    }
}

/// Delete a user, with all the user's permissions. A missing user is not an error.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "delete-user", help_triggers("-h", "--help"))]
pub struct DeleteUser {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,
}

impl DeleteUser {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let context = |failure: Failure| failure.context(format!("delete user {}", self.user));
        let user = names::user(&self.user)?;
        let mut broker = session.broker()?;
        let deleted = match self.dry_run {
            true if broker.user_exists(user).map_err(context)? => {
                return dry_run::show(
                    &dry_run::delete_user(broker.as_mut(), user).map_err(context)?,
                );
            }
            true => Deleted::Before,
            false => broker.delete_user(user).map_err(context)?,
        };
        match deleted {
            Deleted::Now => session.diagnostics().detail(&format!("deleted user {user}")),
            Deleted::Before => {
                let notice = format!("delete user {user}: no such user; nothing to delete");
                session.diagnostics().notice(&notice);
            }
        }
        Ok(Exit::Ok.into())
    }
}

/// Set a user's tags, in place of those the user had; without TAG, none. RabbitMQ knows
/// administrator, monitoring, policymaker, management and impersonator.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-tags", help_triggers("-h", "--help"))]
pub struct SetTags {
    /// show what would change, and change nothing; exit status 1 if anything would
    #[argh(switch)]
    pub dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// tag of the user (repeatable)
    #[argh(positional, arg_name = "TAG")]
    tags: Vec<String>,
}

impl SetTags {
    pub fn run(&self, session: &Session) -> Result<Ending, Failure> {
        let context = |failure: Failure| failure.context(format!("set tags of {}", self.user));
        let user = names::user(&self.user)?;
        let tags = self.tags.iter().map(|tag| names::tag(tag));
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(context)?;
        warn_of_unknown(&tags, session);
        let mut broker = session.broker()?;
        if self.dry_run {
            let diff = dry_run::set_tags(broker.as_mut(), user, &tags).map_err(context)?;
            return dry_run::show(&diff);
        }
        broker.set_tags(user, &tags).map_err(context)?;
        session.diagnostics().detail(&format!("set tags of {user}: {}", tags.join(", ")));
        Ok(Exit::Ok.into())
    }
}
