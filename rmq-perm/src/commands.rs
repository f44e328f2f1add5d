//! The subcommands. Each file contains a few related ones: their arguments and what they do.

mod add_vhost;
mod apply;
mod authenticate;
mod check;
mod cluster_status;
mod columns;
mod connections;
mod delete_vhost;
mod dry_run;
mod dump;
mod everywhere;
mod limits;
mod list_bindings;
mod list_consumers;
mod list_exchanges;
mod list_queues;
mod list_users;
mod list_vhosts;
mod permissions;
mod topic_permissions;
mod users;
mod wait;

use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand)]
pub enum Command {
    AddVhost(add_vhost::AddVhost),
    SetVhost(add_vhost::SetVhost),
    DeleteVhost(delete_vhost::DeleteVhost),
    ListVhosts(list_vhosts::ListVhosts),
    SetVhostLimits(limits::SetVhostLimits),
    ClearVhostLimits(limits::ClearVhostLimits),
    ListVhostLimits(limits::ListVhostLimits),
    AddUser(users::AddUser),
    ChangePassword(users::ChangePassword),
    Authenticate(authenticate::Authenticate),
    SetTags(users::SetTags),
    DeleteUser(users::DeleteUser),
    ListUsers(list_users::ListUsers),
    SetUserLimits(limits::SetUserLimits),
    ClearUserLimits(limits::ClearUserLimits),
    ListUserLimits(limits::ListUserLimits),
    Set(permissions::Set),
    Clear(permissions::Clear),
    List(permissions::List),
    SetTopic(topic_permissions::SetTopic),
    ClearTopic(topic_permissions::ClearTopic),
    ListTopic(topic_permissions::ListTopic),
    Check(check::Check),
    Apply(apply::Apply),
    Dump(dump::Dump),
    ClusterStatus(cluster_status::ClusterStatus),
    Wait(wait::Wait),
    ListQueues(list_queues::ListQueues),
    ListConsumers(list_consumers::ListConsumers),
    ListExchanges(list_exchanges::ListExchanges),
    ListBindings(list_bindings::ListBindings),
    ListConnections(connections::ListConnections),
    CloseConnections(connections::CloseConnections),
}

impl Command {
    /// Whether it writes to standard output, which must then be open before anything is changed.
    pub fn writes(&self) -> bool {
        match self {
            Command::AddUser(command) => command.writes(),
            Command::ChangePassword(command) => command.writes(),
            Command::ListUsers(command) => command.writes(),
            Command::Dump(command) => command.writes(),
            Command::SetVhost(command) => command.dry_run,
            Command::SetVhostLimits(command) => command.dry_run,
            Command::ClearVhostLimits(command) => command.dry_run,
            Command::SetUserLimits(command) => command.dry_run,
            Command::ClearUserLimits(command) => command.dry_run,
            Command::DeleteVhost(command) => command.dry_run,
            Command::SetTags(command) => command.dry_run,
            Command::DeleteUser(command) => command.dry_run,
            Command::Set(command) => command.dry_run,
            Command::Clear(command) => command.dry_run,
            Command::SetTopic(command) => command.dry_run,
            Command::ClearTopic(command) => command.dry_run,
            Command::AddVhost(_) | Command::Authenticate(_) | Command::Wait(_) => false,
            _ => true,
        }
    }

    pub fn run(self, session: &Session) -> Result<Ending, Failure> {
        let done = |()| Ending::from(Exit::Ok);
        match self {
            Command::AddVhost(command) => command.run(session).map(done),
            Command::SetVhost(command) => command.run(session),
            Command::DeleteVhost(command) => command.run(session),
            Command::ListVhosts(command) => command.run(session).map(done),
            Command::SetVhostLimits(command) => command.run(session),
            Command::ClearVhostLimits(command) => command.run(session),
            Command::ListVhostLimits(command) => command.run(session).map(done),
            Command::AddUser(command) => command.run(session).map(done),
            Command::ChangePassword(command) => command.run(session).map(done),
            Command::Authenticate(command) => command.run(session).map(done),
            Command::SetTags(command) => command.run(session),
            Command::DeleteUser(command) => command.run(session),
            Command::ListUsers(command) => command.run(session).map(done),
            Command::SetUserLimits(command) => command.run(session),
            Command::ClearUserLimits(command) => command.run(session),
            Command::ListUserLimits(command) => command.run(session).map(done),
            Command::Set(command) => command.run(session),
            Command::Clear(command) => command.run(session),
            Command::List(command) => command.run(session).map(done),
            Command::SetTopic(command) => command.run(session),
            Command::ClearTopic(command) => command.run(session),
            Command::ListTopic(command) => command.run(session).map(done),
            Command::Apply(command) => command.run(session),
            Command::Dump(command) => command.run(session).map(done),
            Command::Check(command) => command.run(session),
            Command::ClusterStatus(command) => command.run(session).map(done),
            Command::Wait(command) => command.run(session).map(done),
            Command::ListQueues(command) => command.run(session).map(done),
            Command::ListConsumers(command) => command.run(session).map(done),
            Command::ListExchanges(command) => command.run(session).map(done),
            Command::ListBindings(command) => command.run(session).map(done),
            Command::ListConnections(command) => command.run(session).map(done),
            Command::CloseConnections(command) => command.run(session).map(done),
        }
    }
}
