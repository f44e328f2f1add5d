//! `list-connections` and `close-connections`.

use crate::administration::{Administration, Connection, Text};
use crate::names;
use crate::output::{Column, Listing, Value};
use crate::refusal::Refusal;
use crate::session::Session;
use argh::{ArgsInfo, FromArgs};
use rmq_common::failure::Failure;
use rmq_common::runtime;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// List the connections of all users or one, on every node: name, user, vhost, peer, client_name
/// (the client's own), state, since; with -v also node, protocol. With -p, those to one virtual
/// host.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "list-connections", help_triggers("-h", "--help"))]
pub struct ListConnections {
    /// list only this user's
    #[argh(positional, arg_name = "USER")]
    user: Option<String>,
}

impl ListConnections {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let of = self.user.iter().map(|user| format!(" of {user}")).collect::<String>();
        let context = |failure: Failure| failure.context(format!("list connections{of}"));
        let user = self.user.as_deref().map(names::user).transpose()?;
        let vhost = session.given_vhost().transpose()?;
        let mut broker = session.broker()?;
        let found = broker.list_connections(user).map_err(context)?;
        let mut found = on_vhost(broker.as_mut(), user, vhost, found).map_err(context)?;
        found.sort_by(|a, b| (&a.name, &a.since).cmp(&(&b.name, &b.since)));
        let verbose = session.diagnostics().verbose();
        let mut columns = ["name", "user", "vhost", "peer", "client_name", "state", "since"]
            .map(Column::text)
            .to_vec();
        if verbose {
            columns.extend(["node", "protocol"].map(Column::text));
        }
        let shown = columns.len();
        let mut listing = Listing::new(columns);
        for connection in found {
            listing.push(row(connection).into_iter().take(shown).collect::<Vec<_>>());
        }
        session.print(&listing)
    }
}

/// Those to `vhost`, if given; if there are none for a user who does not exist, that is an error.
fn on_vhost(
    broker: &mut dyn Administration,
    user: Option<&str>,
    vhost: Option<&str>,
    mut connections: Vec<Connection>,
) -> Result<Vec<Connection>, Failure> {
    if let Some(user) = user
        && connections.is_empty()
        // Not every user of the API may ask for that.
        && matches!(broker.user_exists(user), Ok(false))
    {
        return Err(Refusal::NoSuchUser.failure());
    }
    if let Some(vhost) = vhost {
        broker.require_vhost(vhost)?;
        connections.retain(|connection| connection.vhost.as_deref() == Some(vhost.as_bytes()));
    }
    Ok(connections)
}

fn row(connection: Connection) -> [Value; 9] {
    let text = |text: Option<Text>| text.map_or(Value::Unknown, Value::Text);
    [
        Value::Text(connection.name),
        text(connection.user),
        text(connection.vhost),
        text(connection.peer),
        text(connection.client),
        text(connection.state),
        text(connection.since.and_then(time_of)),
        text(connection.node),
        text(connection.protocol),
    ]
}

/// `2026-11-28T12:00:00Z`
fn time_of(milliseconds: u64) -> Option<Text> {
    let seconds = i64::try_from(milliseconds / 1000).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&Rfc3339).ok().map(String::into_bytes)
}

/// How long to wait for clients to answer that their connections are closed.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Close the connections of a user, on every node, and print how many. A client may connect again:
/// change the password or the permissions first. With -p, those to one virtual host.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(subcommand, name = "close-connections", help_triggers("-h", "--help"))]
pub struct CloseConnections {
    /// the reason that clients are given (default: closed by an operator)
    #[argh(option, arg_name = "TEXT")]
    reason: Option<String>,

    /// only print how many would be closed
    #[argh(switch)]
    dry_run: bool,

    /// name of the user
    #[argh(positional, arg_name = "USER")]
    user: String,

    /// rabbitmqctl takes the reason here
    #[argh(positional, hidden_help)]
    explanation: Option<String>,
}

impl CloseConnections {
    pub fn run(&self, session: &Session) -> Result<(), Failure> {
        let user = names::user(&self.user)?;
        let vhost = session.given_vhost().transpose()?;
        let given = match (&self.reason, &self.explanation) {
            (Some(_), Some(second)) => {
                return Err(Failure::usage(format!("unexpected argument '{second}'")));
            }
            (one, other) => one.as_deref().or(other.as_deref()),
        };
        let reason = reason(given.unwrap_or("closed by an operator"))?;
        let context = |failure: Failure| failure.context(format!("close connections of {user}"));
        let mut broker = session.broker()?;
        let broker = broker.as_mut();
        let open = broker.connections_of(user).map_err(context)?;
        let open = on_vhost(broker, Some(user), vhost, open).map_err(context)?;
        if self.dry_run {
            return session.print_line(&open.len().to_string());
        }
        let closed = open.len();
        if closed > 0 {
            broker.close_connections(user, &open, vhost.is_none(), reason).map_err(context)?;
        }
        session.print_line(&closed.to_string())?;
        let left = left_open(broker, user, &open).map_err(context)?;
        if left > 0 {
            session.diagnostics().notice(&format!(
                "close connections of {user}: {left} of {closed} clients have not answered yet; \
                 the broker ends their connections within a minute"
            ));
        }
        Ok(())
    }
}

/// How many of these still exist after a while: a client has to answer.
fn left_open(
    broker: &mut dyn Administration,
    user: &str,
    closed: &[Connection],
) -> Result<usize, Failure> {
    let key = |connection: &Connection| (connection.node.clone(), connection.name.clone());
    let closed: HashSet<_> = closed.iter().map(key).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let now = if closed.is_empty() { Vec::new() } else { broker.connections_of(user)? };
        let left = now.iter().filter(|connection| closed.contains(&key(connection))).count();
        if left == 0 || Instant::now() >= until {
            return Ok(left);
        }
        runtime::block_on(runtime::sleep(PAUSE));
    }
}

/// Over HTTP it is sent in a header, in which brokers interpret letters outside ASCII differently.
fn reason(text: &str) -> Result<&str, Failure> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match is_plain && (1..=200).contains(&text.len()) {
        true => Ok(text),
        false => Err(Failure::usage("--reason: give one line of ASCII of at most 200 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_seconds_of_utc() {
        let shown = |milliseconds| time_of(milliseconds).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(shown(1_795_866_921_247).as_deref(), Some("2026-11-28T11:55:21Z"));
        assert_eq!(shown(u64::MAX), None);
    }

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(reason("moved to prod").unwrap(), "moved to prod");
        for text in ["", "a\nb", "gr\u{fc}n", &"x".repeat(201)] {
            assert_eq!(reason(text).unwrap_err().exit().status(), 64);
        }
    }
}
