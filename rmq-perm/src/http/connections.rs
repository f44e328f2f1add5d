//! Connections of clients. The API lists all connections as it collected them some seconds ago, and
//! those of one user as they are now, but only with their names.

use super::broker::{Changed, Http};
use super::json::{each, text};
use crate::administration::{Connection, Connections, Text, peer};
use crate::refusal::{Denial, Refusal, words};
use crate::unanswered::Effect;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use ureq::http::Method;

/// Not `user_provided_name`: from RabbitMQ 4.0 the API fails if one of them is not UTF-8.
const COLUMNS: &str = "?columns=name,user,vhost,peer_host,peer_port,client_properties,state,\
                       connected_at,node,protocol";

/// How long to wait before asking the API again about a connection that it does not know yet.
const PAUSE: Duration = Duration::from_millis(500);

/// The API's substitute for a property that is not UTF-8.
const NOT_UTF_8: &str = "Not UTF-8, base64 is: ";

impl Connections for Http {
    fn list_connections(&mut self, user: Option<&str>) -> Result<Vec<Connection>, Failure> {
        let collected = each(&self.expect(&["connections"], COLUMNS)?, connection)?;
        let Some(user) = user else { return Ok(collected) };
        let mut collected: HashMap<Text, Connection> =
            collected.into_iter().map(|connection| (connection.name.clone(), connection)).collect();
        let mut now = self.connections_of(user)?;
        for connection in &mut now {
            if let Some(more) = collected.remove(&connection.name) {
                *connection = more;
            }
        }
        Ok(now)
    }

    fn connections_of(&mut self, user: &str) -> Result<Vec<Connection>, Failure> {
        let path = ["connections", "username", user];
        let columns = "?columns=name,user,vhost,node";
        let answer = self.send(Effect::Reads, Method::GET, &path, columns, None)?;
        match answer.status {
            200 => each(&answer.body, connection),
            404 => Ok(Vec::new()),
            status if !self.sees_all() && words::is_lack_of_tag(status, &answer.body) => {
                Err(Refusal::Denied(Denial::LacksMonitoring).failure_of(&self.user))
            }
            _ => Err(self.refusal(&answer, Effect::Reads)),
        }
    }

    fn close_connections(
        &mut self,
        user: &str,
        connections: &[Connection],
        all: bool,
        reason: &str,
    ) -> Result<(), Failure> {
        if all {
            return self.close(&["connections", "username", user], reason).map(drop);
        }
        let until = Instant::now() + self.limit();
        let mut left: Vec<&Connection> = connections.iter().collect();
        loop {
            let mut unknown = Vec::new();
            for connection in left {
                let name = String::from_utf8_lossy(&connection.name);
                if self.close(&["connections", &name], reason)? == Changed::Missing {
                    unknown.push(connection);
                }
            }
            // Closed meanwhile, or so new that the API has not collected anything about it.
            let now = if unknown.is_empty() { Vec::new() } else { self.connections_of(user)? };
            unknown.retain(|connection| now.iter().any(|other| other.name == connection.name));
            if unknown.is_empty() {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(Failure::new(
                    Exit::TempFail,
                    format!("{} does not know {} of them yet", self.place(), unknown.len()),
                ));
            }
            left = unknown;
            runtime::block_on(runtime::sleep(PAUSE));
        }
    }
}

fn connection(connection: &Value) -> Option<Connection> {
    let number = |key: &str| connection.get(key).and_then(Value::as_u64);
    let host = connection.get("peer_host").and_then(Value::as_str);
    let client = connection.get("client_properties").and_then(|of| text(of, "connection_name"));
    Some(Connection {
        name: text(connection, "name")?,
        user: text(connection, "user"),
        vhost: text(connection, "vhost"),
        peer: host.zip(number("peer_port")).map(|(host, port)| peer(host, port)),
        client: client.map(as_given),
        state: text(connection, "state"),
        since: number("connected_at"),
        node: text(connection, "node"),
        protocol: text(connection, "protocol"),
        process: None,
    })
}

/// The bytes of a property.
fn as_given(shown: Text) -> Text {
    let encoded = shown.strip_prefix(NOT_UTF_8.as_bytes());
    encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).unwrap_or(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connection_is_read_with_what_there_is_of_it() {
        let answer = json!({
            "name": "a -> b", "user": "u", "vhost": "/", "peer_host": "::1", "peer_port": 7,
            "client_properties": {"connection_name": "Not UTF-8, base64 is: Yf8="},
            "state": "running", "connected_at": 1_795_866_921_247_u64, "protocol": "AMQP 0-9-1",
        });
        let read = connection(&answer).unwrap();
        assert_eq!(read.peer.as_deref(), Some(&b"[::1]:7"[..]));
        assert_eq!(read.client.as_deref(), Some(&b"a\xff"[..]));
        assert_eq!((read.since, read.node), (Some(1_795_866_921_247), None));
        let read = connection(&json!({"name": "a", "client_properties": []})).unwrap();
        assert_eq!(read, Connection { name: b"a".to_vec(), ..Connection::default() });
        assert_eq!(connection(&json!({"user": "u"})), None);
    }
}
