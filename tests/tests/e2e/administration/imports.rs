//! Many permissions by `apply`, which over HTTP go in imports of definitions.

use rmq_tests::cluster::Cluster;
use rmq_tests::lost_answers::answers_after;
use rmq_tests::managed::{WAYS, Way, http_address, managed};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::Vhost;
use std::fmt::Write;
use std::io::Read;

/// More than go in one import at first.
const USERS: usize = 150;

/// A virtual host with users whose names begin with its own, and who are taken away again.
struct Crowd {
    cluster: &'static Cluster,
    vhost: Vhost<'static>,
}

impl Crowd {
    fn new() -> Self {
        let cluster = managed();
        let crowd = Crowd { cluster, vhost: Vhost::new(cluster) };
        let rows: String = (0..USERS).map(|number| format!("{},\n", crowd.user(number))).collect();
        crowd.apply(Way::Distribution, &format!("user,tags\n{rows}")).run().expect(0);
        crowd
    }

    fn user(&self, number: usize) -> String {
        format!("{}-u{number}", self.vhost.name)
    }

    fn apply(&self, way: Way, file: &str) -> Tool {
        let words = ["--timeout", "60s", "--quiet", "apply", "-"];
        way.perm(self.cluster).arguments(&words).input(file.to_owned())
    }

    /// Permissions of each, whose patterns the broker is asked about, and topic permissions.
    fn file(&self, configure: &str) -> String {
        let (vhost, mut file) = (&self.vhost.name, String::from(HEADER));
        for number in 0..USERS {
            let user = self.user(number);
            writeln!(file, "{vhost},{user},^[{configure}]-{number}$,ü?,.*,").unwrap();
            writeln!(file, "{vhost},{user},,^{configure}$,^{number}$,amq.topic").unwrap();
        }
        file
    }

    fn permissions(&self) -> String {
        let words = ["list", "-p", &self.vhost.name];
        text(&Way::Http.perm(self.cluster).arguments(&words).run().expect(0))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.cluster.try_erlang(
            1,
            &format!(
                "begin [catch rabbit_auth_backend_internal:delete_user(iolist_to_binary([<<\"{}-u\">>, \
                 integer_to_list(N)]), <<\"tests\">>) || N <- lists:seq(0, {USERS})], \"\" end",
                self.vhost.name
            ),
        );
    }
}

const HEADER: &str = "vhost,user,configure,write,read,exchange\n";

fn text(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

#[test]
fn many_permissions_are_set_and_changed_and_others_left_alone_by_both_ways() {
    for way in WAYS {
        let crowd = Crowd::new();
        let before = crowd.permissions();
        for configure in ["a", "b"] {
            let file = crowd.file(configure);
            let plan = text(&crowd.apply(way, &file).run().expect(0));
            assert_eq!(plan.matches("+permissions").count(), USERS, "{way:?}");
            assert_eq!(plan.matches("+topic-permissions").count(), USERS, "{way:?}");
            assert_eq!(text(&crowd.apply(way, &file).run().expect(0)), "", "{way:?}");
        }
        let after = crowd.permissions();
        let others = after.lines().filter(|line| !line.contains("-u"));
        assert_eq!(others.collect::<Vec<_>>(), before.lines().collect::<Vec<_>>());
    }
}

#[test]
fn one_of_many_that_is_refused_is_named_and_the_others_are_set() {
    let crowd = Crowd::new();
    let vhost = &crowd.vhost.name;
    let long = "x".repeat(400);
    let mut file = HEADER.to_owned();
    for number in 0..USERS {
        writeln!(file, "{vhost},{},^{long}{number}$,{long},,", crowd.user(number)).unwrap();
    }
    // The plan does not fit the pipe, so nothing is changed before it is read.
    let mut running = crowd.apply(Way::Http, &file).output_to_pipe().start();
    let mut plan = running.take_output();
    plan.read_exact(&mut [0]).unwrap();
    let gone = crowd.user(60);
    Way::Distribution.perm(crowd.cluster).arguments(&["delete-user", &gone]).run().expect(0);
    std::io::copy(&mut plan, &mut std::io::sink()).unwrap();
    let why = format!("line 62: set permissions of {gone} on {vhost}: no such user; 149 of 150 ");
    running.wait().expect(67).says(&why);
    let listed = crowd.permissions();
    let set = listed.lines().filter(|line| line.contains("-u")).count();
    assert!(set == USERS - 1 && !listed.contains(&gone), "{set}: {listed}");
}

#[test]
fn an_import_whose_answer_is_lost_may_have_been_made_and_is_not_made_again() {
    let crowd = Crowd::new();
    let api = format!("http://{}", answers_after("POST ", &http_address(crowd.cluster)));
    let words = ["--api", &api, "--timeout", "5s", "--quiet", "apply", "-"];
    let told = Tool::new("rmq-perm").arguments(&words).input(crowd.file("a")).run().expect(75);
    told.says("within 5s; whether it was done is unknown, and so for 99 more; 0 of 300");
}
