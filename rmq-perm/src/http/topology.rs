//! Exchanges and bindings.

use super::broker::{Fetched, Http};
use super::json::{each, text};
use super::on_vhost;
use crate::administration::{Binding, Exchange, Topology};
use crate::queues::{Room, left_out};
use crate::unanswered::Effect;
use rmq_common::failure::Failure;
use serde_json::Value;
use std::cell::RefCell;
use ureq::http::Method;

const OF_EXCHANGE: &str = "?disable_stats=true&columns=name,type,durable,auto_delete,internal";
const OF_BINDING: &str = "?columns=source,destination,destination_type,routing_key";

impl Topology for Http {
    fn list_exchanges(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Exchange>, Failure> {
        list(self, ["exchanges", vhost], OF_EXCHANGE, arguments, exchange)
    }

    fn list_bindings(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Binding>, Failure> {
        let mut bindings = list(self, ["bindings", vhost], OF_BINDING, arguments, binding)?;
        bindings.retain(|binding| !binding.source.is_empty());
        Ok(bindings)
    }
}

/// A list of objects on a virtual host; `read` also gets the arguments of each.
fn list<T>(
    broker: &Http,
    [what, vhost]: [&str; 2],
    query: &str,
    arguments: bool,
    read: impl Fn(&Value, Option<String>) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let segments = [what, vhost];
    let mut without = None;
    if arguments {
        let all = format!("{query},arguments");
        match broker.fetch(broker.limit(), &segments, &all)? {
            Fetched::Found(answer) => {
                let room = RefCell::new(Room::default());
                return each(&answer, |one| {
                    let arguments = match &one["arguments"] {
                        // Some releases write an empty table as an empty list.
                        arguments @ Value::Object(_) => room.borrow_mut().keep(arguments),
                        _ => "{}".to_owned(),
                    };
                    read(one, Some(arguments))
                });
            }
            // Any user who may declare or bind chooses their size.
            Fetched::TooLarge => without = Some("they are too large"),
            Fetched::Late => without = Some("the API did not return them within --timeout"),
            // The next answer says why.
            Fetched::Missing => {}
        }
    }
    let answer = broker.send(Effect::Reads, Method::GET, &segments, query, None)?;
    let answer = on_vhost::body(broker, answer)?;
    if let Some(why) = without {
        broker.notice(&format!("the arguments of the {what} are not shown: {why}"));
    }
    each(&answer, |one| read(one, without.map(left_out)))
}

fn exchange(exchange: &Value, arguments: Option<String>) -> Option<Exchange> {
    let is = |key: &str| exchange.get(key)?.as_bool();
    Some(Exchange {
        name: text(exchange, "name")?,
        kind: text(exchange, "type")?,
        durable: is("durable")?,
        auto_delete: is("auto_delete")?,
        internal: is("internal")?,
        arguments,
    })
}

fn binding(binding: &Value, arguments: Option<String>) -> Option<Binding> {
    Some(Binding {
        source: text(binding, "source")?,
        destination: text(binding, "destination")?,
        kind: text(binding, "destination_type")?,
        key: text(binding, "routing_key")?,
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_exchange_and_a_binding_are_read_with_what_they_must_have() {
        let answer = json!({"name": "", "type": "direct", "durable": true, "auto_delete": false,
                            "internal": false});
        let read = exchange(&answer, None).unwrap();
        assert_eq!((&*read.name, &*read.kind, read.durable), (&b""[..], &b"direct"[..], true));
        assert_eq!(exchange(&json!({"name": "e", "type": "topic"}), None), None);
        let answer = json!({"source": "e", "destination": "q", "destination_type": "queue",
                            "routing_key": "k"});
        let read = binding(&answer, Some("{}".to_owned())).unwrap();
        assert_eq!((&*read.kind, read.arguments), (&b"queue"[..], Some("{}".to_owned())));
        assert_eq!(binding(&json!({"source": "e"}), None), None);
    }
}
