//! More of `examples`, each run from beginning to end.

use crate::examples::Place;
use rmq_tests::brokers;
use rmq_tests::observe::Held;
use rmq_tests::shell::stand_in;
use rmq_tests::vhost::{PASSWORD, Vhost};
use rmq_tests::wait::wait_until;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn json_objects_go_out_with_keys_and_headers_and_are_counted_when_they_come_back() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --exchange events:topic --bind 'events:order.#' orders");
    let orders = [
        r#"{"type":"order.created","tenant":"acme","text":"grün"}"#,
        r#"{"type":"order.paid","tenant":"acme"}"#,
        r#"{"type":"order.paid","tenant":"zeta"}"#,
    ];
    place.write("orders.jsonl", &orders.join("\n"));
    place.run("json-records send events < orders.jsonl");
    vhost.wait_held("orders", Held::ready(3));
    let seen = place.run("rmq-recv --quiet --peek 1 --format json orders");
    let seen = String::from_utf8(seen).unwrap();
    for part in [
        r#""routing_key":"order.created""#,
        r#""headers":{"tenant":"acme"}"#,
        r#""content_type":"application/json""#,
    ] {
        assert!(seen.contains(part), "{seen}");
    }
    let counted = place.shell("json-records count orders").run().expect(0);
    let bytes: Vec<usize> = orders.iter().map(|order| order.len()).collect();
    let wanted =
        format!("order.created\t1\t{}\norder.paid\t2\t{}\n", bytes[0], bytes[1] + bytes[2]);
    assert_eq!(String::from_utf8(counted.stdout).unwrap(), wanted);
    assert_eq!(counted.stderr, "3 messages taken from orders\n");
    vhost.wait_held("orders", Held::ready(0));
    // What is not JSON is an error, and what came before it is sent.
    place.write("orders.jsonl", "{\"type\":\"order.late\"}\n{no\n");
    let failed = place.shell("json-records send events < orders.jsonl").run();
    assert!(
        failed.status.code() != Some(0) && failed.stderr.contains("parse error"),
        "{}",
        failed.stderr
    );
    vhost.wait_held("orders", Held::ready(1));
}

#[test]
fn one_dead_letter_is_edited_and_replayed_and_the_rest_stay_as_they_are() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --with-dlq jobs; for i in 1 2 3; do rmq-send --message-id m$i -b \"colour $i\" jobs; done");
    place.run("rmq-recv --quiet --drain --on-failure dead-letter jobs -- false");
    vhost.wait_held("jobs.dlq", Held::ready(3));
    let edit = r#"dead-letters edit jobs '.message_id == "m2"' '.body |= sub("colour"; "color")'"#;
    place.run(edit);
    vhost.wait_held("jobs", Held::ready(1));
    let edited = vhost.receive(&["--drain", "--keep-x", "--format", "json", "jobs"]);
    let edited = String::from_utf8(edited.run().expect(0).stdout).unwrap();
    assert!(edited.contains("\"m2\"") && edited.contains("\"body\":\"color 2\""), "{edited}");
    assert!(!edited.contains("x-death"), "{edited}");
    let rest = vhost.receive(&["--drain", "-f", "%{message_id} %s %h\n", "jobs.dlq"]);
    let rest = String::from_utf8(rest.run().expect(0).stdout).unwrap();
    let lines: Vec<&str> = rest.lines().collect();
    assert!(lines[0].starts_with("m1 colour 1 ") && lines[1].starts_with("m3 colour 3 "), "{rest}");
    assert!(lines.len() == 2 && lines.iter().all(|line| line.contains("x-death")), "{rest}");
}

#[test]
fn a_password_is_rotated_while_a_shipper_goes_on() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let place = Place::new(&vhost);
    let user = format!("{}-shipper", vhost.name);
    vhost.add_user(&user, [".*", ".*", ".*"]);
    place.write("password", &format!("{}\n", PASSWORD));
    fs::set_permissions(place.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
    place.write("app.log", "before\n");
    let url = format!("amqp://{user}@{}/{}", vhost.cluster.hosts(), vhost.name);
    let shipper = place
        .shell("exec rmq-send --follow --positions positions --password-file password logs app.log")
        .environment("AMQP_URL", &url)
        .start();
    vhost.wait_held("logs", Held::ready(1));
    place.operator(&format!("rotate-password {user} password")).run().expect(0);
    let mode = fs::metadata(place.path("password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!place.read("password").contains(PASSWORD));
    // Open connections stay open, and new ones use the new password.
    place.run("echo between >> app.log");
    vhost.wait_held("logs", Held::ready(2));
    place.operator(&format!("rmq-perm close-connections {user}")).run().expect(0);
    place.run("echo after >> app.log");
    vhost.wait_held("logs", Held::ready(3));
    drop(shipper);
    vhost.cluster.control(1, &["delete_user", &user]);
    assert_eq!(vhost.drain("logs"), b"before\nbetween\nafter\n");
}

#[test]
fn the_depths_of_all_queues_are_metrics_whatever_their_names() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --type classic 'a\"b\\c' jobs; rmq-send -b 1 jobs");
    let line = |queue: &str, messages: u32| {
        format!(
            "rabbitmq_queue_messages{{vhost=\"{}\",queue=\"{queue}\"}} {messages}\n",
            vhost.name
        )
    };
    wait_until(SOON, "the message is counted", || {
        place.operator("queue-depths depths.prom").run().expect(0);
        place.read("depths.prom").contains(&line("jobs", 1))
    });
    let metrics = place.read("depths.prom");
    assert!(metrics.starts_with("# TYPE rabbitmq_queue_messages gauge\n"), "{metrics}");
    for line in [line("jobs", 1), line("a\\\"b\\\\c", 0)] {
        assert!(metrics.contains(&line), "{metrics}");
    }
    // A node that does not answer changes nothing.
    let failed =
        place.operator("rmq-perm() { false; }; export -f rmq-perm; queue-depths depths.prom");
    assert_ne!(failed.run().status.code(), Some(0));
    assert_eq!(place.read("depths.prom"), metrics);
    assert_eq!(place.files().iter().filter(|name| name.starts_with("depths")).count(), 1);
}

#[test]
fn what_passes_is_recorded_by_the_firehose_and_replayed_where_it_went() {
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --exchange events:topic --bind 'events:#' all");
    vhost.cluster.control(1, &["trace_on", "-p", &vhost.name]);
    let recording = place.shell("exec firehose record").start();
    // It is bound once something of it is seen; what is sent before that is not recorded.
    let mut probes = 0;
    wait_until(SOON, "the firehose", || {
        place.run("rmq-send -b probe -e events -r probe");
        probes += 1;
        !recording.stdout().is_empty()
    });
    place.run(
        "printf 'text\\0\\377\\n' | rmq-send -0 -e events -r order.1 --priority 3 -H k=v -H n:int=5 --message-id m1",
    );
    wait_until(SOON, "its record", || {
        String::from_utf8_lossy(&recording.stdout()).contains("order.1")
    });
    let recorded = String::from_utf8(recording.stdout()).unwrap();
    drop(recording);
    vhost.cluster.control(1, &["trace_off", "-p", &vhost.name]);
    let envelopes = "rmq-recv --drain --format json all";
    let sent = String::from_utf8(place.run(envelopes)).unwrap();
    let of_orders = |text: &str| {
        let orders = text.lines().filter(|line| line.contains("order.1"));
        orders.map(str::to_owned).collect::<Vec<_>>()
    };
    place.write("recorded", &of_orders(&recorded).join("\n"));
    place.run("firehose replay < recorded");
    let replayed = String::from_utf8(place.run(envelopes)).unwrap();
    assert_eq!(of_orders(&replayed), of_orders(&sent));
    assert_eq!(of_orders(&sent).len(), 2, "{sent}");
}

#[test]
fn a_token_is_fetched_again_before_it_expires_and_each_login_has_the_newest() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&[], "logs");
    let place = Place::new(&vhost);
    // An authorization server whose first token is refused by the broker, and whose next is good.
    let server = format!(
        "cat > asked; echo \"$@\" >> arguments; [ -e first ] && token={PASSWORD} || token=old; touch first
        echo \"{{\\\"access_token\\\":\\\"$token\\\",\\\"expires_in\\\":3}}\""
    );
    stand_in(place.directory(), "curl", &server);
    place.write("secret", "client-s3cret\n");
    let refreshing = place.shell("exec oauth-token https://login.example/token me secret token");
    let refreshing = refreshing.start();
    let url = format!("amqp://{}@{}/{}", vhost.name, vhost.cluster.hosts(), vhost.name);
    let send = "rmq-send --retry 0 --password-file token -b hello logs";
    wait_until(SOON, "the first token", || place.read("token") == "old\n");
    place.shell(send).environment("AMQP_URL", &url).run().expect(77);
    wait_until(SOON, "the next", || place.read("token").contains(PASSWORD));
    place.shell(send).environment("AMQP_URL", &url).run().expect(0);
    let mode = fs::metadata(place.path("token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.read("asked"), "user = \"me:client-s3cret\"\n");
    assert!(!place.read("arguments").contains("client-s3cret"));
    drop(refreshing);
}
