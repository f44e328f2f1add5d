//! Reports of connections that are awaited, made and lost: a long wait once, and its end once;
//! repeated losses ever more rarely.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::duration::Limit;
use crate::cli::service_manager;
use crate::net::amqp_error::Lost;
use crate::net::connection::Broker;
use crate::net::outage::Outage;
use crate::standing::repeats::Repeats;
use crate::standing::vigil::LONG;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// This many lost connections are each reported; further ones, with growing pauses.
const LOSSES: u32 = 5;

impl Broker {
    /// A connection is lost, and its user has reported that.
    pub fn loss_was_reported(&mut self) {
        self.reports.loss_was_reported();
    }

    /// Reports that a connection serves again, unless its loss was one of many and left out; whether
    /// it does.
    pub fn report_connected(&mut self, host: &str) -> bool {
        self.reports.serves(host)
    }

    /// Whether the last connection is lost, and that was reported.
    pub fn loss_is_reported(&self) -> bool {
        self.reports.loss_is_reported()
    }

    /// Says, where it reports a wait for the first connection, what becomes of what is not sent.
    pub fn keep(&mut self, kept: String) {
        self.reports.keep(kept);
    }
}

pub(super) struct Reports {
    diagnostics: Diagnostics,
    losses: Repeats,
    outage: Rc<Outage>,
    /// Where unsent messages stay meanwhile.
    kept: Option<String>,
    /// Since when a connection has been awaited.
    since: Instant,
    /// Whether the wait was shown as a detail.
    detailed: bool,
    /// Whether the wait was reported because it takes long.
    reported: bool,
    /// The last loss was reported, and that there is another connection was not.
    loss_reported: bool,
}

impl Reports {
    pub(super) fn new(diagnostics: Diagnostics) -> Self {
        Reports {
            diagnostics,
            losses: Repeats::new(LOSSES),
            outage: Rc::default(),
            kept: None,
            since: Instant::now(),
            detailed: false,
            reported: false,
            loss_reported: false,
        }
    }

    pub(super) fn outage(&self) -> Rc<Outage> {
        Rc::clone(&self.outage)
    }

    pub(super) fn keep(&mut self, kept: String) {
        self.kept = Some(kept);
    }

    /// A connection is lost, for a reason that is not news if none has served since the last, or if it
    /// is `known` that an answer is awaited, and none comes.
    pub(super) fn lost(&mut self, host: &str, why: &Lost, hint: &str, known: bool) {
        let text = format!("lost the connection to {host}: {why}{hint}");
        let is_known = why.is_silence() && (known || self.outage.is_slow());
        if !self.outage.lose() || is_known {
            self.diagnostics.trace(&text);
            return;
        }
        let unreported = self.losses.another(Instant::now());
        self.loss_reported = unreported.is_some();
        match unreported {
            None => self.diagnostics.trace(&text),
            Some(0) => self.diagnostics.notice(&text),
            Some(more) => {
                let text = format!("{text}; {more} more since the last such line");
                self.diagnostics.notice(&text);
            }
        }
    }

    /// A connection is lost, and that is reported.
    pub(super) fn loss_was_reported(&mut self) {
        self.outage.lose();
        self.loss_reported = true;
    }

    /// Whether the last connection is lost, and that was reported.
    pub(super) fn loss_is_reported(&self) -> bool {
        self.outage.is_lost() && self.loss_reported
    }

    /// A connection is awaited from now on.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
        (self.detailed, self.reported) = (false, false);
    }

    /// When the wait has to be reported; `None` where something says so already. After a loss that was
    /// one of many and left out, not before another one would be reported.
    pub(super) fn due(&self) -> Option<Instant> {
        let is_known = self.loss_is_reported();
        let was_seen = self.detailed && self.diagnostics.tells_details();
        let is_due = !is_known && !was_seen && !self.reported;
        let long = is_due.then(|| self.since.checked_add(LONG)).flatten()?;
        let of_losses = self.losses.until().filter(|_| self.outage.is_lost());
        Some(of_losses.map_or(long, |until| until.max(long)))
    }

    /// How long until the report is due, if one is.
    pub(super) fn left(&self) -> Option<Duration> {
        self.due().map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// The sentence about a wait for these reasons.
    pub(super) fn sentence(&self, problems: &str, doing: &str, limit: Limit) -> String {
        let limit = match limit {
            // With "forever", another limit may still end it, so none is shown.
            Limit::Forever => String::new(),
            limit => format!(", --retry {limit}"),
        };
        let kept = self.kept.as_ref().map(|kept| format!("; {kept}")).unwrap_or_default();
        format!("{problems}; {doing}{limit}{kept}")
    }

    /// Notes that the wait was reported while a host was being tried.
    pub(super) fn was_reported(&mut self) {
        self.reported = true;
    }

    /// All hosts have failed for now.
    pub(super) fn failed(&mut self, problems: &str, limit: Limit) {
        let is_long = self.left().is_some_and(|left| left.is_zero());
        if self.detailed && !is_long || self.reported {
            return;
        }
        let text = self.sentence(problems, "trying again", limit);
        if is_long {
            self.diagnostics.notice(&text);
            self.reported = true;
        } else {
            self.diagnostics.detail(&text);
            self.detailed = true;
        }
    }

    /// There is a connection; if the wait was reported, so is its end, unless it must serve first.
    pub(super) fn connected(&mut self, host: &str) {
        service_manager::status(&format!("connected to {host}"));
        if !self.outage.is_lost() {
            let text = format!("connected to {host}");
            if std::mem::take(&mut self.reported) {
                self.diagnostics.notice(&text);
            } else if std::mem::take(&mut self.detailed) {
                self.diagnostics.detail(&text);
            }
        }
    }

    /// A connection serves again, which is reported if its loss or the wait was; whether it is.
    pub(super) fn serves(&mut self, host: &str) -> bool {
        let text = format!("connected to {host}");
        let was_reported = [&mut self.reported, &mut self.loss_reported].map(std::mem::take);
        let is_news = self.outage.end() || was_reported.contains(&true);
        if is_news {
            self.diagnostics.notice(&text);
        } else {
            self.diagnostics.trace(&text);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::amqp_error::AmqpError;

    fn reports() -> Reports {
        Reports::new(Diagnostics::new("rmq-send", true, false))
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(LONG * 2).unwrap()
    }

    #[test]
    fn a_first_wait_is_due_once_it_is_long_and_not_again() {
        let mut reports = reports();
        reports.begin();
        assert!(reports.left().is_some_and(|left| !left.is_zero()));
        reports.failed("a", Limit::Forever);
        reports.since = long_ago();
        assert_eq!(reports.left(), Some(Duration::ZERO));
        reports.failed("a", Limit::Forever);
        assert_eq!(reports.due(), None);
        reports.connected("a");
        assert!(!reports.reported);
    }

    #[test]
    fn a_wait_after_a_loss_is_due_only_if_the_loss_was_one_of_many_and_left_out() {
        let mut reports = reports();
        reports.begin();
        reports.connected("a");
        for _ in 0..LOSSES {
            reports.lost("a", &Lost::unexplained(), "", false);
            reports.begin();
            assert_eq!(reports.due(), None);
            reports.serves("a");
        }
        reports.lost("a", &Lost::unexplained(), "", false);
        reports.begin();
        assert_eq!(reports.due(), reports.losses.until());
    }

    #[test]
    fn a_loss_that_is_what_the_wait_was_for_is_no_news_but_a_wait_for_another_connection_is() {
        let unanswered = AmqpError::unanswered().into_lost();
        let mut reports = reports();
        for known in [true, false] {
            assert!(known || reports.outage.slow());
            reports.lost("a", &unanswered, "", known);
            assert!(!reports.loss_reported);
            // Another question is not news either.
            assert!(!reports.outage.slow());
            reports.begin();
            assert!(reports.due().is_some());
            reports.serves("a");
        }
        assert!(reports.outage.slow());
        reports.lost("a", &Lost::because("shutdown"), "", false);
        assert!(reports.loss_reported);
    }

    #[test]
    fn a_sentence_says_what_becomes_of_what_is_not_sent() {
        let mut reports = reports();
        let limit = Limit::For(Duration::from_secs(30));
        assert_eq!(reports.sentence("a", "trying again", limit), "a; trying again, --retry 30s");
        reports.keep("records are kept".to_owned());
        let text = reports.sentence("a", "trying again", Limit::Forever);
        assert_eq!(text, "a; trying again; records are kept");
    }
}
