//! Connects to the broker; nothing else does.
//!
//! lapin's own connect and its auto-recovery are never used: the first ignores deadlines, the
//! second hides which messages must be sent again.

mod attempt;
mod reports;

use crate::cli::diagnostics::Diagnostics;
use crate::cli::duration::Limit;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::password::Now;
use crate::cli::service_manager;
use crate::net::amqp_error::{AmqpError, Loss, Lost, Missing, Refusal, Refused};
use crate::net::authority::Host;
use crate::net::broker_url::Parameters;
use crate::net::connection::attempt::Attempt;
use crate::net::connection::reports::Reports;
use crate::net::identity::{Credentials, Identity};
use crate::net::lane::Limits;
use crate::net::losses::{self, Activity, Losses};
use crate::net::retry::{Backoff, Patience};
use crate::net::runtime;
use crate::net::session::Session;
use crate::net::tls_files::TlsFiles;
use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;

/// Seconds between heartbeats, unless the URL says otherwise; RabbitMQ's guide recommends 5 to 20
/// (<https://www.rabbitmq.com/docs/heartbeats>).
const HEARTBEAT: u16 = 10;

/// A broker or the nodes of a cluster, and the login.
pub struct Broker {
    hosts: Vec<Host>,
    /// The host to try first: after a lost connection, the next one.
    first: usize,
    vhost: String,
    identity: Identity,
    parameters: Parameters,
    tls: bool,
    /// The traffic of the current or last connection.
    activity: Arc<Activity>,
    losses: Losses,
    reports: Reports,
    diagnostics: Diagnostics,
    limits: Limits,
    /// The number of channels per connection, if the broker has refused more.
    channels: Option<u16>,
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
        let files = if tls { Some(TlsFiles::new(&parameters, diagnostics)?) } else { None };
        if tls && parameters.verify == Some(false) {
            diagnostics.notice("verify=verify_none: the broker's certificate is not checked");
        }
        let identity = Identity::new(credentials, parameters.external, files, diagnostics);
        Ok(Broker {
            hosts,
            first: 0,
            vhost,
            identity,
            parameters,
            tls,
            activity: Arc::default(),
            losses: Losses::default(),
            reports: Reports::new(diagnostics),
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
        self.identity.user()
    }

    /// The message for the lost connection to `host`, with its reason `why`; if the last one was
    /// lost in the same way, also what may help. If it is `known` that an answer is awaited, that none
    /// comes is shown by `--verbose` alone.
    pub fn report_lost(&mut self, host: &str, why: &Lost, known: bool) {
        self.learn(why);
        let heartbeat = self.parameters.heartbeat.unwrap_or(HEARTBEAT);
        let idle = self.losses.lost(&self.activity);
        let hint = idle.and_then(|idle| losses::hint(idle, heartbeat));
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        service_manager::status(&format!("lost the connection to {host}: {why}"));
        self.reports.lost(host, why, &hint, known);
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
        self.reports.begin();
        // The last error of each host.
        let mut known: Vec<String> = Vec::new();
        loop {
            // Set while every host has failed permanently.
            let mut lasting = Some(Exit::Software);
            for turn in 0..self.hosts.len() {
                let index = (self.first + turn) % self.hosts.len();
                let host = self.hosts[index].clone();
                // Each is tried once, even if the time is up.
                if known.len() == self.hosts.len() && patience.is_over() {
                    lasting = None;
                    break;
                }
                let why = match self.patiently(&host, &known, patience.limit()).await {
                    Ok((session, activity)) => {
                        self.activity = activity;
                        // A reconnect begins with the next host.
                        self.first = (index + 1) % self.hosts.len();
                        self.reports.connected(session.host());
                        return Ok(session);
                    }
                    Err(Attempt::Error(AmqpError::Refused(refused))) => {
                        return Err(self.refused(&host, refused));
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
            service_manager::status(&problems);
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
            self.reports.failed(&problems, patience.limit());
            let mut pause = backoff.next_pause();
            if let Some(left) = self.reports.left() {
                // So that a long wait is reported.
                pause = pause.min(left);
            }
            runtime::sleep(patience.left().map_or(pause, |left| left.min(pause))).await;
        }
    }

    /// Tries a host, and reports the wait for it once it is long.
    async fn patiently(
        &mut self,
        host: &Host,
        known: &[String],
        limit: Limit,
    ) -> Result<(Session, Arc<Activity>), Attempt> {
        let text = if known.len() == self.hosts.len() {
            self.reports.sentence(&known.join("; "), "trying again", limit)
        } else {
            let silent = format!("connect to {host}: no answer yet");
            let problems = [known, &[silent]].concat().join("; ");
            self.reports.sentence(&problems, "waiting", limit)
        };
        let (due, diagnostics, is_long) = (self.reports.due(), self.diagnostics, Cell::new(false));
        let notice = async {
            runtime::sleep_until(due).await;
            diagnostics.notice(&text);
            is_long.set(true);
            pending().await
        };
        let attempt = Box::pin(self.attempt(host));
        let result = runtime::first(attempt, notice).await;
        if is_long.get() {
            self.reports.was_reported();
        }
        result
    }

    fn refused(&self, host: &Host, refused: Refused) -> Failure {
        // With EXTERNAL the certificate identifies us, and the URL's user is meaningless.
        let external = self.parameters.external;
        let user = if external { "the client certificate's user" } else { self.user() };
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

    /// One attempt at one host; a second one at once, if the broker refuses what proves our
    /// identity, and its file has been replaced meanwhile.
    async fn attempt(&mut self, host: &Host) -> Result<(Session, Arc<Activity>), Attempt> {
        let mut is_second = false;
        loop {
            // A file may be about to be written.
            let waiting = |why: String| Attempt::Error(AmqpError::lost(why));
            let proof = self.identity.for_login();
            let proof = proof.map_err(|failure| waiting(failure.to_string()))?;
            let result = Box::pin(self.attempt_with(host, &proof)).await;
            let now = match &result {
                Ok(_) => {
                    self.identity.accepted();
                    Now::Same
                }
                Err(Attempt::Error(AmqpError::Refused(refused)))
                    if matches!(refused.what, Refusal::NotPermitted(_)) =>
                {
                    self.identity.refused(&proof)
                }
                Err(Attempt::Lasting(_)) => self.identity.distrusted(),
                Err(Attempt::Error(_)) => Now::Same,
            };
            match (now, result) {
                (Now::Another, Err(_)) if !is_second => is_second = true,
                (Now::Unreadable(failure), Err(Attempt::Error(error))) => {
                    return Err(waiting(format!("{}; {failure}", error.failure())));
                }
                (_, result) => return result,
            }
        }
    }
}
