//! Queues, exchanges and bindings as the broker itself knows them.

use crate::vhost::Vhost;

impl Vhost<'_> {
    /// The arguments of a queue as Erlang terms, as in `{<<"x-max-length">>,long,5}`, with
    /// `durable` and `auto_delete` if they are set; `None` if there is no such queue.
    pub fn arguments(&self, queue: &str) -> Option<String> {
        let text = self.cluster.erlang(&format!(
            "case rabbit_amqqueue:lookup({}) of {{ok, Q}} -> io_lib:format(\"~0p~s~s\", \
             [lists:sort(amqqueue:get_arguments(Q)), [\" durable\" || amqqueue:is_durable(Q)], \
             [\" auto_delete\" || amqqueue:is_auto_delete(Q)]]); _ -> \"none\" end",
            self.name_of("queue", queue)
        ));
        (text != "none").then_some(text)
    }

    /// On how many nodes a quorum queue has members.
    pub fn members(&self, queue: &str) -> usize {
        let text = self.cluster.erlang(&format!(
            "begin {{ok, Q}} = rabbit_amqqueue:lookup({}), \
             Nodes = maps:get(nodes, amqqueue:get_type_state(Q)), integer_to_list(if \
             is_map(Nodes) -> map_size(Nodes); true -> length(Nodes) end) end",
            self.name_of("queue", queue)
        ));
        text.parse().expect("a number")
    }

    /// An exchange's type, and its arguments as Erlang terms; `None` if it does not exist.
    pub fn exchange(&self, exchange: &str) -> Option<String> {
        let text = self.cluster.erlang(&format!(
            "case rabbit_exchange:lookup({}) of {{ok, X}} -> io_lib:format(\"~s ~0p\", \
             [element(3, X), element(7, X)]); _ -> \"none\" end",
            self.name_of("exchange", exchange)
        ));
        (text != "none").then_some(text)
    }

    /// The bindings of a queue except the default exchange's, sorted: exchange, routing key,
    /// arguments.
    pub fn bindings(&self, queue: &str) -> Vec<String> {
        let text = self.cluster.erlang(&format!(
            "lists:join($\\n, lists:sort([lists:flatten(io_lib:format(\"~s ~s ~0p\", \
             [element(4, element(2, B)), element(3, B), element(5, B)])) || B <- \
             rabbit_binding:list_for_destination({}), element(4, element(2, B)) =/= <<>>]))",
            self.name_of("queue", queue)
        ));
        text.lines().map(str::to_owned).collect()
    }

    fn name_of(&self, kind: &str, name: &str) -> String {
        // As UTF-8 bytes, which can represent any name.
        let bytes: Vec<String> = name.bytes().map(|byte| byte.to_string()).collect();
        format!("rabbit_misc:r(<<\"{}\">>, {kind}, <<{}>>)", self.name, bytes.join(","))
    }
}
