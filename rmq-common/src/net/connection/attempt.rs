//! One attempt to connect to one host.
//!
//! One deadline covers TCP, TLS and the AMQP handshake; after it the socket is shut.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::net::amqp_error::AmqpError;
use crate::net::authority::Host;
use crate::net::connection::{Broker, HEARTBEAT};
use crate::net::greeting::{self, Greeted};
use crate::net::identity::Proof;
use crate::net::lane::{FRAME_MAX, Junction};
use crate::net::login::Login;
use crate::net::losses::Activity;
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
/// How long lapin may take to pass on a transport's error.
const FORGOTTEN: Duration = Duration::from_millis(200);

/// How an attempt at one host fails.
pub(super) enum Attempt {
    Error(AmqpError),
    /// It will fail again: a certificate that is not accepted, on either side, or only one side
    /// uses TLS.
    Lasting(Failure),
}

impl Broker {
    /// An attempt within the connection timeout.
    pub(super) async fn attempt_with(
        &self,
        host: &Host,
        proof: &Proof,
    ) -> Result<(Session, Arc<Activity>), Attempt> {
        let tls = proof.tls.as_ref();
        let limit = self.parameters.connection_timeout.unwrap_or(CONNECTION_TIMEOUT);
        let deadline = Instant::now() + limit;
        let cutter = Cutter::default();
        let server = Arc::new(OnceLock::new());
        let activity = Arc::new(Activity::default());
        let junction = Arc::new(OnceLock::new());
        let (failed, failure) = flume::bounded(1);
        let login = Login {
            user: self.user().to_owned(),
            password: proof.password.clone(),
            token: self.identity.token(proof),
            external: self.parameters.external,
            server: server.clone(),
            failed: failed.clone(),
        };
        if let Some(tls) = tls {
            tls.take_asked();
        }
        let transport = {
            let (host, cutter) = (host.clone(), cutter.clone());
            let tls = tls.map(|tls| tls.connector.clone());
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
                let session = Session::new(
                    connection,
                    host.to_string(),
                    server,
                    junction,
                    cutter,
                    self.diagnostics,
                    self.reports.outage(),
                );
                self.tell(&session, tls);
                Ok((session, activity))
            }
            Some(Err(error)) => {
                cutter.cut();
                Err(attempt_failed(tls, &error))
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

    /// With `--verbose`, describes the connection.
    fn tell(&self, session: &Session, tls: Option<&Tls>) {
        if !self.diagnostics.verbose() {
            return;
        }
        let external = self.parameters.external;
        let user = if external { "the client certificate's" } else { self.user() };
        let (host, vhost, heartbeat) = (session.host(), &self.vhost, session.heartbeat());
        let server = session.server().cloned().unwrap_or_default();
        let tls = tls.map_or_else(|| "no TLS".to_owned(), |tls| tls.seen.shown());
        self.diagnostics.trace(&format!(
            "{host}: user {user}, vhost {vhost}, {} {}, heartbeat {heartbeat} s, {tls}",
            server.product, server.version
        ));
    }

    fn uri(&self, host: &Host) -> AMQPUri {
        AMQPUri {
            scheme: if self.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
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

fn attempt_failed(tls: Option<&Tls>, error: &lapin::Error) -> Attempt {
    let (shown, asked) = match tls {
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
