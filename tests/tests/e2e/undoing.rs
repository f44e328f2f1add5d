//! `rmq-declare --unbind`, `--delete --exchange` and `--purge`, and what they must not remove.

use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::tool::Ended;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;

fn declare(vhost: &Vhost<'_>, words: &[&str]) -> Ended {
    vhost.tool("rmq-declare").arguments(&["--quiet"]).arguments(words).run()
}

/// The same as another user.
fn declare_as(vhost: &Vhost<'_>, user: &str, words: &[&str]) -> Ended {
    let tool = vhost.tool("rmq-declare").arguments(&["--url", &vhost.url_for(user)]);
    tool.arguments(words).run()
}

/// Puts this number of messages into a queue.
fn fill(vhost: &Vhost<'_>, queue: &str, count: usize) {
    vhost.send(&[queue]).input("message\n".repeat(count)).run().expect(0);
}

#[test]
fn a_binding_is_removed_and_no_other_and_one_that_is_not_there_is_no_error() {
    let vhost = Vhost::new(brokers::one());
    let with = r#"{"source":"h","arguments":{"x-match":"all","kind":"x","n":5,"f":1.5,"b":true}}"#;
    let other = r#"{"source":"h","arguments":{"x-match":"all","kind":"y"}}"#;
    let exchanges = ["--exchange", "e:topic", "--exchange", "h:headers", "--exchange", "A:b:topic"];
    let colon = r#"{"source":"A:b","routing_key":"k"}"#;
    let bindings = ["e:a", "e:b:c", "e", with, other, colon];
    let bind: Vec<&str> = bindings.iter().flat_map(|it| ["--bind", it]).collect();
    declare(&vhost, &[&exchanges[..], &bind, &["q", "r"]].concat()).expect(0);
    let before = vhost.bindings("q");
    assert_eq!(before.len(), bindings.len());

    let dry = ["--unbind", "e:a", "--unbind", "nowhere:a", "--dry-run", "q", "nope"];
    let told = vhost.tool("rmq-declare").arguments(&dry).run().expect(0);
    let told = told.says("whether a binding exists is unknown: AMQP cannot query bindings");
    let wanted = "q\tunknown\te:a\nq\tmissing\tnowhere:a\nnope\tmissing\te:a\n\
                  nope\tmissing\tnowhere:a\n";
    assert_eq!(String::from_utf8(told.stdout).unwrap(), wanted);
    assert_eq!(vhost.bindings("q"), before);
    // No such binding exists, and the broker does not say so.
    let told = declare(&vhost, &["--unbind", "e:zz", "q"]).expect(0);
    assert_eq!(told.stdout, b"q\tunbound\te:zz\n");
    assert_eq!(vhost.bindings("q"), before);

    let words = ["--unbind", "e:a", "--unbind", "e:b:c", "--unbind", with, "--unbind", colon];
    let words = [&words[..], &["--unbind", "nowhere:a", "q", "nope"]].concat();
    let told = declare(&vhost, &words).expect(0);
    let told = String::from_utf8(told.stdout).unwrap();
    for line in ["q\tunbound\te:a\n", "q\tunbound\te:b:c\n", "q\tmissing\tnowhere:a\n"] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(told.lines().filter(|line| line.starts_with("nope\tmissing\t")).count(), 5);
    let left = vhost.bindings("q");
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().any(|it| it == "e  []") && left.iter().any(|it| it.contains("<<\"y\">>")));
    assert_eq!(vhost.bindings("r"), before);
    declare(&vhost, &words).expect(0);
    // The binding is printed in the form in which it can be given.
    let given = told.lines().find_map(|line| line.strip_prefix("q\tunbound\t{")).unwrap();
    declare(&vhost, &["--unbind", &format!("{{{given}"), "r"]).expect(0);
    assert_eq!(vhost.bindings("r").len(), before.len() - 1);
    assert_eq!(vhost.arguments("nope"), None);
}

#[test]
fn a_binding_is_removed_whatever_size_its_client_gave_an_integer() {
    let vhost = Vhost::new(brokers::one());
    declare(&vhost, &["--exchange", "h:headers", "q"]).expect(0);
    let name = |kind: &str, name: &str| {
        format!("rabbit_misc:r(<<\"{}\">>, {kind}, <<\"{name}\">>)", vhost.name)
    };
    let (source, queue) = (name("exchange", "h"), name("queue", "q"));
    for size in ["signedint", "long"] {
        vhost.cluster.erlang(&format!(
            "begin ok = rabbit_binding:add({{binding, {source}, <<>>, {queue}, \
             [{{<<\"n\">>, {size}, 5}}]}}, <<\"tests\">>), \"\" end"
        ));
    }
    assert_eq!(vhost.bindings("q").len(), 2);
    declare(&vhost, &["--unbind", r#"{"source":"h","arguments":{"n":5}}"#, "q"]).expect(0);
    assert_eq!(vhost.bindings("q"), [""; 0]);
}

#[test]
fn an_exchange_is_deleted_with_its_bindings_and_no_queue_ever() {
    let vhost = Vhost::new(brokers::one());
    let exchanges = ["--exchange", "e:topic", "--exchange", "A:b:fanout", "--exchange", "q:fanout"];
    declare(&vhost, &[&exchanges[..], &["--bind", "e:k", "q", "r"]].concat()).expect(0);
    fill(&vhost, "q", 2);
    let told = declare(&vhost, &["--delete", "--dry-run", "--exchange", "e", "nope"]).expect(0);
    assert_eq!(told.stdout, b"e\tthere\nnope\tmissing\n");
    let misread = ["--delete", "--exchange", "--if-unused", "e"];
    declare(&vhost, &misread).expect(64).says("the name of an exchange has to follow");
    let told = declare(&vhost, &["--delete", "--if-unused", "--exchange", "e", "A:b"]).expect(1);
    let told = told.says("delete exchange e in ").says("queues or exchanges are bound to it");
    assert_eq!(told.stdout, b"A:b\tdeleted\n");
    assert_eq!(vhost.exchange("e").as_deref(), Some("topic []"));
    assert_eq!((vhost.exchange("A:b"), vhost.bindings("q").len()), (None, 1));

    // Each name is an exchange's, so the queue q is not touched.
    let told = declare(&vhost, &["--delete", "--exchange", "e", "--exchange", "q", "r"]).expect(0);
    assert_eq!(told.stdout, b"e\tdeleted\nq\tdeleted\nr\tmissing\n");
    let told = declare(&vhost, &["--delete", "--exchange", "e"]).expect(0);
    assert_eq!(told.stdout, b"e\tmissing\n");
    assert_eq!((vhost.exchange("e"), vhost.exchange("q")), (None, None));
    assert_eq!((vhost.bindings("q").len(), vhost.held("q")), (0, Held::ready(2)));
    assert!(vhost.arguments("r").is_some());
}

#[test]
fn an_exchange_of_the_broker_and_a_name_with_a_type_are_refused() {
    let vhost = Vhost::new(brokers::one());
    let told = declare(&vhost, &["--delete", "--exchange", "amq.topic"]).expect(65);
    told.says("delete exchange amq.topic in ").says("does not delete them");
    assert!(vhost.exchange("amq.topic").is_some());
    for word in ["e", "e:topic"] {
        vhost.add_exchange(word, "topic");
    }
    let told = declare(&vhost, &["--delete", "--exchange", "e:topic"]).expect(64);
    told.says("has a type, which only a declaration takes: use e, or,");
    assert!(vhost.exchange("e").is_some() && vhost.exchange("e:topic").is_some());
    declare(&vhost, &["--delete", "--exchange", r#"{"name":"e:topic"}"#]).expect(0);
    assert!(vhost.exchange("e").is_some() && vhost.exchange("e:topic").is_none());
    declare(&vhost, &["--delete", "--exchange", "e", ""]).expect(64).says("default exchange");
    // An exchange that differs comes with the command that deletes it.
    let told = declare(&vhost, &["--exchange", "e:fanout"]).expect(65);
    told.says(&format!("(rmq-declare -p {} --delete --if-unused --exchange e)", vhost.name));
}

#[test]
fn a_purge_removes_what_is_ready_and_counts_it() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "quorum");
    vhost.declare(&["--type", "classic"], "classic");
    vhost.declare(&["--type", "stream", "--max-age", "7d", "--max-bytes", "1G"], "stream");
    for (queue, count) in [("quorum", 700), ("classic", 3), ("stream", 2)] {
        fill(&vhost, queue, count);
    }
    vhost.wait_held("quorum", Held::ready(700));
    let told = |words: &[&str]| {
        let told = declare(&vhost, &[words, &["quorum", "stream", "classic", "nope"]].concat());
        let told = told.expect(65).says("it is a stream, and RabbitMQ cannot purge streams");
        assert_eq!(told.says("purge nope in ").stdout, b"quorum\t700\nclassic\t3\n");
    };
    told(&["--purge", "--dry-run"]);
    assert_eq!(vhost.held("quorum"), Held::ready(700));
    told(&["--purge"]);
    let told = declare(&vhost, &["--purge", "quorum", "classic"]).expect(0);
    assert_eq!(told.stdout, b"quorum\t0\nclassic\t0\n");
    assert_eq!(vhost.arguments("nope"), None);
    let read = vhost.receive(&["--offset", "first", "-n", "2", "stream"]).run().expect(0);
    assert_eq!(read.stdout, b"message\nmessage\n");
}

#[test]
fn a_purge_leaves_what_a_consumer_holds() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "q");
    fill(&vhost, "q", 5);
    let holding = vhost.receive(&["--prefetch", "1", "q", "--", "sleep", "60"]).start();
    vhost.wait_held("q", Held { ready: 4, unacked: 1, consumers: 1 });
    assert_eq!(declare(&vhost, &["--purge", "q"]).expect(0).stdout, b"q\t4\n");
    holding.signal(Signal::TERM);
    holding.wait().expect_signal(Signal::TERM);
    vhost.wait_held("q", Held::ready(1));
}

#[test]
fn a_permission_that_is_missing_is_named_and_nothing_is_removed() {
    let vhost = Vhost::new(brokers::one());
    declare(&vhost, &["--exchange", "e:topic", "--bind", "e:k", "q"]).expect(0);
    vhost.declare(&["--type", "stream"], "stream");
    fill(&vhost, "q", 2);
    let user = |name: &str, permissions| {
        let user = format!("{}-{name}", vhost.name);
        vhost.add_user(&user, permissions);
        user
    };
    let configurer = user("configurer", [".*", "", ""]);
    let told = declare_as(&vhost, &configurer, &["--purge", "q"]).expect(77);
    told.says("purge q in ").says(&format!("{configurer} lacks read on q in "));
    let told = declare_as(&vhost, &configurer, &["--unbind", "e:k", "q"]).expect(77);
    told.says("unbind q from e:k in ").says(&format!("{configurer} lacks write on q in "));
    let reader = user("reader", ["", "", ".*"]);
    let told = declare_as(&vhost, &reader, &["--delete", "--exchange", "e"]).expect(77);
    told.says("delete exchange e in ").says(&format!("{reader} lacks configure on e in "));
    assert_eq!((vhost.held("q"), vhost.bindings("q").len()), (Held::ready(2), 1));
    assert!(vhost.exchange("e").is_some());
    // No other queue is affected, and none is mistaken for the one that is refused.
    let queues: Vec<String> = (0..40).map(|number| format!("q{number}")).collect();
    let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
    declare(&vhost, &[&["--type", "classic"], &queues[..]].concat()).expect(0);
    let words = [&["--purge"], &queues[..20], &["stream", "nope"], &queues[20..]].concat();
    let told = declare_as(&vhost, &reader, &words).expect(65).says("purge stream in ");
    let refused = told.stderr.lines().filter(|line| line.starts_with("rmq-declare: purge "));
    assert_eq!(refused.count(), 2, "{}", told.stderr);
    let wanted: String = queues.iter().map(|queue| format!("{queue}\t0\n")).collect();
    assert_eq!(String::from_utf8(told.says("purge nope in ").stdout).unwrap(), wanted);
    // Without configure permission, the type is unknown, and the broker closes the connection.
    let told = declare_as(&vhost, &reader, &["--purge", "stream"]).expect(65);
    told.says("RabbitMQ cannot purge queues of this type, such as streams");
    assert_eq!(declare_as(&vhost, &reader, &["--purge", "q"]).expect(0).stdout, b"q\t2\n");
}
