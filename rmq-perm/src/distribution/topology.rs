//! Exchanges and bindings.
//!
//! Their arguments, whose size any user who may declare or bind chooses, are fetched only if they
//! are listed: for one exchange at a time, and for the bindings of one exchange at a time.

use super::arguments::{atoms, binary, resource_of, text};
use super::broker::{Distribution, each};
use super::table;
use crate::administration::{Binding, Exchange, Text, Topology, Vhosts};
use crate::queues::Room;
use crate::refusal::words;
use crate::term::Term;
use rmq_common::failure::Failure;
use std::collections::BTreeSet;

const EXCHANGES: &str = "rabbit_exchange";
const BINDINGS: &str = "rabbit_binding";

const OF_EXCHANGE: [&str; 5] = ["name", "type", "durable", "auto_delete", "internal"];
const OF_BINDING: [&str; 4] =
    ["source_name", "destination_name", "destination_kind", "routing_key"];

impl Topology for Distribution {
    fn list_exchanges(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Exchange>, Failure> {
        self.require_vhost(vhost)?;
        let asked = vec![text(vhost), atoms(OF_EXCHANGE)];
        let exchanges = each(&self.ask(EXCHANGES, "info_all", asked)?, exchange)?;
        if !arguments {
            return Ok(exchanges);
        }
        let (mut room, mut kept) = (Room::default(), Vec::new());
        let names: Vec<_> = exchanges.iter().map(|it| named(vhost, &it.name)).collect();
        let calls = names.into_iter().map(|name| vec![name]);
        self.ask_all(EXCHANGES, "lookup", calls, &mut |place, answer| {
            let exchange = exchanges.get(place)?;
            // {ok, {exchange, Name, Type, Durable, AutoDelete, Internal, Arguments, ...}}
            let Some([record]) = answer.tagged("ok") else {
                // Deleted meanwhile.
                return words::is_error(answer).then_some(());
            };
            let arguments = room.keep(&table::json(record.tagged("exchange")?.get(5)?));
            kept.push(Exchange { arguments: Some(arguments), ..exchange.clone() });
            Some(())
        })?;
        Ok(kept)
    }

    fn list_bindings(&mut self, vhost: &str, arguments: bool) -> Result<Vec<Binding>, Failure> {
        self.require_vhost(vhost)?;
        let asked = vec![text(vhost), atoms(OF_BINDING)];
        let mut bindings = each(&self.ask(BINDINGS, "info_all", asked)?, binding)?;
        bindings.retain(|binding| !binding.source.is_empty());
        if !arguments {
            return Ok(bindings);
        }
        let (mut room, mut kept) = (Room::default(), Vec::new());
        let sources: BTreeSet<Text> = bindings.into_iter().map(|it| it.source).collect();
        let calls = sources.iter().map(|source| vec![named(vhost, source)]);
        self.ask_all(BINDINGS, "list_for_source", calls, &mut |_, answer| {
            for binding in answer.list()? {
                kept.push(record(binding, &mut room)?);
            }
            Some(())
        })?;
        Ok(kept)
    }
}

/// The resource of an exchange.
fn named(vhost: &str, exchange: &[u8]) -> erl_dist::term::Term {
    resource_of(text(vhost), "exchange", binary(exchange))
}

/// An exchange as a property list.
fn exchange(info: &Term) -> Option<Exchange> {
    let is = |key: &str| info.property(key).is_some_and(|value| value.is_atom("true"));
    Some(Exchange {
        name: name(info.property("name")?)?.1,
        kind: info.property("type")?.text()?,
        durable: is("durable"),
        auto_delete: is("auto_delete"),
        internal: is("internal"),
        arguments: None,
    })
}

/// A binding as a property list.
fn binding(info: &Term) -> Option<Binding> {
    let text = |key: &str| info.property(key)?.text();
    Some(Binding {
        source: text("source_name")?,
        destination: text("destination_name")?,
        kind: text("destination_kind")?,
        key: text("routing_key")?,
        arguments: None,
    })
}

/// `{binding, Source, Key, Destination, Arguments}`
fn record(record: &Term, room: &mut Room) -> Option<Binding> {
    let [source, key, destination, arguments] = record.tagged("binding")? else { return None };
    let ((_, source), (kind, destination)) = (name(source)?, name(destination)?);
    let arguments = Some(room.keep(&table::json(arguments)));
    Some(Binding { source, destination, kind, key: key.text()?, arguments })
}

/// The kind and the name of `{resource, VHost, Kind, Name}`.
fn name(resource: &Term) -> Option<(Text, Text)> {
    match resource.tagged("resource")? {
        [_, kind, name] => Some((kind.text()?, name.text()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::samples::{atom, binary};

    fn resource(kind: &str, name: &str) -> Term {
        Term::Tuple(vec![atom("resource"), binary("/"), atom(kind), binary(name)])
    }

    #[test]
    fn a_binding_is_read_from_its_record_and_from_its_properties() {
        let arguments = vec![Term::Tuple(vec![binary("n"), atom("long"), Term::Integer(5)])];
        let fields = vec![
            atom("binding"),
            resource("exchange", "e"),
            binary("k"),
            resource("queue", "q"),
            Term::List(arguments),
        ];
        let read = record(&Term::Tuple(fields), &mut Room::default()).unwrap();
        assert_eq!(read.arguments.as_deref(), Some(r#"{"n":5}"#));
        let pair = |key, value| Term::Tuple(vec![atom(key), value]);
        let info = Term::List(vec![
            pair("source_name", binary("e")),
            pair("destination_name", binary("q")),
            pair("destination_kind", atom("queue")),
            pair("routing_key", binary("k")),
        ]);
        assert_eq!(binding(&info).unwrap(), Binding { arguments: None, ..read });
    }

    #[test]
    fn an_exchange_is_read_from_its_properties() {
        let pair = |key, value| Term::Tuple(vec![atom(key), value]);
        let info = Term::List(vec![
            pair("name", resource("exchange", "e")),
            pair("type", atom("x-random")),
            pair("durable", atom("true")),
            pair("auto_delete", atom("false")),
            pair("internal", atom("true")),
        ]);
        let read = exchange(&info).unwrap();
        assert_eq!((&*read.name, &*read.kind), (&b"e"[..], &b"x-random"[..]));
        assert_eq!([read.durable, read.auto_delete, read.internal], [true, false, true]);
    }
}
