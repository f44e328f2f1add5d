//! Between two connections: waiting until what was written is read, and connecting again.

use crate::queue::source::Source;
use crate::receiver::lasting::Receiver;
use crate::stops::Stop;
use rmq_common::amqp_error::{Loss, Lost};
use rmq_common::runtime::{self, first};
use rmq_common::session::Session;
use std::time::{Duration, Instant};

impl Receiver {
    /// Reports why a connection is lost.
    pub(super) fn report_lost(&mut self, host: &str, why: &Lost) {
        if why.why != Loss::AcknowledgementTimeout {
            return self.broker.report_lost(host, why, false);
        }
        // Up to RabbitMQ 4.2; from 4.3 on the broker cancels the consumer.
        self.diagnostics.notice(&format!(
            "the broker requeued what was unacknowledged for too long; consuming again once \
             standard output has been read ({host}: {why})"
        ));
        self.broker.loss_was_reported();
    }

    /// Connects again, once what was written is read: before that, there is no use in taking more,
    /// and some of it would be the same messages.
    pub(super) async fn reconnect(&mut self) -> Result<Session, Stop> {
        let stops = self.stops.clone();
        let begun = Instant::now();
        first(async { Err(stops.next().await) }, self.sink.emptied()).await?;
        self.earlier.reader_paused(begun.elapsed());
        let Receiver { broker, stops, earlier, .. } = self;
        let connect = async { broker.connect(earlier.patience()).await.map_err(Stop::Failed) };
        let stop = async { Err(stops.next().await) };
        let session = first(stop, connect).await?;
        self.earlier.reconnected();
        Ok(session)
    }

    /// There is a consumer on a connection. If it is another connection, it serves only now; a
    /// queue without a leader can delay that.
    pub(super) fn consumes(&mut self, host: &str) {
        if !self.earlier.consumes() {
            return;
        }
        let is_reported = self.broker.report_connected(host);
        if is_reported && let Source::Tap { exchange, .. } = &self.settings.source {
            let text = format!("messages of {exchange} may have been missed meanwhile");
            self.diagnostics.notice(&text);
        }
    }

    pub(super) async fn pause(&mut self, pause: Duration) -> Option<Stop> {
        let time = async {
            runtime::sleep(pause).await;
            None
        };
        first(async { Some(self.stops.next().await) }, time).await
    }
}
