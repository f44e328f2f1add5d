//! `list-users`.

use crate::output::{self, Column, Listing, Value};
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;

/// List the users: name, tags.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-users", help_triggers("-h", "--help"))]
pub struct ListUsers {
    /// also list the hashes of the passwords, to apply them to another cluster
    #[argh(switch)]
    password_hashes: bool,

    /// write the listing as CSV to this file, readable by its owner only (mode 0600)
    #[argh(option, arg_name = "FILE")]
    output: Option<String>,
}

impl ListUsers {
    /// Whether it writes to standard output.
    pub fn writes(&self) -> bool {
        self.file().is_none()
    }

    fn file(&self) -> Option<&str> {
        self.output.as_deref().filter(|name| *name != "-")
    }

    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let context = |failure: Failure| failure.context("list users");
        let mut users = session.broker()?.list_users(self.password_hashes).map_err(context)?;
        users.sort_by(|one, other| one.name.cmp(&other.name));
        let mut columns = vec![Column::text("user"), Column::text("tags")];
        if self.password_hashes {
            columns.push(Column::text("password_hash"));
        }
        let mut listing = Listing::new(columns);
        for mut user in users {
            user.tags.sort();
            let mut row = vec![Value::Text(user.name), Value::Texts(user.tags)];
            row.extend(user.hash.map(|hash| Value::Text(hash.reveal().into())));
            listing.push(row);
        }
        if let Some(file) = self.file() {
            session.diagnostics().trace(&format!("writing {file}"));
            return output::write_private(file, &listing.csv()).map_err(context);
        }
        if self.password_hashes {
            session.diagnostics().notice(
                "list users: the listing contains password hashes, from which passwords can be \
                 guessed; keep it private (--output FILE writes a file of mode 0600)",
            );
        }
        session.print(&listing)
    }
}
