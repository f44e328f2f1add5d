//! One table of cases, each through every way.

use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{WAYS, Way, managed};

/// What is typed, what is on standard input, and what comes: the exit status, standard output, and
/// what stands on standard error behind the tool's name (nothing where it is empty; only how it
/// begins where it ends with an ellipsis). `@` is a name of the way's own.
type Case = (&'static [&'static str], &'static str, i32, &'static str, &'static str);

const CASES: &[Case] = &[
    // Virtual hosts.
    (&["add-vhost", "@v"], "", 0, "", ""),
    (&["add-vhost", "@v"], "", 0, "", "add vhost @v: already exists"),
    (&["add-vhost", "@a/b ?#%ü"], "", 0, "", ""),
    (&["delete-vhost", "@a/b ?#%ü"], "", 0, "", ""),
    (
        &["delete-vhost", "@a/b ?#%ü"],
        "",
        0,
        "",
        "delete vhost @a/b ?#%ü: no such vhost; nothing to delete",
    ),
    (&["add-vhost", ""], "", 65, "", "a virtual host's name cannot be empty"),
    (&["list", "-p", "@v"], "", 0, "", ""),
    // Users.
    (&["add-user", "@u"], "secret-1\n", 0, "", ""),
    (
        &["add-user", "@u"],
        "secret-2\n",
        65,
        "",
        "add user @u: the user already exists; nothing was changed (change-password sets a new password, add-user --replace also these tags)",
    ),
    (
        &["add-user", "@hash", "--pre-hashed-password"],
        "VBzI8ylGfRQe1cWow92fSquUvNfwfDkmDpVysCO3Qh1TgI6x\n",
        0,
        "",
        "",
    ),
    (
        &["add-user", "@hash", "--pre-hashed-password"],
        "VBzI8ylGfRQe1cWow92fSquUvNfwfDkmDpVysCO3Qh1TgI6x\n",
        65,
        "",
        "add user @hash: the user already exists…",
    ),
    (&["add-user", "@x", "secret"], "", 64, "", "add user @x: a password on the command line…"),
    (&["set-tags", "@u", "monitoring", "mine"], "", 0, "", ""),
    (&["set-tags", "@nobody", "mine"], "", 67, "", "set tags of @nobody: no such user"),
    (&["change-password", "@u"], "secret-3\n", 0, "", ""),
    (
        &["change-password", "@u", "--pre-hashed-password"],
        "VBzI8ylGfRQe1cWow92fSquUvNfwfDkmDpVysCO3Qh1TgI6x\n",
        0,
        "",
        "",
    ),
    (
        &["change-password", "@nobody"],
        "secret-3\n",
        67,
        "",
        "change the password of @nobody: no such user",
    ),
    (&["delete-user", "@hash"], "", 0, "", ""),
    (&["delete-user", "@hash"], "", 0, "", "delete user @hash: no such user; nothing to delete"),
    (
        &["add-user", "@r", "--replace", "--tags", "mine"],
        "one\n",
        0,
        "",
        "RabbitMQ does not know the tag…",
    ),
    (&["add-user", "@r", "--replace", "--tags", "monitoring,management"], "two\n", 0, "", ""),
    (&["add-user", "@r", "--replace"], "two\n", 0, "", ""),
    (&["--quiet", "set-tags", "@r", "adminstrator"], "", 0, "", ""),
    (
        &["add-user", "@r", "--replace", "--tags", "adminstrator"],
        "two\n",
        0,
        "",
        "RabbitMQ does not know the tag 'adminstrator' (did you mean administrator?)",
    ),
    (&["delete-user", "@r"], "", 0, "", ""),
    // Their passwords; who may not use the management API can still log in.
    (&["add-user", "@plain"], "right\n", 0, "", ""),
    (&["add-user", "@bare", "--tags", "monitoring"], "right\n", 0, "", ""),
    (&["authenticate", "@plain"], "right\n", 0, "", ""),
    (&["authenticate_user", "@bare"], "right\n", 0, "", ""),
    (
        &["authenticate", "@plain"],
        "wrong\n",
        77,
        "",
        "authenticate @plain: the broker refused it: a wrong password, or no such user",
    ),
    (&["authenticate", "@bare"], "wrong\n", 77, "", "authenticate @bare: the broker refused it: …"),
    (&["authenticate", "@nobody"], "right\n", 77, "", "authenticate @nobody: the broker refused…"),
    (&["authenticate", "@plain", "right"], "", 64, "", "authenticate @plain: a password on the…"),
    (&["delete-user", "@plain"], "", 0, "", ""),
    (&["delete-user", "@bare"], "", 0, "", ""),
    // Permissions.
    (&["set", "-p", "@v", "@u", "^a", "", ".*"], "", 0, "", ""),
    (&["list", "-p", "@v"], "", 0, "@u\t^a\t''\t.*\n", ""),
    (&["list", "@u"], "", 0, "@v\t^a\t''\t.*\n", ""),
    (&["list", "-p", "@v", "@u"], "", 0, "@v\t^a\t''\t.*\n", ""),
    (&["list", "-p", "/", "@u"], "", 0, "", ""),
    (
        &["list", "-p", "@v", "--format", "csv"],
        "",
        0,
        "vhost,user,configure,write,read\n@v,@u,^a,,.*\n",
        "",
    ),
    (
        &["list_user_permissions", "@u", "--format", "json"],
        "",
        0,
        "[{\"configure\":\"^a\",\"read\":\".*\",\"user\":\"@u\",\"vhost\":\"@v\",\"write\":\"\"}]\n",
        "",
    ),
    (&["list", "@nobody"], "", 67, "", "list permissions of @nobody: no such user"),
    (&["list", "-p", "@none"], "", 65, "", "list permissions on @none: no such vhost"),
    (&["list", "-p", "@none", "@u"], "", 65, "", "list permissions of @u on @none: no such vhost"),
    (
        &["list", "-p", "@none", "@nobody"],
        "",
        67,
        "",
        "list permissions of @nobody on @none: no such user",
    ),
    (
        &["set", "-p", "@v", "@u", "*", "", ".*"],
        "",
        65,
        "",
        "set permissions of @u on @v: the broker does not accept the regular expression '*': …",
    ),
    (
        &["set", "-p", "@v", "@u", "", "ü(", ".*"],
        "",
        65,
        "",
        "set permissions of @u on @v: the broker does not accept the regular expression 'ü(': missing …",
    ),
    (
        &["set", "-p", "@v", "@u", "", "", "["],
        "",
        65,
        "",
        "set permissions of @u on @v: the broker does not accept the regular expression '[': missing terminating ] for character class at offset …",
    ),
    (
        &["set", "-p", "@v", "@nobody", "", "", ""],
        "",
        67,
        "",
        "set permissions of @nobody on @v: no such user",
    ),
    (
        &["set", "-p", "@none", "@u", "", "", ""],
        "",
        65,
        "",
        "set permissions of @u on @none: no such vhost",
    ),
    (
        &["set", "-p", "@none", "@nobody", "", "", ""],
        "",
        67,
        "",
        "set permissions of @nobody on @none: no such user",
    ),
    (
        &["set", "-p", "@none", "@u", "", "(", ""],
        "",
        65,
        "",
        "set permissions of @u on @none: the broker does not accept the regular expression '(': …",
    ),
    // What a listing writes for the empty pattern is taken back, and a backslash is as it is.
    (&["set", "-p", "@v", "@u", "^a\\.b", "''", "''"], "", 0, "", ""),
    (&["list", "-p", "@v"], "", 0, "@u\t^a\\.b\t''\t''\n", ""),
    (&["--anchor", "set", "-p", "@v", "@u", "a", "b", "c"], "", 0, "", ""),
    (&["list", "-p", "@v"], "", 0, "@u\t^(?:a)$\t^(?:b)$\t^(?:c)$\n", ""),
    (&["set", "-p", "@v", "@u", "^a", "", ".*"], "", 0, "", ""),
    (&["list_user_permissions"], "", 64, "", "missing: USER (rmq-perm list lists a virtual host)"),
    (&["list_user_permissions", ""], "", 65, "", "a user's name cannot be empty"),
    (
        &["delete_queue", "q"],
        "",
        64,
        "",
        "unknown command delete_queue; that is: rmq-declare --delete QUEUE",
    ),
    (
        &["hash-password"],
        "",
        64,
        "",
        "unknown command hash-password; that is: rabbitmqctl hash_password",
    ),
    (
        &["set-topic", "-p", "@v", "@u", "amq.default", "a", "b"],
        "",
        65,
        "",
        "set topic permissions of @u at amq.default on @v: amq.default is an exchange of type direct…",
    ),
    (&["list_queues", "name", "mesages"], "", 64, "", "no column 'mesages'; did you…"),
    (&["list_queues", "-p", "@v", "name", "messages"], "", 0, "", ""),
    (&["-u", "amqp://h", "list-queues"], "", 64, "", "rmq-perm has no --url: give a node…"),
    // Nothing of all that was refused has changed anything.
    (&["list", "-p", "@v"], "", 0, "@u\t^a\t''\t.*\n", ""),
    // What they allow.
    (&["check", "-p", "@v", "@u", "configure", "abc"], "", 0, "yes\n", ""),
    (&["check", "-p", "@v", "@u", "configure", "cba"], "", 1, "no\n", ""),
    (&["check", "-p", "@v", "@u", "write", "abc"], "", 1, "no\n", ""),
    (&["check", "-p", "@v", "@u", "read", ""], "", 0, "yes\n", ""),
    (&["check", "-p", "/", "@u", "read", "abc"], "", 1, "no\n", ""),
    (
        &["check", "-p", "@v", "@nobody", "read", "abc"],
        "",
        67,
        "",
        "check permissions of @nobody on @v: no such user",
    ),
    (
        &["check", "-p", "@none", "@u", "read", "abc"],
        "",
        65,
        "",
        "check permissions of @u on @none: no such vhost",
    ),
    (
        &["set", "-p", "@v", "@u", "^(?!amq\\.).+$", "^(\\w)\\1$", "(?i)^JOBS|amq.default$"],
        "",
        0,
        "",
        "",
    ),
    (&["check", "-p", "@v", "@u", "configure", "amq.topic"], "", 1, "no\n", ""),
    (&["check", "-p", "@v", "@u", "configure", "jobs"], "", 0, "yes\n", ""),
    (&["check", "-p", "@v", "@u", "write", "aa"], "", 0, "yes\n", ""),
    (&["check", "-p", "@v", "@u", "write", "ab"], "", 1, "no\n", ""),
    (&["set", "-p", "@v", "@u", "", "^amq.default$", ""], "", 0, "", ""),
    (
        &["check", "-p", "@v", "@u", "write", "ab"],
        "",
        1,
        "no\n",
        "@u can also publish to a queue named ab through the default exchange (amq.default)",
    ),
    (&["check", "-p", "@v", "@u", "write", ""], "", 0, "yes\n", ""),
    (&["set", "-p", "@v", "@u", "^(?!amq\\.).+$", "", "(?i)^JOBS|amq.default$"], "", 0, "", ""),
    (&["check", "-p", "@v", "@u", "read", "jobs-x"], "", 0, "yes\n", ""),
    (&["check", "-p", "@v", "@u", "read", ""], "", 0, "yes\n", ""),
    // Topic permissions.
    (&["set-topic", "-p", "@v", "@u", "amq.topic", "^a", "b$"], "", 0, "", ""),
    (&["set-topic", "-p", "@v", "@u", "amq.rabbitmq.trace", "", ".*"], "", 0, "", ""),
    (
        &["set-topic", "-p", "@v", "@u", "amq.direct", "", ".*"],
        "",
        65,
        "",
        "set topic permissions of @u at amq.direct on @v: amq.direct is an exchange of type direct, where topic permissions restrict nothing; give a topic exchange",
    ),
    (
        &["list-topic", "-p", "@v"],
        "",
        0,
        "@u\tamq.rabbitmq.trace\t''\t.*\n@u\tamq.topic\t^a\tb$\n",
        "",
    ),
    (
        &["list-topic", "@u", "--format", "csv"],
        "",
        0,
        "vhost,user,exchange,write,read\n@v,@u,amq.rabbitmq.trace,,.*\n@v,@u,amq.topic,^a,b$\n",
        "",
    ),
    (
        &["set-topic", "-p", "@v", "@u", "@none", "", ""],
        "",
        65,
        "",
        "set topic permissions of @u at @none on @v: no such exchange: @none",
    ),
    (
        &["set-topic", "-p", "@v", "@u", "amq.topic", "(", ""],
        "",
        65,
        "",
        "set topic permissions of @u at amq.topic on @v: the broker does not accept the regular expression '(': missing …",
    ),
    (
        &["set-topic", "-p", "@v", "@nobody", "amq.topic", "", ""],
        "",
        67,
        "",
        "set topic permissions of @nobody at amq.topic on @v: no such user",
    ),
    (
        &["set-topic", "-p", "@none", "@u", "amq.topic", "", ""],
        "",
        65,
        "",
        "set topic permissions of @u at amq.topic on @none: no such vhost",
    ),
    (&["clear-topic", "-p", "@v", "@u", "amq.fanout"], "", 0, "", ""),
    (&["clear-topic", "-p", "@v", "@u", "amq.rabbitmq.trace"], "", 0, "", ""),
    (&["list-topic", "-p", "@v", "@u"], "", 0, "@v\tamq.topic\t^a\tb$\n", ""),
    (&["clear-topic", "-p", "@v", "@u"], "", 0, "", ""),
    (&["clear-topic", "-p", "@v", "@u"], "", 0, "", ""),
    (&["list-topic", "-p", "@v"], "", 0, "", ""),
    (
        &["clear-topic", "-p", "@v", "@nobody"],
        "",
        67,
        "",
        "clear topic permissions of @nobody on @v: no such user",
    ),
    (
        &["clear-topic", "-p", "@none", "@u", "amq.topic"],
        "",
        65,
        "",
        "clear topic permissions of @u on @none: no such vhost",
    ),
    (&["list-topic", "@nobody"], "", 67, "", "list topic permissions of @nobody: no such user"),
    (&["list-topic", "-p", "@none"], "", 65, "", "list topic permissions on @none: no such vhost"),
    // Limits.
    (
        &["set-vhost-limits", "-p", "@v", "--max-connections", "5", "--max-queues", "0"],
        "",
        0,
        "",
        "",
    ),
    (&["list-vhost-limits", "-p", "@v"], "", 0, "@v\t5\t0\n", ""),
    (&["set_vhost_limits", "-p", "@v", "{\"max-queues\":-1,\"max-connections\":7}"], "", 0, "", ""),
    (
        &["list-vhost-limits", "-p", "@v", "--format", "csv"],
        "",
        0,
        "vhost,max_connections,max_queues\n@v,7,\n",
        "",
    ),
    (&["clear-vhost-limits", "-p", "@v"], "", 0, "", ""),
    (&["clear-vhost-limits", "-p", "@v"], "", 0, "", ""),
    (&["list-vhost-limits", "-p", "@v"], "", 0, "", ""),
    (
        &["set-vhost-limits", "-p", "@none", "--max-queues", "1"],
        "",
        65,
        "",
        "set limits of vhost @none: no such vhost",
    ),
    (
        &["list-vhost-limits", "-p", "@none"],
        "",
        65,
        "",
        "list limits of vhost @none: no such vhost",
    ),
    (
        &["set-vhost-limits", "-p", "@v"],
        "",
        64,
        "",
        "set-vhost-limits: nothing to set: give --max-…",
    ),
    (
        &["set-vhost-limits", "-p", "@v", "--max-queues", "1k"],
        "",
        64,
        "",
        "--max-queues 1k: '1k' is not a limit; give a number up to 2147483647, or none…",
    ),
    (&["set-user-limits", "@u", "--max-channels", "9"], "", 0, "", ""),
    (&["set-user-limits", "@u", "--max-connections", "2147483647"], "", 0, "", ""),
    (&["list-user-limits", "@u"], "", 0, "@u\t2147483647\t9\n", ""),
    (&["clear-user-limits", "@u", "max-connections"], "", 0, "", ""),
    (&["set-user-limits", "@u", "--max-connections", "none"], "", 0, "", ""),
    (&["list_user_limits", "@u"], "", 0, "@u\t-\t9\n", ""),
    (&["clear_user_limits", "@u", "all"], "", 0, "", ""),
    (&["list-user-limits", "@u"], "", 0, "", ""),
    (
        &["set-user-limits", "@nobody", "--max-channels", "9"],
        "",
        67,
        "",
        "set limits of user @nobody: no such user",
    ),
    (&["clear-user-limits", "@nobody"], "", 67, "", "clear limits of user @nobody: no such user"),
    (&["list-user-limits", "@nobody"], "", 67, "", "list limits of user @nobody: no such user"),
    (&["clear-user-limits", "@u", "max-queues"], "", 64, "", "'max-queues' is not a limit; use…"),
    // And away with it.
    (&["clear", "-p", "@v", "@u"], "", 0, "", ""),
    (&["clear", "-p", "@v", "@u"], "", 0, "", ""),
    (
        &["clear", "-p", "@v", "@nobody"],
        "",
        67,
        "",
        "clear permissions of @nobody on @v: no such user",
    ),
    (
        &["clear", "-p", "@none", "@u"],
        "",
        65,
        "",
        "clear permissions of @u on @none: no such vhost",
    ),
    (&["list-queues", "-p", "@v"], "", 0, "", ""),
    (&["list-queues", "-p", "@none"], "", 65, "", "list queues of @none: no such vhost"),
    (&["set-tags", "@u"], "", 0, "", ""),
    (&["delete-vhost", "@v"], "", 0, "", ""),
    (&["delete-user", "@u"], "", 0, "", ""),
];

#[test]
fn every_case_goes_through_every_way() {
    let cluster = managed();
    std::thread::scope(|scope| {
        for way in WAYS {
            scope.spawn(move || {
                for case in CASES {
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
        // What a pattern may not be meant to say is another test's.
        words.push("--quiet");
    }
    let ended = way.perm(cluster).arguments(&words).input(input).run().expect(exit);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), named(stdout), "{way:?} {words:?}");
    let wanted = match stderr {
        "" => String::new(),
        // Every error of the command line ends so.
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
            // What other tests make meanwhile is not looked at.
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
        // A new password is one for AMQP, too, and took away neither tags nor permissions.
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
