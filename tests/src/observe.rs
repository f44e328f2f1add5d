//! The state of the broker, queried inside it: no stale listing, and none of our own tools.

use crate::vhost::Vhost;
use crate::wait::{wait_equal, wait_for};
use std::time::Duration;

/// How long the broker may take to show a change.
const SETTLES: Duration = Duration::from_secs(20);

/// The content of a queue at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Messages ready to be delivered.
    pub ready: usize,
    /// Messages delivered and not acknowledged.
    pub unacked: usize,
    /// Its consumers.
    pub consumers: usize,
}

impl Held {
    /// This many messages ready, none unacknowledged, no consumer.
    pub fn ready(ready: usize) -> Self {
        Held { ready, ..Held::default() }
    }

    /// Messages in the queue, ready or unacknowledged.
    pub fn messages(&self) -> usize {
        self.ready + self.unacked
    }
}

impl Vhost<'_> {
    /// The content of a quorum queue, from its leader; `None` while there is no leader or queue.
    pub fn try_held(&self, queue: &str) -> Option<Held> {
        let find = self.find(queue);
        let expression = format!(
            "begin {find} {{ok, {{_, O}}, _}} = ra:local_query(Leader, fun rabbit_fifo:overview/1), \
             io_lib:format(\"~w ~w ~w\", [maps:get(K, O) || K <- [num_ready_messages, \
             num_checked_out, num_consumers]]) end"
        );
        let text = self.ask(&expression)?;
        let numbers: Vec<usize> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [ready, unacked, consumers] = numbers[..] else { return None };
        Some(Held { ready, unacked, consumers })
    }

    /// The content of a quorum queue.
    ///
    /// # Panics
    /// When it cannot be determined.
    #[track_caller]
    pub fn held(&self, queue: &str) -> Held {
        wait_for(SETTLES, &format!("a leader of {queue}"), || self.try_held(queue))
    }

    /// Waits until a quorum queue has exactly this content.
    ///
    /// # Panics
    /// When it does not in time.
    #[track_caller]
    pub fn wait_held(&self, queue: &str, wanted: Held) {
        wait_equal(SETTLES, &Some(wanted), || self.try_held(queue));
    }

    /// The number of the node that leads a quorum queue.
    ///
    /// # Panics
    /// When it has no leader.
    pub fn leader(&self, queue: &str) -> usize {
        let find = self.find(queue);
        let name = self.ask(&format!("begin {find} atom_to_list(element(2, Leader)) end"));
        let name = name.unwrap_or_else(|| panic!("{queue} has no leader"));
        let nodes = 1..=self.cluster.nodes();
        nodes
            .into_iter()
            .find(|node| self.cluster.variable(&format!("RMQ_NODE{node}_NAME")) == name)
            .unwrap_or_else(|| panic!("no node is called {name}"))
    }

    /// Deletes a queue, as another client might.
    pub fn delete(&self, queue: &str) {
        let resource = self.resource("queue", queue);
        self.cluster.erlang(&format!(
            "begin {{ok, Q}} = rabbit_amqqueue:lookup({resource}), \
             {{ok, _}} = rabbit_amqqueue:delete(Q, false, false, <<\"tests\">>), \"\" end"
        ));
    }

    /// The names that clients gave their connections to this vhost on node 1.
    pub fn connection_names(&self) -> Vec<String> {
        let name = &self.name;
        let names = self.cluster.erlang(&format!(
            "lists:join($\\n, [N || C <- rabbit_networking:connection_info_all([vhost, \
             client_properties]), proplists:get_value(vhost, C) == <<\"{name}\">>, \
             {{<<\"connection_name\">>, longstr, N}} <- \
             proplists:get_value(client_properties, C)])"
        ));
        names.lines().map(str::to_owned).collect()
    }

    /// Waits until no client is connected to this vhost.
    ///
    /// # Panics
    /// When a client still is, after a while.
    #[track_caller]
    pub fn wait_no_connections(&self) {
        wait_equal(SETTLES, &Vec::<String>::new(), || self.connection_names());
    }

    /// Asks any node that answers: it finds the queue's leader.
    fn ask(&self, expression: &str) -> Option<String> {
        (1..=self.cluster.nodes()).find_map(|node| self.cluster.try_erlang(node, expression).ok())
    }

    fn find(&self, queue: &str) -> String {
        let resource = self.resource("queue", queue);
        // The queue's own record may still name a dead leader.
        format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup({resource}), Pid = amqqueue:get_pid(Q), \
             Leader = case ra_leaderboard:lookup_leader(element(1, Pid)) of undefined -> Pid; \
             L -> L end,"
        )
    }
}
