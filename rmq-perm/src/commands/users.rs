//! `add-user`, `change-password`, `delete-user`, `set-tags` and `list-users`.

use crate::administration::{Administration, Password};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::password::Source;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// Add a user, who has no permissions yet. The password is the first line of standard input; on a
/// terminal it is asked for.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "add-user", help_triggers("-h", "--help"))]
pub struct AddUser {
    /// read the password from the first line of this file
    #[argh(option, arg_name = "FILE")]
    password_file: Option<String>,

    /// make a password, and write it to standard output once the user is there
    #[argh(switch)]
    generate: bool,

    /// what is given is a hash of the password, in Base64 (rabbitmqctl hash_password)
    #[argh(switch)]
    pre_hashed_password: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// rabbitmqctl takes the password here. It is read only so that argh does not: argh would
    /// repeat it in its error.
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl AddUser {
    /// Whether it writes the password that it makes.
    pub fn writes(&self) -> bool {
        self.generate
    }

    /// Adds the user.
    ///
    /// # Errors
    /// Whatever kept the user from being added.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let source = Source {
            file: self.password_file.as_deref(),
            generate: self.generate,
            hashed: self.pre_hashed_password,
            words: &self.password,
        };
        let user = &self.user;
        let what = format!("add user {user}");
        let done = format!("added user {user}, without any permissions yet");
        give_password(session, user, source, [&what, &done], |broker, user, password| {
            broker.add_user(user, password)
        })
    }
}

/// Give a user another password: the first line of standard input; on a terminal it is asked for.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "change-password", help_triggers("-h", "--help"))]
pub struct ChangePassword {
    /// read the password from the first line of this file
    #[argh(option, arg_name = "FILE")]
    password_file: Option<String>,

    /// make a password, and write it to standard output once it is the user's
    #[argh(switch)]
    generate: bool,

    /// what is given is a hash of the password, in Base64 (rabbitmqctl hash_password)
    #[argh(switch)]
    pre_hashed_password: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// as of `add-user`
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl ChangePassword {
    /// Whether it writes the password that it makes.
    pub fn writes(&self) -> bool {
        self.generate
    }

    /// Changes it.
    ///
    /// # Errors
    /// Whatever kept it from being changed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let source = Source {
            file: self.password_file.as_deref(),
            generate: self.generate,
            hashed: self.pre_hashed_password,
            words: &self.password,
        };
        let user = &self.user;
        let what = format!("change the password of {user}");
        let done = format!("changed the password of {user}");
        give_password(session, user, source, [&what, &done], |broker, user, password| {
            broker.change_password(user, password)
        })
    }
}

/// Has the broker take a new password, and writes it to standard output if it was made here: the
/// one time it is seen. What is to be done, and what then is done, are for people.
fn give_password(
    session: &Session,
    user: &str,
    source: Source<'_>,
    [what, done]: [&str; 2],
    give: impl FnOnce(&mut dyn Administration, &str, &Password) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let context = |failure: Failure| failure.context(what);
    let user = names::user(user)?;
    let (password, made) = source.read(user).map_err(context)?;
    give(session.broker()?.as_mut(), user, &password).map_err(context)?;
    session.diagnostics().detail(done);
    made.map_or(Ok(()), |made| session.print_line(made.reveal()))
}

/// Delete a user, with all permissions of the user.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "delete-user", help_triggers("-h", "--help"))]
pub struct DeleteUser {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,
}

impl DeleteUser {
    /// Deletes the user.
    ///
    /// # Errors
    /// Whatever kept the user from being deleted.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("delete user {}", self.user));
        let user = names::user(&self.user)?;
        session.broker()?.delete_user(user).map_err(context)?;
        session.diagnostics().detail(&format!("deleted user {user}"));
        Ok(())
    }
}

/// Give a user tags, in place of those the user had; without TAG, none. RabbitMQ knows
/// administrator, monitoring, policymaker, management and impersonator.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "set-tags", help_triggers("-h", "--help"))]
pub struct SetTags {
    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// what the user is to be
    #[argh(positional, arg_name = "TAG")]
    tags: Vec<String>,
}

impl SetTags {
    /// Sets them.
    ///
    /// # Errors
    /// Whatever kept them from being set.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("set tags of {}", self.user));
        let user = names::user(&self.user)?;
        let tags = self.tags.iter().map(|tag| names::tag(tag));
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(context)?;
        session.broker()?.set_tags(user, &tags).map_err(context)?;
        session.diagnostics().detail(&format!("set tags of {user}: {}", tags.join(", ")));
        Ok(())
    }
}

/// List the users: name, tags.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-users", help_triggers("-h", "--help"))]
pub struct ListUsers {}

impl ListUsers {
    /// Lists them.
    ///
    /// # Errors
    /// Whatever kept them from being listed.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let users = session.broker()?.list_users();
        let mut users = users.map_err(|failure| failure.context("list users"))?;
        for user in &mut users {
            user.tags.sort();
        }
        users.sort();
        let mut listing = Listing::new([Column::text("user"), Column::text("tags")]);
        for user in users {
            listing.push([Value::Text(user.name), Value::Texts(user.tags)]);
        }
        session.print(&listing)
    }
}
