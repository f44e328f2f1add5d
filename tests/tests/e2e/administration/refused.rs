//! A user who may not do something is shown what is missing.

use rmq_tests::brokers;
use rmq_tests::managed::{WAYS, Way, http_address, managed};
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;

#[test]
fn a_wrong_password_or_a_missing_tag_is_named_and_the_password_is_not() {
    let cluster = managed();
    let perm = |words: &[&str]| Way::Http.perm(cluster).arguments(words);
    let address = http_address(cluster);
    let as_user = |user: &str, password: &str| format!("http://{user}:{password}@{address}");
    perm(&["add-user", "tagless"]).input("hunter2").run().expect(0);
    perm(&["add-vhost", "tagless"]).run().expect(0);
    let told = |url: &str, words: &[&str], exit: i32, says: &str| {
        let tool = Tool::new("rmq-perm").arguments(&["-v", "--api", url]);
        let told = tool.arguments(words).run().expect(exit).says(says);
        assert!(!told.stderr.contains("hunter"), "{}", told.stderr);
    };
    told(&as_user("tagless", "hunter3"), &["list-users"], 77, "the broker refused tagless: ");
    told(&as_user("nobody", "hunter2"), &["list-users"], 77, "the broker refused nobody: ");
    let good = as_user("tagless", "hunter2");
    told(&good, &["list-users"], 77, "management");
    perm(&["set-tags", "tagless", "management"]).run().expect(0);
    let lacks = "tagless lacks the tag administrator";
    told(&good, &["list-users"], 77, &format!("list users: {lacks}"));
    told(&good, &["add-vhost", "tagless-2"], 77, lacks);
    told(&good, &["set", "tagless", ".*", ".*", ".*"], 77, lacks);
    told(&good, &["delete-user", "tagless"], 77, lacks);
    told(&good, &["cluster-status"], 77, "tagless lacks the tag monitoring (or administrator)");
    told(&good, &["list-queues", "-p", "tagless"], 77, "tagless has no permissions on the virtual");
    told(&good, &["list-vhosts"], 0, "may not list all virtual hosts");
    perm(&["set-tags", "tagless", "monitoring"]).run().expect(0);
    told(&good, &["cluster-status"], 0, "connected to http://");
    perm(&["delete-user", "tagless"]).run().expect(0);
    perm(&["delete-vhost", "tagless"]).run().expect(0);
}

#[test]
fn a_pattern_that_is_too_long_is_refused_in_one_readable_line_before_anything_is_changed() {
    let cluster = managed();
    let long = "(a|b)".repeat(14_000);
    for way in WAYS {
        let vhost = Vhost::new(cluster);
        let name = &*vhost.name;
        let wanted = "the broker does not accept the regular expression '(a|b)(a|b)(a|b)";
        let words = ["set", "-p", name, name, "^a$", &long, ""];
        let told = way.perm(cluster).arguments(&words).run().expect(65).says(wanted);
        assert!(told.stderr.lines().all(|line| line.len() < 400), "{way:?} {}", told.stderr.len());
        let file = format!("vhost,user,configure,write,read\n{name},{name},^a$,^b$,{long}\n");
        let apply = way.perm(cluster).arguments(&["apply", "-"]).input(file);
        let told = apply.run().expect(65).says(wanted).says("nothing was changed");
        assert!(told.stderr.lines().all(|line| line.len() < 400), "{way:?} {}", told.stderr.len());
        // RabbitMQ 4.3 takes no longer ones than this; it has to be all or nothing.
        let file =
            format!("vhost,user,configure,write,read\n{name},{name},^a$,,^{}$\n", "c".repeat(2000));
        let apply = way.perm(cluster).arguments(&["apply", "-"]).input(file).run();
        match brokers::release().as_str() {
            "4.3" => drop(apply.expect(65).says("column read").says("pattern too long")),
            _ => drop(apply.expect(0)),
        }
    }
}

#[test]
fn a_wrong_cookie_is_refused() {
    let cluster = managed();
    let directory = tempfile::tempdir().unwrap();
    let cookie = directory.path().join("cookie");
    std::fs::write(&cookie, "NOTTHECOOKIE").unwrap();
    let chmod = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&cookie, chmod).unwrap();
    let told = Tool::new("rmq-perm")
        .environment("RABBITMQ_NODENAME", cluster.variable("RABBITMQ_NODENAME"))
        .environment("ERL_EPMD_PORT", cluster.variable("ERL_EPMD_PORT"))
        .arguments(&["--cookie-file", cookie.to_str().unwrap(), "list-users"])
        .run()
        .expect(77)
        .says("cookie");
    assert!(!told.stderr.contains("NOTTHECOOKIE"), "{}", told.stderr);
}

#[test]
fn what_is_no_url_of_an_api_is_refused_without_its_password() {
    let refused = |tool: Tool, exit, says: &str| {
        let told = tool.arguments(&["list-users"]).run().expect(exit).says(says);
        assert!(!told.stderr.contains("hunter2"), "{}", told.stderr);
    };
    let perm = || Tool::new("rmq-perm");
    let url = "amqp://me:hunter2@h";
    refused(perm().arguments(&["--api", url]), 64, "--api: it does not begin with http://");
    refused(perm().environment("RABBITMQ_API_URL", url), 78, "$RABBITMQ_API_URL: it does not");
    let both = ["--api", "http://me:hunter2@h", "--node", "rabbit"];
    refused(perm().arguments(&both), 64, "cannot be combined");
    let cacert = ["--api", "http://me:hunter2@h", "--cacert", "ca.pem"];
    refused(perm().arguments(&cacert), 64, "https://");
}

#[test]
fn where_the_plugin_is_not_enabled_nothing_answers_or_something_else() {
    let cluster = brokers::one();
    let told = |port: &str, says: &str| {
        let url = format!("http://127.0.0.1:{}", cluster.variable(port));
        let tool = Tool::new("rmq-perm").arguments(&["--api", &url, "list-users"]);
        tool.run().expect(69).says(&format!("rmq-perm: connect to {url}: {says}"));
    };
    told("RMQ_NODE1_HTTP_PORT", "nothing answers there: Connection refused");
    told("RMQ_NODE1_AMQP_PORT", "the server there is not the management API");
}
