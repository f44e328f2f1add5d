//! Requests over HTTP: one at a time, on one connection that is kept.
//!
//! No request is ever sent a second time, neither by ureq nor here: one that was not answered may
//! have been carried out. The exception is a request that was not carried out because its password
//! was refused, if the password file contains another one by then.

use super::answer::Answer;
use super::bounded::{self, Unfit};
use super::no_answer::NoAnswer;
use super::options::Options;
use super::refusal;
use crate::options::PROGRAM;
use crate::unanswered::Unanswered;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::password::{Now, Password};
use rmq_common::secret::Secret;
use rmq_common::tls;
use serde_json::Value;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, InvalidHeaderValue, LOCATION};
use ureq::http::{Method, Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};

/// A larger answer is refused: this holds about 200,000 queues with all that we ask about each.
const LARGEST: u64 = 64 << 20;
/// The same of the first answer, when the server is still unknown, and of a refusal,
const LARGEST_UNKNOWN: u64 = 64 << 10;
/// which may also repeat each byte of the request as a number with a comma, twice.
const REPEATED: u64 = 8;

/// The header with the reason that the client of a closed connection receives.
const REASON: &str = "X-Reason";

/// What is sent in a request.
struct Sent<'a> {
    method: Method,
    path: &'a str,
    body: Option<&'a Value>,
    reason: Option<&'a str>,
}

#[derive(Debug)]
pub struct Client {
    config: Config,
    /// Owns the connection.
    agent: RefCell<Agent>,
    base: String,
    user: String,
    /// Read again for each request.
    password: Password,
    limit: Duration,
    diagnostics: Diagnostics,
}

impl Client {
    /// # Errors
    /// The certificates to trust cannot be read (78), or are given without TLS (64).
    pub fn new(options: &Options, diagnostics: Diagnostics) -> Result<Self, Failure> {
        let Options { user, password, timeout: limit, .. } = options.clone();
        let config = Agent::config_builder()
            // The body of a refusal is needed; the target of a redirection is not trusted.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The password is sent only to the given host.
            .proxy(None)
            .user_agent(format!("{PROGRAM}/{}", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(options.timeout))
            // RabbitMQ closes an idle connection after 60 s.
            .max_idle_age(Duration::from_secs(15));
        if let Some(path) = &options.cacert {
            diagnostics.trace(&format!("reading the certificates {path}"));
        }
        let config = if options.url.tls { config.tls_config(encrypted(options)?) } else { config };
        let base = format!("{}/api", options.url);
        let config = config.build();
        let agent = RefCell::new(config.new_agent());
        Ok(Client { config, agent, base, user, password, limit, diagnostics })
    }

    /// Another client, with its own connection.
    pub fn another(&self) -> Self {
        Client {
            config: self.config.clone(),
            agent: RefCell::new(self.config.new_agent()),
            base: self.base.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            limit: self.limit,
            diagnostics: self.diagnostics,
        }
    }

    /// Another client, which asks as another user.
    pub fn of_user(&self, user: &str, password: &Secret) -> Self {
        let password = Password::known(password.clone());
        Client { user: user.to_owned(), password, ..self.another() }
    }

    /// Sends the first request, whose answer is small.
    pub fn ask_first(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(
            &Sent { method: Method::GET, path, body: None, reason: None },
            self.limit,
            LARGEST_UNKNOWN,
        )
    }

    /// Asks the broker to close a client's connection; the client is given `reason`.
    pub fn close(&self, path: &str, reason: &str) -> Result<Answer, NoAnswer> {
        let sent = Sent { method: Method::DELETE, path, body: None, reason: Some(reason) };
        self.send(&sent, self.limit, LARGEST)
    }

    /// Sends a request, with a JSON body if there is one, and reads the answer.
    ///
    /// # Errors
    /// There is no answer, or an unexpected one.
    pub fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        self.ask_within(self.limit, method, path, body)
    }

    /// The same, with another time limit.
    pub fn ask_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        self.send(&Sent { method, path, body, reason: None }, limit, LARGEST)
    }

    fn send(&self, sent: &Sent<'_>, limit: Duration, largest: u64) -> Result<Answer, NoAnswer> {
        let log_in = || self.password.for_login(self.diagnostics).map_err(NoAnswer::unsent);
        let password = log_in()?;
        let answer = self.send_as(&password, sent, limit, largest)?;
        if answer.status == 401 && self.password.refused(&password) == Now::Another {
            return self.send_as(&log_in()?, sent, limit, largest);
        }
        Ok(answer)
    }

    fn send_as(
        &self,
        password: &Secret,
        sent: &Sent<'_>,
        limit: Duration,
        largest: u64,
    ) -> Result<Answer, NoAnswer> {
        let Sent { method, path, body, reason } = sent;
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.authorization(password)?);
        if let Some(reason) = reason {
            request = request.header(REASON, reason.as_bytes());
        }
        let mut agent = self.agent.borrow_mut();
        let mut sent = 0;
        let answer = match body {
            None => request.body(()).map(|it| agent.run(timed(&agent, it, limit))),
            Some(body) => {
                let body = body.to_string();
                sent = u64::try_from(body.len()).unwrap_or(u64::MAX);
                request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body)
                    .map(|it| agent.run(timed(&agent, it, limit)))
            }
        };
        let answer = answer.map_err(ureq::Error::from).and_then(|answer| answer);
        let largest_refusal = sent.saturating_mul(REPEATED).saturating_add(LARGEST_UNKNOWN);
        let answer = read(answer.map_err(NoAnswer::from)?, largest, largest_refusal.min(LARGEST))?;
        let was_read = refusal::invalid_pattern(&answer).is_some();
        if body.is_some() && answer.status >= 400 && !was_read {
            // RabbitMQ's server may have refused it before the body arrived, and then reads no
            // further request on that connection (measured on 3.10 and 4.0: one in two).
            *agent = self.config.new_agent();
        }
        Ok(answer)
    }

    fn authorization(&self, password: &Secret) -> Result<HeaderValue, NoAnswer> {
        let credentials = STANDARD.encode(format!("{}:{}", self.user, password.reveal()));
        let authorization = HeaderValue::try_from(format!("Basic {credentials}"));
        let mut authorization = authorization.map_err(unsendable)?;
        authorization.set_sensitive(true);
        Ok(authorization)
    }
}

fn unsendable(_: InvalidHeaderValue) -> NoAnswer {
    NoAnswer::unsent(Failure::usage("the user or the password cannot be sent over HTTP"))
}

fn encrypted(options: &Options) -> Result<TlsConfig, Failure> {
    let trusted = tls::trusted(options.cacert.as_deref())?;
    let certificates: Vec<_> =
        trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}

/// The request with its own time limit, from the first byte sent to the last one read.
fn timed<T: AsSendBody>(agent: &Agent, request: Request<T>, limit: Duration) -> Request<T> {
    agent.configure_request(request).timeout_global(Some(limit)).build()
}

fn read(
    mut answer: Response<Body>,
    largest: u64,
    largest_refusal: u64,
) -> Result<Answer, NoAnswer> {
    let is_good = answer.status().is_success();
    let largest = if is_good { largest } else { largest_refusal };
    let bytes = answer.body_mut().with_config().limit(largest).read_to_vec();
    let bytes = bytes.map_err(NoAnswer::from)?;
    let body = match bounded::parse(&bytes) {
        Ok(body) => body,
        Err(_) if bytes.is_empty() || !is_good => Value::Null,
        Err(Unfit::TooLarge) => return Err(NoAnswer::Sent(Unanswered::TooLarge)),
        Err(Unfit::NotJson) => {
            return Err(NoAnswer::broken("a body that is not JSON"));
        }
    };
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    Ok(Answer { status: answer.status().as_u16(), body, location: location.map(str::to_owned) })
}

#[cfg(test)]
mod tests;
