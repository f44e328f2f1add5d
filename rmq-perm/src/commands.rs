//! The subcommands: a file for what belongs together, in it what each takes and what it does.

mod cluster_status;
mod list_queues;
mod permissions;
mod users;
mod vhosts;

use crate::arguments::Arguments;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// What to do.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand)]
pub enum Command {
    /// `add-vhost`
    AddVhost(vhosts::AddVhost),
    /// `list-vhosts`
    ListVhosts(vhosts::ListVhosts),
    /// `add-user`
    AddUser(users::AddUser),
    /// `list-users`
    ListUsers(users::ListUsers),
    /// `set`
    Set(permissions::Set),
    /// `list`
    List(permissions::List),
    /// `cluster-status`
    ClusterStatus(cluster_status::ClusterStatus),
    /// `list-queues`
    ListQueues(list_queues::ListQueues),
}

/// Does what the command line asks for.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let (session, command) = Session::new(arguments);
    match command {
        Command::AddVhost(command) => command.run(&session),
        Command::ListVhosts(command) => command.run(&session),
        Command::AddUser(command) => command.run(&session),
        Command::ListUsers(command) => command.run(&session),
        Command::Set(command) => command.run(&session),
        Command::List(command) => command.run(&session),
        Command::ClusterStatus(command) => command.run(&session),
        Command::ListQueues(command) => command.run(&session),
    }?;
    Ok(Exit::Ok.into())
}
