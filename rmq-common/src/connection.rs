//! Reaching the broker: the one function that connects, and the connection it gives.
//!
//! One deadline covers TCP, TLS and the AMQP handshake of a host; past it the socket is shut. So
//! is every close that does not finish in time, because a connection that the broker has blocked
//! writes nothing, not even its close. lapin's own connect and its auto-recovery are never used:
//! the first ignores deadlines, the second hides which messages must be sent again.

use crate::amqp_error::{Trouble, reply, trouble};
use crate::broker_url::{Host, Parameters};
use crate::diagnostics::Diagnostics;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::greeting::{self, Greeted};
use crate::retry::{Backoff, Patience};
use crate::runtime;
use crate::secret::Secret;
use crate::server::Server;
use crate::socket::Cutter;
use crate::tls;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use lapin::tcp::RustlsConnector;
use lapin::types::ShortString;
use lapin::uri::{
    AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism,
};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties, Event};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a host may take to connect, unless the URL says otherwise.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds between heartbeats, unless the URL says otherwise; RabbitMQ's guide recommends 5 to 20
/// (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;
/// What we ask for, and RabbitMQ's default. A broker that answers 0, "no limit", must not make
/// lapin allocate for it.
const FRAME_MAX: u32 = 131_072;
/// How long the broker may take to answer a method. Declaring on a cluster without a majority takes
/// it 30 s to refuse (RabbitMQ 4.3).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a close may take before the socket is shut.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A broker, or a cluster's nodes, and who we are to it.
pub struct Broker {
    hosts: Vec<Host>,
    /// The host to try first: after a lost connection the one behind the lost.
    first: usize,
    vhost: String,
    user: String,
    password: Secret,
    parameters: Parameters,
    tls: Option<RustlsConnector>,
    diagnostics: Diagnostics,
}

/// What [`Broker::new`] needs to know.
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

impl Broker {
    /// The broker behind `hosts`, which are not empty.
    ///
    /// # Errors
    /// When TLS is asked for and its files do not serve (78).
    pub fn new(
        hosts: Vec<Host>,
        vhost: String,
        credentials: Credentials,
        tls: bool,
        parameters: Parameters,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let tls = if tls { Some(tls::connector(&parameters)?) } else { None };
        let Credentials { user, password } = credentials;
        Ok(Broker { hosts, first: 0, vhost, user, password, parameters, tls, diagnostics })
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Connects to the first host that answers, trying all in turn, again and again, until
    /// `patience` is over.
    ///
    /// # Errors
    /// No host answered in time (69); credentials refused (77); no such virtual host (65); a peer
    /// that does not speak AMQP (70).
    pub async fn connect(&mut self, patience: &Patience) -> Result<Session, Failure> {
        let mut backoff = Backoff::default();
        let mut told = false;
        loop {
            let mut problems = Vec::new();
            let mut protocol = 0;
            for turn in 0..self.hosts.len() {
                let index = (self.first + turn) % self.hosts.len();
                let host = &self.hosts[index];
                match self.attempt(host).await {
                    Ok(session) => {
                        // A reconnect begins with the host behind this one.
                        self.first = (index + 1) % self.hosts.len();
                        return Ok(session);
                    }
                    Err(refused @ Trouble::Refused { .. }) => {
                        return Err(self.refused(host, refused));
                    }
                    Err(Trouble::Protocol(why)) => {
                        protocol += 1;
                        problems.push(format!("connect to {host}: {why}"));
                    }
                    Err(Trouble::Lost(why)) => problems.push(format!("connect to {host}: {why}")),
                }
            }
            let problems_text = problems.join("; ");
            if protocol == self.hosts.len() {
                return Err(Failure::new(Exit::Software, problems_text));
            }
            if patience.is_over() {
                let tried = patience.limit();
                let tried = match patience.left() {
                    Some(_) if patience.elapsed() > Duration::from_secs(1) => {
                        format!(" (tried for {tried})")
                    }
                    _ => String::new(),
                };
                return Err(Failure::new(Exit::Unavailable, format!("{problems_text}{tried}")));
            }
            if !told {
                let limit = patience.limit();
                self.diagnostics.detail(&format!("{problems_text}; trying again for {limit}"));
                told = true;
            }
            let pause = backoff.next_pause();
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
        }
    }

    fn refused(&self, host: &Host, refused: Trouble) -> Failure {
        let user = &self.user;
        let vhost = &self.vhost;
        match &refused {
            Trouble::Refused { code: reply::ACCESS_REFUSED, text } => {
                Failure::new(Exit::NoPerm, format!("log in to {host} as {user}: {text}"))
            }
            Trouble::Refused { code: reply::NOT_ALLOWED, text } if text.contains("not found") => {
                Failure::data(format!("open vhost {vhost} on {host}: no such vhost"))
            }
            _ => refused.failure().context(format!("open vhost {vhost} on {host} as {user}")),
        }
    }

    /// One try at one host, within the connection time-out.
    async fn attempt(&self, host: &Host) -> Result<Session, Trouble> {
        let limit = self.parameters.connection_timeout.unwrap_or(CONNECTION_TIMEOUT);
        let deadline = Instant::now() + limit;
        let cutter = Cutter::default();
        let server = Arc::new(OnceLock::new());
        let transport = {
            let (host, cutter, tls) = (host.clone(), cutter.clone(), self.tls.clone());
            let server_name = self.parameters.server_name_indication.clone();
            let server = server.clone();
            async move |_: AMQPUri, _| {
                let greeted = |stream| AsyncTcpStream::Plain(Greeted::new(stream, server.clone()));
                let stream = cutter.open(&host, deadline)?;
                let stream = AsyncTcpStream::Plain(async_io::Async::new(stream)?);
                let Some(tls) = &tls else {
                    return Ok(greeted(stream));
                };
                let name = server_name.as_deref().unwrap_or(&host.name);
                Ok(greeted(stream.into_rustls(tls, name).await?))
            }
        };
        let connecting = Connection::connector(
            self.uri(host),
            greeting::runtime(),
            transport,
            self.properties(),
        );
        let mut connecting = std::pin::pin!(connecting);
        match runtime::timeout(limit, &mut connecting).await {
            Some(Ok(connection)) => {
                let events = connection.events_listener().boxed();
                let server = server.get().cloned();
                Ok(Session { connection, host: host.to_string(), server, events, cutter })
            }
            Some(Err(error)) => {
                cutter.cut();
                Err(trouble(&error))
            }
            None => {
                cutter.cut();
                // lapin's thread sees the end of the stream now, and is waited for, so that a
                // thousand tries leave as little behind as one.
                let _ = runtime::timeout(Duration::from_secs(1), connecting).await;
                Err(Trouble::Lost(format!("no answer within {} ms", limit.as_millis())))
            }
        }
    }

    fn uri(&self, host: &Host) -> AMQPUri {
        let external = self.parameters.external;
        AMQPUri {
            scheme: if self.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo {
                    username: self.user.clone(),
                    password: self.password.reveal().to_owned(),
                },
                host: host.name.clone(),
                port: host.port,
            },
            vhost: self.vhost.clone(),
            query: AMQPQueryString {
                frame_max: Some(FRAME_MAX),
                channel_max: None,
                heartbeat: Some(self.parameters.heartbeat.unwrap_or(HEARTBEAT)),
                connection_timeout: None,
                auth_mechanism: external.then_some(SASLMechanism::External),
            },
        }
    }

    /// How the broker's own tools list this connection.
    fn properties(&self) -> ConnectionProperties {
        let program = self.diagnostics.program();
        let version = env!("CARGO_PKG_VERSION");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pid = std::process::id().to_string();
        let name = format!("{program} {version} on {host}, pid {pid}");
        [("product", program), ("version", version), ("host", &host), ("pid", &pid)]
            .into_iter()
            .filter_map(|(key, value)| Some((ShortString::try_new(key).ok()?, value)))
            .fold(ConnectionProperties::default(), |properties, (key, value)| {
                properties.with_client_property(key, value.into())
            })
            .with_connection_name(name.into())
    }
}

/// An open connection to one host.
pub struct Session {
    connection: Connection,
    host: String,
    server: Option<Server>,
    events: BoxStream<'static, Event>,
    cutter: Cutter,
}

impl Session {
    /// The host, as `name:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Which broker it is; `None` where it did not say.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// When the connection is lost or the broker refuses.
    pub async fn channel(&self) -> Result<Channel, Trouble> {
        answer(self.connection.create_channel()).await
    }

    /// The next thing the connection has to say; pending for ever where there is none.
    pub async fn event(&mut self) -> Event {
        match self.events.next().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Closes the connection; cuts it where that does not finish in time.
    pub async fn close(self) {
        let close = async {
            let text = ShortString::try_new("OK").unwrap_or_default();
            // An error here says that the connection is gone, which is what was wanted.
            let _ = self.connection.close(200, text).await;
        };
        if runtime::timeout(CLOSE_TIMEOUT, close).await.is_none() {
            self.cutter.cut();
        }
    }

    /// Ends the connection without a word: for one that is lost or blocked.
    pub fn cut(self) {
        self.cutter.cut();
    }
}

/// Waits for the broker's answer to a method, but not for ever: a node may be frozen, and a blocked
/// connection does not even write the question.
///
/// # Errors
/// What the broker or lapin says; or the connection counts as lost when the time is up.
pub async fn answer<T>(asked: impl Future<Output = lapin::Result<T>>) -> Result<T, Trouble> {
    match runtime::timeout(ANSWER_TIMEOUT, asked).await {
        Some(answer) => answer.map_err(|error| trouble(&error)),
        None => Err(Trouble::Lost("the broker does not answer".to_owned())),
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("host", &self.host).finish_non_exhaustive()
    }
}
