//! `--dry-run` of the commands that remove or replace something.

use super::output;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{WAYS, Way, managed};
use rmq_tests::vhost::Vhost;
use rmq_tests::wait::wait_equal;
use std::time::Duration;

/// Brokers count what is in a quorum queue every five seconds.
const COLLECTED: Duration = Duration::from_secs(40);

/// A command, and the diff that it shows; `@` is the test's virtual host and user.
type Case = (&'static [&'static str], &'static str);

/// Each is made after it was shown, so the later ones follow from it.
const CASES: [Case; 16] = [
    (
        &["set", "-p", "@", "@", "^a$", "", ".*"],
        "-permissions\t@\t@\t.*\t.*\t.*\n+permissions\t@\t@\t^a$\t''\t.*\n",
    ),
    (
        &["set-topic", "-p", "@", "@", "amq.topic", "^k", ".*"],
        "+topic-permissions\t@\t@\tamq.topic\t^k\t.*\n",
    ),
    (
        &["set-topic", "-p", "@", "@", "other.topic", "^k", ".*"],
        "+topic-permissions\t@\t@\tother.topic\t^k\t.*\n",
    ),
    (
        &["set-topic", "-p", "@", "@", "amq.topic", "^l", ".*"],
        "-topic-permissions\t@\t@\tamq.topic\t^k\t.*\n\
         +topic-permissions\t@\t@\tamq.topic\t^l\t.*\n",
    ),
    (&["set-tags", "@", "mine", "monitoring"], "-user\t@\t''\n+user\t@\tmine,monitoring\n"),
    (&["set-vhost", "--description", "a\tb", "@"], "+description\t@\ta\\tb\n"),
    (&["set-vhost", "--description", "c", "@"], "-description\t@\ta\\tb\n+description\t@\tc\n"),
    (&["set-vhost-limits", "-p", "@", "--max-queues", "9"], "+vhost-limit\t@\tmax-queues\t9\n"),
    (
        &["set-vhost-limits", "-p", "@", "--max-queues", "8", "--max-connections", "7"],
        "+vhost-limit\t@\tmax-connections\t7\n-vhost-limit\t@\tmax-queues\t9\n\
         +vhost-limit\t@\tmax-queues\t8\n",
    ),
    (
        &["clear-vhost-limits", "-p", "@"],
        "-vhost-limit\t@\tmax-connections\t7\n-vhost-limit\t@\tmax-queues\t8\n",
    ),
    (&["set-user-limits", "@", "--max-channels", "9"], "+user-limit\t@\tmax-channels\t9\n"),
    (&["clear-user-limits", "@", "all"], "-user-limit\t@\tmax-channels\t9\n"),
    (
        &["clear-topic", "-p", "@", "@", "amq.topic"],
        "-topic-permissions\t@\t@\tamq.topic\t^l\t.*\n",
    ),
    (&["clear", "-p", "@", "@"], "-permissions\t@\t@\t^a$\t''\t.*\n"),
    (
        &["delete-user", "@"],
        "-user\t@\tmine,monitoring\n-topic-permissions\t@\t@\tother.topic\t^k\t.*\n",
    ),
    (&["delete-vhost", "@"], "-vhost\t@\n-queue\t@\tjobs\t3\n-queue\t@\tother\t0\n"),
];

fn perm(cluster: &Cluster, way: Way, words: &[&str]) -> rmq_tests::tool::Tool {
    way.perm(cluster).arguments(words).arguments(&["--quiet"])
}

#[test]
fn a_dry_run_shows_what_the_command_then_changes_and_changes_nothing() {
    let cluster = managed();
    for way in WAYS {
        let vhost = Vhost::new(cluster);
        vhost.add_exchange("other.topic", "topic");
        vhost.declare(&["--quiet"], "jobs");
        vhost.declare(&["--quiet", "--type", "classic"], "other");
        vhost.send(&["jobs"]).input("line\n".repeat(3)).run().expect(0);
        let count = || {
            let words = ["list-queues", "-p", &vhost.name, "--name", "jobs", "messages"];
            output(&perm(cluster, way, &words).run().expect(0))
        };
        wait_equal(COLLECTED, &"3\n".to_owned(), count);
        let state = || {
            let user = perm(cluster, way, &["list-users"]).run().expect(0);
            let begin = format!("{}\t", vhost.name);
            let user = output(&user).lines().find(|it| it.starts_with(&begin)).map(str::to_owned);
            let dump = perm(cluster, way, &["dump", "-p", &vhost.name]).run();
            (user, output(&dump))
        };
        for (words, diff) in CASES {
            let words: Vec<String> =
                words.iter().map(|word| word.replace('@', &vhost.name)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let pretend = || perm(cluster, way, &words).arguments(&["--dry-run"]).run();
            let before = state();
            let shown = pretend().expect(1);
            assert_eq!(output(&shown), diff.replace('@', &vhost.name), "{way:?} {words:?}");
            assert_eq!(shown.stderr, "", "{way:?} {words:?}");
            assert_eq!(state(), before, "{way:?} {words:?}");
            let made = perm(cluster, way, &words).run().expect(0);
            assert_eq!(output(&made), "", "{way:?} {words:?}");
            assert_ne!(state(), before, "{way:?} {words:?}");
            let again = pretend().expect(0);
            assert_eq!(output(&again), "", "{way:?} {words:?}");
            perm(cluster, way, &words).run().expect(0);
        }
    }
}

#[test]
fn a_dry_run_refuses_what_the_command_would_refuse() {
    let cluster = managed();
    let vhost = Vhost::new(cluster);
    let name = &*vhost.name;
    let refused: [(&[&str], i32); 13] = [
        (&["set", "-p", name, name, "(", "", ""], 65),
        (&["set", "-p", name, "nobody", "", "", ""], 67),
        (&["set", "-p", "nowhere", name, "", "", ""], 65),
        (&["set-topic", "-p", name, name, "none", "", ""], 65),
        (&["set-topic", "-p", name, name, "amq.direct", "", ""], 65),
        (&["clear", "-p", name, "nobody"], 67),
        (&["clear", "-p", "nowhere", name], 65),
        (&["clear-topic", "-p", "nowhere", name], 65),
        (&["set-tags", "nobody", "mine"], 67),
        (&["set-vhost", "--description", "a", "nowhere"], 65),
        (&["clear-vhost-limits", "-p", "nowhere"], 65),
        (&["clear-user-limits", "nobody"], 67),
        (&["set-user-limits", "nobody", "--max-channels", "1"], 67),
    ];
    for way in WAYS {
        for (words, exit) in refused {
            let pretended = perm(cluster, way, words).arguments(&["--dry-run"]).run().expect(exit);
            let done = perm(cluster, way, words).run().expect(exit);
            assert_eq!(pretended.stderr, done.stderr, "{way:?}");
            assert_eq!(output(&pretended), "", "{way:?}");
        }
        for (words, notice) in [
            (["delete-user", "nobody"], "no such user; nothing to delete"),
            (["delete-vhost", "nowhere"], "no such vhost; nothing to delete"),
        ] {
            let words = [&words[..], &["--dry-run"]].concat();
            let told = way.perm(cluster).arguments(&words).run().expect(0).says(notice);
            assert_eq!(output(&told), "", "{way:?}");
        }
    }
}
