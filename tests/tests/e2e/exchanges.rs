//! Exchanges and bindings.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;

fn declare(vhost: &Vhost<'_>, words: &[&str]) -> Ended {
    vhost.tool("rmq-declare").arguments(&["--quiet"]).arguments(words).run()
}

#[test]
fn exchanges_of_every_type_are_there_with_their_arguments_before_the_queue_is_bound() {
    let vhost = Vhost::new(brokers::one());
    for kind in ["direct", "fanout", "topic", "headers"] {
        let exchange = format!("e-{kind}:{kind}");
        let words = ["--exchange", &exchange, "--bind", &format!("e-{kind}:k"), "q"];
        declare(&vhost, &words).expect(0);
        declare(&vhost, &words).expect(0);
        assert_eq!(vhost.exchange(&format!("e-{kind}")), Some(format!("{kind} []")));
    }
    let text = r#"{"name":"App:Orders","type":"topic","arguments":{"alternate-exchange":"lost"}}"#;
    let bind = r#"{"source":"App:Orders","routing_key":"order.#"}"#;
    declare(&vhost, &["--exchange", "lost:fanout", "--exchange", text, "--bind", bind, "q"])
        .expect(0);
    let wanted = r#"topic [{<<"alternate-exchange">>,longstr,<<"lost">>}]"#;
    assert_eq!(vhost.exchange("App:Orders").as_deref(), Some(wanted));
    let wanted = [
        "App:Orders order.# []",
        "e-direct k []",
        "e-fanout k []",
        "e-headers k []",
        "e-topic k []",
    ];
    assert_eq!(vhost.bindings("q"), wanted);
}

#[test]
fn a_binding_to_a_headers_exchange_compares_headers() {
    let vhost = Vhost::new(brokers::one());
    let bind = r#"{"source":"h","arguments":{"x-match":"all","kind":"invoice","n":5}}"#;
    declare(&vhost, &["--exchange", "h:headers", "--bind", bind, "q"]).expect(0);
    let bindings = vhost.bindings("q");
    for term in [
        r#"{<<"kind">>,longstr,<<"invoice">>}"#,
        r#"{<<"n">>,long,5}"#,
        r#"{<<"x-match">>,longstr,<<"all">>}"#,
    ] {
        assert!(bindings[0].contains(term), "{bindings:?}");
    }
    let misspelt = r#"{"source":"h","arguments":{"x_match":"all","kind":"x"}}"#;
    let told = vhost.tool("rmq-declare").arguments(&["--bind", misspelt, "other"]).run().expect(0);
    told.says("x_match: ").says("(did you mean x-match?)");
    let bad = r#"{"source":"h","arguments":{"x-match":"most"}}"#;
    declare(&vhost, &["--bind", bad, "q"]).expect(65).says("bind q to h").says("x-match");
    assert_eq!(vhost.bindings("q"), bindings);
}

#[test]
fn an_exchange_that_differs_is_told_and_its_queue_is_not_tried() {
    let vhost = Vhost::new(brokers::one());
    declare(&vhost, &["--exchange", "e:topic"]).expect(0);
    let told = declare(&vhost, &["--exchange", "e:fanout", "--bind", "e", "q"]).expect(65);
    told.says("it exists with type topic, fanout was asked for").says("not tried, as exchange e");
    let with = r#"{"name":"e","type":"topic","arguments":{"alternate-exchange":"x"}}"#;
    let told = declare(&vhost, &["--exchange", with]).expect(65);
    told.says("without alternate-exchange, x was asked for; a policy");
    let other =
        r#"{"name":"e","type":"fanout","durable":false,"arguments":{"alternate-exchange":"x"}}"#;
    let wanted = "it exists with type topic, fanout was asked for; with durable true, false was \
                  asked for; without alternate-exchange, x was asked for; an existing exchange \
                  cannot be changed: use another name";
    declare(&vhost, &["--exchange", other]).expect(65).says(wanted);
    declare(&vhost, &["--check", "--exchange", other]).expect(1).says(wanted);
    let transient = r#"{"name":"e","type":"topic","durable":false}"#;
    declare(&vhost, &["--exchange", transient]).expect(65).says("with durable true, false");
    declare(&vhost, &["--exchange", "f:topicc"]).expect(65).says("no exchange type topicc");
    assert_eq!((vhost.arguments("q"), vhost.exchange("f")), (None, None));
    assert_eq!(vhost.exchange("e").as_deref(), Some("topic []"));
}

#[test]
fn a_check_of_exchanges_changes_nothing_and_says_no() {
    let vhost = Vhost::new(brokers::one());
    declare(&vhost, &["--exchange", "e:topic", "q"]).expect(0);
    declare(&vhost, &["--check", "--exchange", "e:topic", "q"]).expect(0);
    declare(&vhost, &["--check", "--exchange", "e:direct", "q"]).expect(1).says("type topic");
    let told = declare(&vhost, &["--check", "--exchange", "f:topic", "q"]).expect(1);
    assert_eq!(told.says("exchange f in ").stdout, b"q\t0\t0\n");
    assert_eq!(vhost.exchange("f"), None);
    let check = ["--check", "--bind", "e:k", "q"];
    vhost.tool("rmq-declare").arguments(&check).run().expect(0).says("bindings are not checked");
    assert_eq!(vhost.bindings("q"), [""; 0]);
}

#[test]
fn a_missing_exchange_fails_the_binding_before_anything_is_made() {
    let vhost = Vhost::new(brokers::one());
    let words = ["--exchange", "new:topic", "--bind", "nowhere:k", "--bind", "amq.topic:k"];
    let words = [&words[..], &["--with-dlq", "q"]].concat();
    let told = declare(&vhost, &words).expect(65).says("bind q to nowhere:k in ");
    assert!(told.stdout.is_empty(), "{told:?}");
    for queue in ["q", "q.dlq"] {
        assert_eq!(vhost.arguments(queue), None);
    }
    assert_eq!(vhost.exchange("new"), None);
    // What exists stays, and every binding is tried.
    vhost.declare(&[], "q");
    let told = declare(&vhost, &["--bind", "nowhere:k", "--bind", "amq.topic:k", "q"]).expect(65);
    assert_eq!(told.says("bind q to nowhere:k in ").stdout, b"q\t0\t0\n");
    assert_eq!(vhost.bindings("q"), ["amq.topic k []"]);
    assert_eq!(vhost.held("q"), Held::ready(0));
    // What was created but cannot be bound for another reason is named.
    let user = format!("{}-maker", vhost.name);
    vhost.add_user(&user, [".*", ".*", "^q"]);
    let told = vhost.tool("rmq-declare").arguments(&["--url", &vhost.url_for(&user)]);
    let told = told.arguments(&["--type", "classic", "--bind", "amq.topic:k", "q", "q2"]).run();
    let left = format!(
        "queue q2 in {0} was created and remains (rmq-declare -p {0} --delete --if-empty --if-unused q2)",
        vhost.name
    );
    let told = told.expect(77).says("bind q2 to amq.topic:k in ").says(&left);
    assert!(!told.stderr.contains("queue q in"), "{}", told.stderr);
    for word in ["", ":k"] {
        declare(&vhost, &["--bind", word, "q"]).expect(64).says("default exchange");
    }
}

#[test]
fn an_exchange_is_bound_to_another_and_unbound_and_nothing_else_is() {
    let vhost = Vhost::new(brokers::one());
    let told = |words: &[&str], status| {
        let tool = vhost.tool("rmq-declare").arguments(words).run().expect(status);
        (String::from_utf8(tool.stdout.clone()).unwrap(), tool)
    };
    let headers = r#"{"source":"h","arguments":{"x-match":"all","n":5}}"#;
    let exchanges = ["--exchange", "e:topic", "--exchange", "h:headers", "--exchange", "to:fanout"];
    let binds = ["--bind", "e:a.#", "--bind", headers, "--to", "to"];
    let all = [&exchanges[..], &binds].concat();
    assert_eq!(
        told(&[&all[..], &["--dry-run"]].concat(), 1).0.matches("binding\tto\tmissing").count(),
        2
    );
    // Repeating it is not an error.
    for _ in 0..2 {
        assert_eq!(told(&all, 0).0, "");
    }
    declare(&vhost, &["--bind", "to", "q"]).expect(0);
    let source = ["-e", "e", "-r", "a.b", "-b", "through"];
    vhost.send(&source).run().expect(0);
    let with_header = ["-e", "h", "-H", "n:int=5", "-b", "by header"];
    vhost.send(&with_header).run().expect(0);
    assert_eq!(vhost.drain("q"), b"through\nby header\n");

    let (text, ended) = told(&["--unbind", "e:a.#", "--to", "to", "--dry-run"], 0);
    assert_eq!(text, "to\tunknown\te:a.#\n");
    ended.says("AMQP cannot query bindings (rmq-perm list-bindings -p ");
    let words = ["--check", "--bind", "e:a.#", "--to", "to", "--to", "nowhere"];
    let ended = told(&words, 1).1.says("bindings are not checked: AMQP cannot query them");
    ended.says("check exchange nowhere in ").says(": missing");
    vhost.send(&source).run().expect(0);
    let words = ["--unbind", "e:a.#", "--unbind", headers, "--unbind", "nowhere:k", "--to", "to"];
    let (text, _) = told(&words, 0);
    let wanted = ["to\tunbound\te:a.#", "to\tunbound\t{", "to\tmissing\tnowhere:k"];
    for (line, wanted) in text.lines().zip(wanted) {
        assert!(line.starts_with(wanted), "{text}");
    }
    vhost.send(&source).run().expect(65).says("returned 1");
    vhost.send(&with_header).run().expect(65).says("returned 1");
    assert_eq!(vhost.drain("q"), b"through\n");
    assert_eq!(vhost.bindings("q"), ["to  []"]);

    told(&["--bind", "nowhere:k", "--to", "to"], 65).1.says("bind to to nowhere:k in ");
    told(&["--bind", "e", "--to", "nowhere"], 65).1.says("bind nowhere to e in ");
    told(&["--bind", "e", "--to", "--dry-run"], 64).1.says("has to follow");
    told(&["--bind", "e", "--to", ""], 64).1.says("can be neither deleted nor bound");
    vhost.add_user(&format!("{}-reader", vhost.name), ["", "", "^e$"]);
    let url = vhost.url_for(&format!("{}-reader", vhost.name));
    let words = ["--url", &url, "--bind", "e", "--to", "to"];
    told(&words, 77).1.says("lacks write on to in ");
}
