//! Connections, as listed by the broker itself.

use crate::vhost::Vhost;
use crate::wait::wait_for;
use std::time::Duration;

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The broker's process for it, different for every connection.
    pub pid: String,
    /// The user who is logged in.
    pub user: String,
    /// Seconds between heartbeats.
    pub heartbeat: String,
    /// The client's name for it.
    pub name: String,
}

impl Vhost<'_> {
    /// The connections to this vhost on node 1.
    pub fn connections(&self) -> Vec<Connection> {
        let name = &self.name;
        let text = self.cluster.erlang(&format!(
            "lists:join($\\n, [io_lib:format(\"~w|~ts|~w|~ts\", [P, U, T, N]) || C <- \
             rabbit_networking:connection_info_all([pid, user, timeout, vhost, \
             client_properties]), proplists:get_value(vhost, C) == <<\"{name}\">>, \
             P <- [proplists:get_value(pid, C)], U <- [proplists:get_value(user, C)], \
             T <- [proplists:get_value(timeout, C)], {{<<\"connection_name\">>, longstr, N}} <- \
             proplists:get_value(client_properties, C)])"
        ));
        let connections = text.lines().filter_map(|line| {
            let mut fields = line.split('|').map(str::to_owned);
            Some(Connection {
                pid: fields.next()?,
                user: fields.next()?,
                heartbeat: fields.next()?,
                name: fields.next()?,
            })
        });
        connections.collect()
    }

    /// The connection of the process `pid`, once it exists.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn connection_of(&self, pid: u32) -> Connection {
        let end = format!(", pid {pid}");
        let mine = |connection: &Connection| connection.name.ends_with(&end);
        let limit = Duration::from_secs(20);
        wait_for(limit, "its connection", || self.connections().into_iter().find(mine))
    }

    /// Has the broker close the connection of the process `pid`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn close_connection_of(&self, pid: u32, reason: &str) {
        let process = self.connection_of(pid).pid;
        self.cluster.erlang(&format!(
            "begin rabbit_networking:close_connection(list_to_pid(\"{process}\"), \"{reason}\"), \
             \"\" end"
        ));
    }
    /// Has the broker close every connection to this vhost.
    pub fn close_all_connections(&self, reason: &str) {
        let name = &self.name;
        self.cluster.erlang(&format!(
            "begin [rabbit_networking:close_connection(proplists:get_value(pid, C), \"{reason}\") \
             || C <- rabbit_networking:connection_info_all([pid, vhost]), \
             proplists:get_value(vhost, C) == <<\"{name}\">>], \"\" end"
        ));
    }

    /// How many channels there are in this vhost, on node 1.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub fn channels(&self) -> usize {
        let name = &self.name;
        let text = self.cluster.erlang(&format!(
            "integer_to_list(length([C || C <- rabbit_channel:info_all([vhost]), \
             proplists:get_value(vhost, C) == <<\"{name}\">>]))"
        ));
        text.parse().expect("a number")
    }
}
