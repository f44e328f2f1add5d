//! Connects to the broker; nothing else does.
//!
//! One deadline covers TCP, TLS and the AMQP handshake of a host; after it the socket is shut.
//! lapin's own connect and its auto-recovery are never used: the first ignores deadlines, the
//! second hides which messages must be sent again.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::duration::Limit;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::secret::Password;
use crate::net::amqp_error::{AmqpError, Loss, Lost, Missing, Refusal, Refused};
use crate::net::authority::Host;
use crate::net::broker_url::Parameters;
use crate::net::greeting::{self, Greeted};
use crate::net::lane::{FRAME_MAX, Junction, Limits};
use crate::net::login::Login;
use crate::net::losses::{self, Activity, Losses};
use crate::net::retry::{Backoff, Patience};
use crate::net::runtime;
use crate::net::session::Session;
use crate::net::socket::Cutter;
use crate::net::tls::Tls;
use crate::net::tls_error::{self, Inside};
use lapin::types::ShortString;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, ErrorKind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a host may take to connect, unless the URL says otherwise.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds between heartbeats, unless the URL says otherwise; RabbitMQ's guide recommends 5 to 20
/// (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;

/// How long lapin may take to pass on a transport's error.
const FORGOTTEN: Duration = Duration::from_millis(200);

/// A broker or the nodes of a cluster, and the login.
pub struct Broker {
    hosts: Vec<Host>,
    /// The host to try first: after a lost connection, the next one.
    first: usize,
    vhost: String,
    user: String,
    password: Password,
    parameters: Parameters,
    tls: Option<Tls>,
    /// The traffic of the current or last connection.
    activity: Arc<Activity>,
    losses: Losses,
    diagnostics: Diagnostics,
    limits: Limits,
    /// The number of channels per connection, if the broker has refused more.
    channels: Option<u16>,
}

/// How an attempt at one host fails.
enum Attempt {
    Error(AmqpError),
    /// It will fail again: a certificate that is not accepted, on either side, or only one side
    /// uses TLS.
    Lasting(Failure),
}

/// The parameters of [`Broker::new`].
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The user's password.
    pub password: Password,
}

impl Broker {
    /// The broker at `hosts`, of which there is at least one.
    ///
    /// # Errors
    /// TLS is requested and its files are invalid (78).
    pub fn new(
        hosts: Vec<Host>,
        vhost: String,
        credentials: Credentials,
        tls: bool,
        parameters: Parameters,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let tls = if tls { Some(Tls::new(&parameters)?) } else { None };
        if tls.is_some() && parameters.verify == Some(false) {
            diagnostics.notice("verify=verify_none: the broker's certificate is not checked");
        }
        let Credentials { user, password } = credentials;
        Ok(Broker {
            hosts,
            first: 0,
            vhost,
            user,
            password,
            parameters,
            tls,
            activity: Arc::default(),
            losses: Losses::default(),
            diagnostics,
            limits: Limits::default(),
            channels: None,
        })
    }

    /// The virtual host.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Sets how much may arrive on each later connection.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The diagnostics.
    pub fn diagnostics(&self) -> Diagnostics {
        self.diagnostics
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The message for the lost connection to `host`, with its reason `why`; if the last one was
    /// lost in the same way, also what may help.
    pub fn lost(&mut self, host: &str, why: &Lost) -> String {
        self.learn(why);
        let heartbeat = self.parameters.heartbeat.unwrap_or(HEARTBEAT);
        let idle = self.losses.lost(&self.activity);
        let hint = idle.and_then(|idle| losses::hint(idle, heartbeat));
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("lost the connection to {host}: {why}{hint}")
    }

    /// Records why a connection was lost. If it exceeded a limit on channels of the user or the
    /// node, which the broker does not propose, later connections keep to that limit. Returns
    /// whether they will differ.
    pub fn learn(&mut self, lost: &Lost) -> bool {
        let Loss::Channels(Some(allowed)) = lost.why else { return false };
        // Other connections of the user count too.
        let fewer =
            self.channels.map_or(allowed, |had| if had > allowed { allowed } else { had / 2 });
        let fewer = Some(fewer.max(1));
        std::mem::replace(&mut self.channels, fewer) != fewer
    }

    /// Connects to the first host that answers, trying all in turn, repeatedly, until `patience` is
    /// over.
    ///
    /// # Errors
    /// No host answered in time (69); credentials refused (77); no such virtual host (65); a peer
    /// that does not speak AMQP (70).
    pub async fn connect(&mut self, patience: &Patience) -> Result<Session, Failure> {
        let mut backoff = Backoff::default();
        let mut reported = false;
        // The last error of each host.
        let mut known: Vec<String> = Vec::new();
        loop {
            // Set while every host has failed permanently.
            let mut lasting = Some(Exit::Software);
            for turn in 0..self.hosts.len() {
                let index = (self.first + turn) % self.hosts.len();
                let host = &self.hosts[index];
                // Each is tried once, even if the time is up.
                if known.len() == self.hosts.len() && patience.is_over() {
                    lasting = None;
                    break;
                }
                let why = match Box::pin(self.attempt(host)).await {
                    Ok((session, activity)) => {
                        self.activity = activity;
                        // A reconnect begins with the next host.
                        self.first = (index + 1) % self.hosts.len();
                        return Ok(session);
                    }
                    Err(Attempt::Error(AmqpError::Refused(refused))) => {
                        return Err(self.refused(host, refused));
                    }
                    Err(Attempt::Error(AmqpError::Lost(lost))) => {
                        lasting = None;
                        lost.to_string()
                    }
                    Err(Attempt::Error(breach @ AmqpError::Protocol(_))) => breach.to_string(),
                    Err(Attempt::Lasting(failure)) => {
                        lasting = lasting.map(|_| failure.exit());
                        failure.to_string()
                    }
                };
                let problem = format!("connect to {host}: {why}");
                match known.get_mut(turn) {
                    Some(known) => *known = problem,
                    None => known.push(problem),
                }
            }
            let problems = known.join("; ");
            if let Some(exit) = lasting {
                return Err(Failure::new(exit, problems));
            }
            if patience.is_over() {
                let tried = match patience.limit() {
                    Limit::For(limit) if limit.is_zero() => String::new(),
                    _ => format!(" (tried for {})", patience.tried()),
                };
                return Err(Failure::new(Exit::Unavailable, format!("{problems}{tried}")));
            }
            if !reported {
                let limit = match patience.limit() {
                    // With "forever", another limit may still end it, so none is shown.
                    Limit::Forever => String::new(),
                    limit => format!(", --retry {limit}"),
                };
                self.diagnostics.detail(&format!("{problems}; trying again{limit}"));
                reported = true;
            }
            let pause = backoff.next_pause();
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
        }
    }

    fn refused(&self, host: &Host, refused: Refused) -> Failure {
        // With EXTERNAL the certificate identifies us, and the URL's user is meaningless.
        let external = self.parameters.external;
        let user = if external { "the client certificate's user" } else { &self.user };
        let vhost = &self.vhost;
        match &refused.what {
            Refusal::NotFound(Missing::Vhost) => {
                Failure::data(format!("open vhost {vhost} on {host}: no such vhost"))
            }
            Refusal::NotPermitted(_) => {
                AmqpError::Refused(refused).failure().context(format!("log in to {host} as {user}"))
            }
            _ => AmqpError::Refused(refused)
                .failure()
                .context(format!("open vhost {vhost} on {host} as {user}")),
        }
    }

    /// One attempt at one host, within the connection timeout.
    async fn attempt(&self, host: &Host) -> Result<(Session, Arc<Activity>), Attempt> {
        // A file may be about to be written.
        let password = self.password.read();
        let password =
            password.map_err(|failure| Attempt::Error(AmqpError::lost(failure.to_string())))?;
        let limit = self.parameters.connection_timeout.unwrap_or(CONNECTION_TIMEOUT);
        let deadline = Instant::now() + limit;
        let cutter = Cutter::default();
        let server = Arc::new(OnceLock::new());
        let activity = Arc::new(Activity::default());
        let junction = Arc::new(OnceLock::new());
        let (failed, failure) = flume::bounded(1);
        let login = Login {
            user: self.user.clone(),
            password,
            external: self.parameters.external,
            server: server.clone(),
            failed: failed.clone(),
        };
        if let Some(tls) = &self.tls {
            tls.take_asked();
        }
        let transport = {
            let (host, cutter) = (host.clone(), cutter.clone());
            let tls = self.tls.as_ref().map(|tls| tls.connector.clone());
            let server_name = self.parameters.server_name_indication.clone();
            let (server, activity) = (server.clone(), activity.clone());
            let (joined, limits) = (junction.clone(), self.limits);
            async move |_: AMQPUri, _| {
                let open = async {
                    let stream = cutter.open(&host, deadline)?;
                    let stream = AsyncTcpStream::Plain(async_io::Async::new(stream)?);
                    let Some(tls) = &tls else {
                        return Ok(stream);
                    };
                    let name = server_name.as_deref().unwrap_or(&host.name);
                    Ok(stream.into_rustls(tls, name).await?)
                };
                let opened: lapin::Result<_> = open.await;
                if let Err(error) = &opened {
                    // Channel for one message; a second attempt's has no receiver.
                    let _ = failed.try_send(error.clone());
                }
                let junction = Junction::new(opened?, activity.clone(), limits);
                // Set only here, and only once.
                let _ = joined.set(junction.clone());
                Ok(AsyncTcpStream::Plain(Greeted::new(junction, server.clone())))
            }
        };
        let connecting = Connection::connector(
            self.uri(host),
            greeting::runtime(),
            transport,
            self.properties().with_auth_provider(login),
        );
        let mut connecting = std::pin::pin!(connecting);
        // lapin drops the error of a transport that fails before it has requested the protocol
        // header, and then hangs; so the error takes another path too.
        let forgotten = async {
            match failure.recv_async().await {
                Ok(error) => {
                    runtime::sleep(FORGOTTEN).await;
                    Err(error)
                }
                Err(_) => std::future::pending().await,
            }
        };
        let connected = async { runtime::first(&mut connecting, forgotten).await };
        match runtime::timeout(limit, connected).await {
            Some(Ok(connection)) => {
                let server = server.get().cloned();
                let Some(junction) = junction.get().cloned() else {
                    return Err(Attempt::Error(AmqpError::unanswered()));
                };
                let session = Session::new(connection, host.to_string(), server, junction, cutter);
                Ok((session, activity))
            }
            Some(Err(error)) => {
                cutter.cut();
                Err(self.failed(&error))
            }
            None => {
                cutter.cut();
                // lapin's thread now sees the end of the stream; waiting for it keeps a thousand
                // attempts from leaking a thousand threads.
                let _ = runtime::timeout(Duration::from_secs(1), connecting).await;
                let why = format!("no answer within {} ms", limit.as_millis());
                Err(Attempt::Error(AmqpError::lost(why)))
            }
        }
    }

    fn failed(&self, error: &lapin::Error) -> Attempt {
        let (shown, asked) = match &self.tls {
            Some(tls) => (tls.shows, tls.take_asked()),
            None => (false, false),
        };
        if let Some(failure) = tls_error::read(error, Inside::Amqp { shown, asked }) {
            return Attempt::Lasting(failure);
        }
        match error.kind() {
            // Our own error: nothing was sent.
            ErrorKind::AuthProviderError(why) => {
                Attempt::Lasting(Failure::new(Exit::NoPerm, why.clone()))
            }
            _ => Attempt::Error(AmqpError::from(error)),
        }
    }

    fn uri(&self, host: &Host) -> AMQPUri {
        AMQPUri {
            scheme: if self.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                // From our own Login.
                userinfo: AMQPUserInfo { username: String::new(), password: String::new() },
                host: host.name.clone(),
                port: host.port,
            },
            vhost: self.vhost.clone(),
            query: AMQPQueryString {
                frame_max: Some(FRAME_MAX),
                channel_max: self.channels,
                heartbeat: Some(self.parameters.heartbeat.unwrap_or(HEARTBEAT)),
                connection_timeout: None,
                auth_mechanism: None,
            },
        }
    }

    /// The name of this connection in the broker's tools.
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
