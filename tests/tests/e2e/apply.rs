//! rmq-perm apply: a file describes the permissions.

use rmq_tests::brokers;
use rmq_tests::cluster::Cluster;
use rmq_tests::scale::scale;
use rmq_tests::tool::{Ended, Tool, binary};
use rmq_tests::wait::wait_until;
use rustix::process::Signal;

/// The names of one test; everything with these names is removed.
struct Names<'a> {
    cluster: &'a Cluster,
    vhost: String,
    users: usize,
}

impl<'a> Names<'a> {
    fn new(test: &str, users: usize) -> Self {
        Names { cluster: brokers::one(), vhost: format!("apply-{test}"), users }
    }

    fn user(&self, number: usize) -> String {
        format!("{}-u{number}", self.vhost)
    }

    /// The options that lead to the broker, before other words.
    fn words<'b>(&'b self, words: &[&'b str]) -> Vec<&'b str> {
        [&["--cookie-file", self.cluster.variable("RMQ_COOKIE_FILE")], words].concat()
    }

    fn at_the_broker(&self, tool: Tool) -> Tool {
        let variable = |name| self.cluster.variable(name);
        tool.environment("RABBITMQ_NODENAME", variable("RABBITMQ_NODENAME"))
            .environment("ERL_EPMD_PORT", variable("ERL_EPMD_PORT"))
    }

    fn perm(&self, words: &[&str]) -> Tool {
        // During another test's 10,000 changes, RabbitMQ 3.10 lists slowly.
        let tool = self.at_the_broker(Tool::new("rmq-perm")).arguments(&["--timeout", "60s"]);
        tool.arguments(&self.words(words))
    }

    /// apply with options and a file's text; `{v}` is the virtual host, `{1}` the first user.
    fn apply(&self, options: &[&str], file: &str) -> Tool {
        self.perm(&[&["apply"], options, &["-"]].concat()).input(self.filled(file))
    }

    fn filled(&self, text: &str) -> String {
        let text = text.replace("{v}", &self.vhost);
        (1..=self.users.min(9))
            .fold(text, |text, number| text.replace(&format!("{{{number}}}"), &self.user(number)))
    }

    /// All permissions on the virtual host, as csv.
    fn listed(&self, command: &str) -> String {
        output(&self.perm(&[command, "-p", &self.vhost, "--format", "csv"]).run().expect(0))
    }

    /// The lines of a listing.
    fn listed_all(&self, command: &str) -> Vec<String> {
        output(&self.perm(&[command]).run().expect(0)).lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn has(&self, permissions: &str) {
        let wanted = format!("vhost,user,configure,write,read\n{permissions}");
        assert_eq!(self.listed("list"), self.filled(&wanted));
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        let (vhost, users) = (&self.vhost, self.users);
        let _ = self.cluster.try_erlang(
            1,
            &format!(
                "begin catch rabbit_vhost:delete(<<\"{vhost}\">>, <<\"tests\">>), [catch \
                 rabbit_auth_backend_internal:delete_user(iolist_to_binary([<<\"{vhost}-u\">>, \
                 integer_to_list(N)]), <<\"tests\">>) || N <- lists:seq(1, {users})], \"\" end"
            ),
        );
    }
}

fn output(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

const HEADER: &str = "vhost,user,configure,write,read\n";

#[test]
fn a_file_is_planned_then_made_and_then_there_is_nothing_to_do() {
    let names = Names::new("planned", 2);
    let file = "vhost,user,configure,write,read,exchange,tags\n\
                {v},{1},^a\\.b$,.*,\"^a,b$\",,\n{v},{1},,^k,,amq.topic,\n\
                {v},,,,,,\n,{2},,,,,\"monitoring,management\"\n,{1},,,,,\n";
    let plan = names.filled(
        "+vhost\t{v}\n+user\t{1}\t''\n+user\t{2}\tmanagement,monitoring\n\
         +permissions\t{v}\t{1}\t^a\\.b$\t.*\t^a,b$\n\
         +topic-permissions\t{v}\t{1}\tamq.topic\t^k\t''\n",
    );
    assert_eq!(output(&names.apply(&["--dry-run"], file).run().expect(1)), plan);
    names.perm(&["list", "-p", &names.vhost]).run().expect(65);
    let made = names.apply(&[], file).run().expect(0);
    assert_eq!(output(&made), plan);
    let made = made.says("column read: the comma in '^a,b$'");
    made.says(&names.filled("log in with one: 2: {1}, {2} (set it with"));
    names.has("{v},{1},^a\\.b$,.*,\"^a,b$\"\n");
    let again = names.apply(&["--quiet"], file).run().expect(0);
    assert_eq!((output(&again), again.stderr), (String::new(), String::new()));
    names.apply(&["--dry-run"], file).run().expect(0);

    // The output of the listings is a valid file that asks for what exists.
    for command in ["list", "list-topic"] {
        let listed = names.listed(command);
        let ended = names.apply(&["--prune", "--dry-run"], &listed).run().expect(0);
        assert_eq!(output(&ended), "", "{listed}");
    }
    let other = "vhost,user,configure,write,read\n{v},{1},,.*,\n";
    let changed =
        "-permissions\t{v}\t{1}\t^a\\.b$\t.*\t^a,b$\n+permissions\t{v}\t{1}\t''\t.*\t''\n";
    assert_eq!(output(&names.apply(&[], other).run().expect(0)), names.filled(changed));
    names.has("{v},{1},,.*,\n");
}

#[test]
fn a_user_has_the_password_of_the_hash_whether_new_or_there_and_keeps_it_where_there_is_none() {
    let names = Names::new("hash", 1);
    let hash = |password: &str| {
        names.cluster.erlang(&format!(
            "binary_to_list(base64:encode(rabbit_password:hash(<<\"{password}\">>)))"
        ))
    };
    let file = |hash: &str| format!("user,password_hash\n{{1}},{hash}\n");
    let first = hash("rabbit-hole-7");
    let made = names.apply(&[], &file(&first)).run().expect(0);
    let told = format!("{}{}", output(&made), made.stderr);
    assert!(!told.contains(&first) && !told.contains("no password"), "{told}");
    names.cluster.control(1, &["authenticate_user", &names.user(1), "rabbit-hole-7"]);
    names.apply(&[], &file(&hash("another"))).run().expect(0);
    assert_eq!(output(&names.apply(&[], &file("")).run().expect(0)), "");
    names.cluster.control(1, &["authenticate_user", &names.user(1), "another"]);
}

#[test]
fn every_mistake_is_told_with_its_line_and_nothing_is_changed() {
    let names = Names::new("mistakes", 2);
    names.apply(&[], "vhost,user\n{v},\n,{1}\n").run().expect(0);
    let file = "vhost,user,configure,write,read\n\
                {v},{1},^a$,,\n\"{v}\",{1},\"^\nb$\",,\n{v},{2}\n,,^c$,,\n";
    let ended = names.apply(&[], file).run().expect(65);
    let ended = ended.says("line 3: line 2 already sets this").says("line 5: this row has 2 cells");
    ended.says("line 6: the row names no vhost and no user").says("3 errors; nothing was changed");
    names.has("");

    let file = "vhost,user,configure,write,read\n\
                {v},{1},^a$,*,\nno-such-vhost,{1},,,\n{v},{2},,,a)|(b\n";
    for options in [&[][..], &["--dry-run"], &["--anchor"]] {
        let ended = names.apply(options, file).run().expect(67);
        let ended = ended.says("line 3, column vhost: no-such-vhost: no such vhost");
        let ended = ended.says(&names.filled("line 4, column user: {2}: no such user"));
        let ended = ended
            .says("line 4, column read: the broker does not accept the regular expression 'a)|(b'");
        assert_eq!(output(&ended), "");
    }
    names.has("");

    let ended = names.apply(&[], "vhst,usr\n{v},{2}\n").run().expect(65);
    ended.says("no column 'vhst' (vhost is one), no column 'usr' (user is one)");
    // Taken for a row, it would add a virtual host called user.
    let file = "vhost,description\n{v},\n\nuser,tgas\n{2},mine\n";
    let ended = names.apply(&[], file).run().expect(65);
    ended.says("line 4: no column 'tgas' (tags is one) (if it is not a header row, put");
    assert!(!names.listed_all("list-vhosts").contains(&"user".to_owned()));
    names.has("");
    names.apply(&["-p", "/"], "vhost\n{v}\n").run().expect(65).says("line 2, column vhost");
    names.perm(&["apply", "/no/such/file"]).run().expect(74).says("/no/such/file");
    names.perm(&["apply", "/"]).run().expect(74);
}

#[test]
fn what_a_file_lacks_goes_only_with_prune_and_after_a_yes() {
    let names = Names::new("prune", 2);
    let setup = "vhost,user,exchange,configure,write,read\n{v},,,,,\n,{1},,,,\n,{2},,,,\n\
                 {v},{1},,^a$,,\n{v},{2},,^b$,,\n{v},{2},amq.topic,,^k,\n";
    names.apply(&[], setup).run().expect(0);
    let both = "{v},{1},^a$,,\n{v},{2},^b$,,\n";
    let lacking = format!("{HEADER}{{v}},{{1}},^a$,,\n");
    let plan = names.filled("-permissions\t{v}\t{2}\t^b$\t''\t''\n");
    assert_eq!(output(&names.apply(&["--yes"], &lacking).run().expect(0)), "");
    let ended = names.apply(&["--prune", "--dry-run"], &lacking).run().expect(1);
    assert_eq!(output(&ended), plan);
    let told = ended.says("that the file does not name are not changed: /");
    assert!(!told.stderr.contains("the last line"), "{}", told.stderr);
    let cut = lacking.strip_suffix("^a$,,\n").unwrap().to_owned() + "^a,,";
    let dry = names.apply(&["--prune", "--dry-run"], &cut).run().expect(1);
    dry.says("standard input: the last line has no end; is the file complete?");
    told.says("the file has no column tags, so users that it does not name are not changed: ");
    let alone = ["--wait", binary("rmq-perm").to_str().unwrap()].map(str::to_owned);
    let alone = names
        .at_the_broker(Tool::program("setsid"))
        .arguments(&alone.each_ref().map(String::as_str))
        .arguments(&names.words(&["apply", "--prune", "-"]));
    alone.input(names.filled(&lacking)).run().expect(64).says("--yes");
    names.has(both);

    // On a terminal, an empty answer means no.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lacking.csv");
    std::fs::write(&path, names.filled(&lacking)).unwrap();
    let perm = binary("rmq-perm");
    let words = names.words(&["apply", "--prune", path.to_str().unwrap()]).join(" ");
    let command = format!("{} {words}", perm.display());
    for (answer, status, left) in [("\n", 1, both), ("y\n", 0, "{v},{1},^a$,,\n")] {
        let terminal = names.at_the_broker(Tool::program("script"));
        let mut asked = terminal.arguments(&["-qec", &command, "/dev/null"]).open_input().start();
        let question = "Remove what the file lacks (1 in all)?";
        rmq_tests::wait::wait_for(std::time::Duration::from_secs(30), question, || {
            String::from_utf8_lossy(&asked.stdout()).contains(question).then_some(())
        });
        asked.write(answer.as_bytes());
        asked.wait().expect(status);
        names.has(left);
    }

    // A listing of topic permissions does not affect others.
    let topics = "vhost,user,exchange,write,read\n{v},{1},amq.topic,,^k\n";
    let plan = "+topic-permissions\t{v}\t{1}\tamq.topic\t''\t^k\n\
                -topic-permissions\t{v}\t{2}\tamq.topic\t^k\t''\n";
    let ended = names.apply(&["--prune", "--yes"], topics).run().expect(0);
    assert_eq!(output(&ended), names.filled(plan));
    names.has("{v},{1},^a$,,\n");
    let vhost = &["--prune", "--yes", "-p", &names.vhost][..];
    let ended = names.apply(vhost, "vhost,user,configure,write,read\n{v},,,,\n").run().expect(0);
    assert!(!ended.stderr.contains("does not name"), "{}", ended.stderr);
    names.has("");
}

#[test]
fn a_run_that_was_stopped_or_killed_is_finished_by_the_next() {
    let names = Names::new("stopped", scale().permissions);
    let users = (1..=names.users).map(|number| names.user(number));
    let (mut file, mut wanted) = (format!("{HEADER}{{v}},,,,\n"), Vec::new());
    for user in users {
        file += &format!(",{user},,,\n{{v}},{user},^{user}\\.,.*,^a$\n");
        wanted.push(format!("{{v}},{user},^{user}\\.,.*,^a$\n"));
    }
    wanted.sort();
    let minutes = std::time::Duration::from_secs(600);
    let apply = || names.apply(&["--quiet"], &file).timeout(minutes);
    let told = names.apply(&[], &file).timeout(minutes).start();
    let first = names.user(1);
    wait_until(std::time::Duration::from_secs(60), "the first change", || {
        let exists = format!("rabbit_auth_backend_internal:exists(<<\"{first}\">>)");
        names.cluster.erlang(&format!("atom_to_list({exists})")) == "true"
    });
    told.signal(Signal::TERM);
    told.wait().expect_signal(Signal::TERM).says("changes were made; run it again to make");
    let killed = apply().start();
    // The plan is printed before the first change is made.
    killed.wait_stdout(1);
    killed.signal(Signal::KILL);
    killed.wait().expect_signal(Signal::KILL);
    let last = apply().run().expect(0);
    assert!(!last.stdout.is_empty(), "all was made before it was stopped");
    eprintln!("{} users and permissions: {:?} for what was left", names.users, last.took);
    names.has(&wanted.concat());
    assert_eq!(output(&apply().run().expect(0)), "");
}

#[test]
fn a_pattern_that_says_too_much_is_told_and_anchor_makes_it_whole() {
    let names = Names::new("anchor", 1);
    names.apply(&[], "vhost,user\n{v},\n,{1}\n").run().expect(0);
    let user = names.user(1);
    let set = |options: &[&str]| {
        let words = [&["set", "-p", &names.vhost], options, &[&user, "foo", "^a|b$", ".*"]];
        names.perm(&words.concat()).run().expect(0)
    };
    set(&[]).says("configure: 'foo' also matches xfoox").says("write ^(a|b)$");
    assert_eq!(set(&["--quiet"]).stderr, "");
    names.has("{v},{1},foo,^a|b$,.*\n");
    assert!(!set(&["--anchor"]).stderr.contains("matches"));
    names.has("{v},{1},^(?:foo)$,^(?:^a|b$)$,.*\n");
    let file = format!("{HEADER}{{v}},{{1}},bar,,.*\n");
    let told = names.apply(&["--dry-run"], &file).run().expect(1);
    told.says("standard input: line 2, column configure: 'bar' also matches xbarx");
    names.apply(&["--anchor"], &file).run().expect(0);
    names.has("{v},{1},^(?:bar)$,,.*\n");
}
