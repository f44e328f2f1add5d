use super::*;

fn composer(routing: Routing, content: Content) -> Composer {
    Composer {
        routing,
        content,
        properties: Properties::default(),
        drops: true,
        source_header: None,
    }
}

fn fixed() -> Routing {
    let routing_key = Name::new("jobs").unwrap();
    Routing::Fixed(Arc::new(Route { routing_key, ..Route::default() }))
}

fn composed(composer: &Composer, raw: &[u8]) -> Record {
    composer.compose(1, raw.to_vec().into()).unwrap()
}

fn refused(composer: &Composer, raw: &[u8]) -> String {
    composer.compose(1, raw.to_vec().into()).unwrap_err().to_string()
}

fn route(record: &Record) -> String {
    record.message.as_ref().unwrap().route.shown()
}

#[test]
fn a_key_is_what_stands_before_the_first_separator() {
    let composer = composer(Routing::Record, Content::Keyed(b"::".to_vec()));
    let record = composed(&composer, b"a.b::c::d");
    assert_eq!(route(&record), "a.b");
    assert_eq!(*record.message.unwrap().body, *b"c::d");
    assert_eq!(refused(&composer, b"a:b"), "no separator '::' in it");
    assert_eq!(route(&composed(&composer, b"a\xff::b")), "'a\\xff'");
    let long = [b"k".repeat(256), b"::".to_vec()].concat();
    assert_eq!(refused(&composer, &long), "the routing key has 256 bytes; AMQP allows 255");
}

#[test]
fn without_routed_the_command_line_is_over_the_record() {
    let keyed = Content::Keyed(b":".to_vec());
    assert_eq!(route(&composed(&composer(fixed(), keyed.clone()), b"k:b")), "jobs");
    let logs = Routing::Exchange(Name::new("logs").unwrap());
    let record = composed(&composer(logs.clone(), keyed), b"k:b");
    assert_eq!(route(&record), "exchange logs with key k");
    let json = br#"{"exchange":"x","routing_key":"k","body":"b"}"#;
    let shown = |routing| route(&composed(&composer(routing, Content::Envelope), json));
    assert_eq!(shown(fixed()), "jobs");
    assert_eq!(shown(logs), "exchange logs with key k");
    assert_eq!(shown(Routing::Record), "exchange x with key k");
}

#[test]
fn an_envelope_says_where_it_goes_when_it_has_to() {
    let composer = composer(Routing::Record, Content::Envelope);
    assert_eq!(
        refused(&composer, br#"{"body":"b"}"#),
        "no destination: \"routing_key\" is missing"
    );
    assert_eq!(route(&composed(&composer, br#"{"exchange":"fan","body":"b"}"#)), "exchange fan");
}

#[test]
fn an_id_without_a_body_is_a_delivery_that_was_dropped() {
    let composer = composer(fixed(), Content::Envelope);
    let record = composed(&composer, br#"{"id":"7","type":"left from before"}"#);
    assert_eq!(record.delivery.as_deref(), Some("7"));
    assert!(record.message.is_none());
    let record = composed(&composer, br#"{"id":"7","more":true,"body":"b"}"#);
    assert_eq!(record.delivery, None);
    assert!(record.message.is_some());
    let none = "no \"body\" and no \"body_base64\"";
    assert!(refused(&composer, br#"{"type":"t"}"#).starts_with(none));
    // Only --ack-to gives an id a meaning: an application's record may have one, too.
    let composer = Composer { drops: false, ..composer };
    let refusal = refused(&composer, br#"{"id":"u-1","type":"order"}"#);
    assert!(refusal.starts_with(none) && refusal.ends_with("--format lines)"), "{refusal}");
}

#[test]
fn a_byte_order_mark_before_an_envelope_is_skipped_and_counted() {
    let composer = composer(fixed(), Content::Envelope);
    let record = composed(&composer, b"\xef\xbb\xbf{\"body\":\"b\"}");
    assert_eq!(*record.message.unwrap().body, *b"b");
    assert!(record.raw.starts_with(BOM));
    let refusal = refused(&composer, b"\xef\xbb\xbf{\"priority\":\"b\",\"body\":\"\"}");
    assert!(refusal.starts_with("column 16: \"priority\" takes"), "{refusal}");
}

#[test]
fn an_empty_key_names_no_queue_but_may_be_an_exchanges() {
    let keyed = composer(Routing::Record, Content::Keyed(b":".to_vec()));
    assert_eq!(refused(&keyed, b":b"), "its routing key, which names the queue, is empty");
    let json = composer(Routing::Record, Content::Envelope);
    let empty = br#"{"routing_key":"","body":"b"}"#;
    assert_eq!(refused(&json, empty), "its routing key, which names the queue, is empty");
    let logs = Routing::Exchange(Name::new("logs").unwrap());
    let keyed = composer(logs, Content::Keyed(b":".to_vec()));
    assert_eq!(route(&composed(&keyed, b":b")), "exchange logs");
}

#[test]
fn what_a_requester_consumes_from_takes_no_record() {
    let bare = b"amq.rabbitmq.reply-to:b";
    let keyed = composer(Routing::Record, Content::Keyed(b":".to_vec()));
    assert!(refused(&keyed, bare).contains("it is not a queue"));
    let logs = Routing::Exchange(Name::new("logs").unwrap());
    composed(&composer(logs, Content::Keyed(b":".to_vec())), bare);
    composed(&keyed, b"amq.rabbitmq.reply-to.token:b");
}

#[test]
fn a_source_is_named_in_the_header_asked_for() {
    let composer = composer(fixed(), Content::Body);
    let source_header = Some(Name::new("path").unwrap());
    let composer = Composer { source_header, ..composer };
    let header = |composer: &Composer| {
        let properties = composed(composer, b"line").message.unwrap().properties;
        let names = properties.headers.iter().flat_map(|table| table.fields());
        names.map(|field| field.name.escape_ascii().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(header(&composer.of_source(Some("/var/log/a"))), ["path"]);
    assert!(header(&composer.of_source(None)).is_empty());
}

#[test]
fn what_rabbitmq_does_not_carry_is_no_record() {
    let composer = composer(fixed(), Content::Envelope);
    let refusal = refused(
        &composer,
        br#"{"headers":{"n":[{"deep":{"$double":"7ff8000000000000"}}]},"body":"b"}"#,
    );
    let wanted = "header n: a float that is NaN or infinite, which RabbitMQ cannot carry";
    assert_eq!(refusal, wanted);
}
