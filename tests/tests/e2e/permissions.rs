//! What a user lacks is named.

use rmq_tests::brokers;
use rmq_tests::vhost::Vhost;

#[test]
fn every_missing_permission_is_named_with_its_object_and_vhost() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--exchange", "e:topic"], "there");
    let name = &vhost.name;
    let dlx = &["--dead-letter-exchange", "dlx", "jobs"][..];
    let alternate = r#"{"name":"x","type":"topic","arguments":{"alternate-exchange":"ae"}}"#;
    // A user's permissions (configure, write, read), what it tries, what it lacks, on 3.10 and
    // later.
    let table: [([&str; 3], &[&str], &str); 8] = [
        (["^$", ".*", ".*"], &["jobs"], "configure on jobs"),
        ([".*", "^$", ".*"], dlx, "write on dlx"),
        ([".*", ".*", "^$"], dlx, "read on jobs"),
        (["^$", ".*", ".*"], &["--exchange", "x:topic", "jobs"], "configure on x"),
        ([".*", "^$", ".*"], &["--exchange", alternate, "jobs"], "write on ae"),
        ([".*", "^$", ".*"], &["--bind", "e:k", "there"], "write on there"),
        ([".*", ".*", "^$"], &["--bind", "e:k", "there"], "read on e"),
        (["^$", ".*", ".*"], &["--delete", "there"], "configure on there"),
    ];
    for (index, (patterns, words, lacks)) in table.into_iter().enumerate() {
        let user = format!("{name}-{index}");
        vhost.add_user(&user, patterns);
        let tool = vhost.tool("rmq-declare").arguments(&["--url", &vhost.url_for(&user)]);
        let told = tool.arguments(words).run().expect(77);
        // 3.10 does not say which of two it is.
        let lacks = format!("{lacks} in {name}");
        let either = lacks.replace("read on jobs", "configure or read on jobs");
        assert!(
            told.stderr.contains(&format!("{user} lacks {lacks}"))
                || told.stderr.contains(&format!("{user} lacks {either}")),
            "{words:?}: {}",
            told.stderr
        );
        told.says(&format!("rmq-perm set -p {name} {user} "));
        assert_eq!((vhost.arguments("jobs"), vhost.exchange("x")), (None, None), "{words:?}");
        assert_eq!(vhost.bindings("there"), [""; 0]);
    }
}
