//! `add-user` and `list-users`.

use crate::administration::Administration;
use crate::names;
use crate::output::{Column, Listing};
use crate::password;
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

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// rabbitmqctl takes the password here. It is read only so that argh does not: argh would
    /// repeat it in its error.
    #[argh(positional, hidden_help)]
    password: Vec<String>,
}

impl AddUser {
    /// Adds the user.
    ///
    /// # Errors
    /// Whatever kept the user from being added.
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context(format!("add user {}", self.user));
        if !self.password.is_empty() {
            return Err(context(Failure::usage(
                "a password on the command line is seen by everybody (ps); \
                 give it on standard input or with --password-file",
            )));
        }
        let user = names::user(&self.user)?;
        let password = password::read(self.password_file.as_deref(), user).map_err(context)?;
        session.broker()?.add_user(user, &password).map_err(context)?;
        session.diagnostics().detail(&format!("added user {user}, without any permissions yet"));
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
        users.sort();
        let mut listing = Listing::new([Column::text("user"), Column::text("tags")]);
        for user in users {
            listing.push([user.name, user.tags.join(&b","[..])]);
        }
        session.print(&listing)
    }
}
