//! Names that cannot be used with the management API, because servers resolve them in a path.

use super::output;
use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS};

#[test]
fn a_virtual_host_called_dots_hides_no_other_and_a_file_with_one_changes_nothing() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    let perm = |place: usize, arguments: &[&str]| WAYS[place].perm(&cluster).arguments(arguments);
    let [distribution, http] = [0, 1];
    let file =
        "vhost\nfirst\n..\n\nuser,tags\nnew,\n\nvhost,user,configure,write,read\n..,new,,,\n";
    for option in ["--dry-run", "--anchor"] {
        let apply = perm(http, &["--quiet", "apply", option, "-"]).input(file).run().expect(65);
        assert_eq!(output(&apply), "");
        let apply = apply.says("line 3: the name '..' cannot be sent over HTTP");
        apply.says("line 9: ").says("2 errors; nothing was changed");
        assert!(!output(&perm(http, &["list-users"]).run().expect(0)).contains("new"));
    }
    perm(distribution, &["--quiet", "apply", "-"]).input(file).run().expect(0);
    // What is already so is not a change.
    perm(http, &["--quiet", "apply", "-"]).input(file).run().expect(0);
    for list in ["list-exchanges", "list-bindings", "list-queues"] {
        let listed = perm(http, &[list, "--all"]).run().expect(0);
        assert!(list != "list-exchanges" || output(&listed).contains("first\tamq.topic\t"));
        listed.says(".. is left out: the name '..' cannot be sent over HTTP");
    }
}
