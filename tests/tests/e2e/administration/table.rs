//! One table of cases, each over every transport.

mod identities;
mod rights;

use identities::{IDENTITIES, LIMITS, REMOVAL};
use rights::{PERMISSIONS, TOPICS};
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{WAYS, Way, managed};

/// The words, standard input, and the result: the exit status, standard output, and what follows
/// the tool's name on standard error (nothing if empty; only the beginning if it ends with an
/// ellipsis). `@` is a name that belongs to the transport.
type Case = (&'static [&'static str], &'static str, i32, &'static str, &'static str);

/// Each depends on those before it.
const CASES: [&[Case]; 5] = [IDENTITIES, PERMISSIONS, TOPICS, LIMITS, REMOVAL];

#[test]
fn every_case_goes_through_every_way() {
    let cluster = managed();
    std::thread::scope(|scope| {
        for way in WAYS {
            scope.spawn(move || {
                for case in CASES.into_iter().flatten() {
                    run(cluster, way, case);
                }
            });
        }
    });
}

fn run(cluster: &Cluster, way: Way, case: &Case) {
    let (words, input, exit, stdout, stderr) = *case;
    let named = |text: &str| text.replace('@', &format!("{}-", way.name()));
    let words: Vec<String> = words.iter().map(|word| named(word)).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words[0].starts_with("set") {
        // Warnings about patterns have a test of their own.
        words.push("--quiet");
    }
    let ended = way.perm(cluster).arguments(&words).input(input).run().expect(exit);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), named(stdout), "{way:?} {words:?}");
    let wanted = match stderr {
        "" => String::new(),
        // Every error of the command line ends like this.
        stderr if exit == 64 && !stderr.ends_with('…') => {
            format!("rmq-perm: {} (see --help)\n", named(stderr))
        }
        stderr => format!("rmq-perm: {}\n", named(stderr)),
    };
    match wanted.strip_suffix("…\n") {
        Some(begin) => {
            assert!(ended.stderr.starts_with(begin), "{way:?} {words:?}: {}", ended.stderr)
        }
        None => assert_eq!(ended.stderr, wanted, "{way:?} {words:?}"),
    }
}

#[test]
fn what_one_way_has_done_the_other_way_sees() {
    let cluster = managed();
    for (way, other) in [(WAYS[0], WAYS[1]), (WAYS[1], WAYS[0])] {
        let [vhost, user] = ["vhost", "user"].map(|what| format!("seen-{what}-{}", way.name()));
        let (vhost, user) = (&*vhost, &*user);
        let done = |way: Way, words: &[&str]| way.perm(cluster).arguments(words).run().expect(0);
        let seen = |words: &[&str]| {
            // Objects that other tests create meanwhile are ignored.
            let told = WAYS.map(|way| {
                let told = String::from_utf8(done(way, words).stdout).unwrap();
                let ours = told.split_inclusive('\n').filter(|line| line.contains("seen-"));
                ours.collect::<String>()
            });
            assert_eq!(told[0], told[1], "{words:?}");
            told[0].clone()
        };
        done(way, &["add-vhost", vhost]);
        way.perm(cluster).arguments(&["add-user", user]).input("secret\n").run().expect(0);
        done(way, &["set-tags", user, "mine", "monitoring"]);
        done(way, &["set", "-p", vhost, user, "a", "b", "c"]);
        done(way, &["set-topic", "-p", vhost, user, "amq.topic", "d", "e"]);
        assert!(seen(&["list-vhosts"]).contains(vhost));
        assert!(seen(&["list-users"]).contains(&format!("{user}\tmine,monitoring\n")));
        assert!(seen(&["list", "--all"]).contains(&format!("{vhost}\t{user}\ta\tb\tc\n")));
        assert_eq!(seen(&["list", "-p", vhost]), format!("{user}\ta\tb\tc\n"));
        let topics = seen(&["list-topic", "--all"]);
        assert!(topics.contains(&format!("{vhost}\t{user}\tamq.topic\td\te\n")), "{topics}");
        // A new password also works for AMQP, and has removed neither tags nor permissions.
        done(other, &["change-password", user, "--generate"]);
        assert!(seen(&["list-users"]).contains(&format!("{user}\tmine,monitoring\n")));
        done(other, &["delete-user", user]);
        done(other, &["delete-vhost", vhost]);
        assert!(!seen(&["list", "--all"]).contains(user));
    }
}

#[test]
fn a_password_that_was_generated_is_told_once_and_lets_the_user_in() {
    let cluster = managed();
    for way in WAYS {
        let user = format!("generated-{}", way.name());
        let told = way.perm(cluster).arguments(&["add-user", &user, "--generate"]).run().expect(0);
        let password = String::from_utf8(told.stdout).unwrap().trim().to_owned();
        way.perm(cluster).arguments(&["set-tags", &user, "administrator"]).run().expect(0);
        let address = rmq_tests::managed::http_address(cluster);
        let url = format!("http://{user}:{password}@{address}");
        let told =
            Way::Http.perm(cluster).arguments(&["--api", &url, "list-users"]).run().expect(0);
        assert!(!told.stderr.contains(&password), "{}", told.stderr);
        way.perm(cluster).arguments(&["delete-user", &user]).run().expect(0);
    }
}
