//! The default queue type of a virtual host: the type an application gets if it names none.

use super::output;
use rmq_tests::brokers::release;
use rmq_tests::managed::{WAYS, Way, managed};
use rmq_tests::tool::{Ended, Tool};
use rmq_tests::vhost::{PASSWORD, Vhost};

/// rmq-perm, over this transport.
fn perm(way: Way, words: &[&str]) -> Tool {
    way.perm(managed()).arguments(words)
}

/// What `list-vhosts` has of one virtual host.
fn described(way: Way, vhost: &str) -> String {
    let all = output(&perm(way, &["list-vhosts", "-v"]).run().expect(0));
    let begin = format!("{vhost}\t");
    all.lines().find_map(|line| line.strip_prefix(&begin)).unwrap().to_owned()
}

/// 3.10 cannot change the type of a virtual host that exists.
#[track_caller]
fn changed_or_refused(ended: Ended, exit: i32) {
    if release() == "3.10" {
        ended.expect(65).says("cannot change the default queue type");
    } else {
        ended.expect(exit);
    }
}

#[test]
fn an_application_that_names_no_type_finds_the_quorum_queue_it_means() {
    for way in WAYS {
        let name = format!("untyped-{}", way.name());
        perm(way, &["add-vhost", "--default-queue-type", "quorum", &name]).run().expect(0);
        let user = perm(way, &["add-user", "--replace", &name]).input(format!("{PASSWORD}\n"));
        user.run().expect(0);
        perm(way, &["set", "-p", &name, &name, ".*", ".*", ".*"]).run().expect(0);
        let vhost = Vhost::named(managed(), &name);
        vhost.declare(&["--quiet"], "ours");
        vhost.declare(&["--quiet", "--type", "classic"], "classic");
        let declare = |queue: &str| {
            let script = format!(
                "try:\n    channel.queue_declare('{queue}', durable=True)\n    print('found')\n\
                 except pika.exceptions.ChannelClosedByBroker as refused:\n    \
                 print(refused.reply_code)"
            );
            String::from_utf8(vhost.pika(&script)).unwrap()
        };
        assert_eq!(declare("ours"), "found\n", "{way:?}");
        assert_eq!(declare("theirs"), "found\n", "{way:?}");
        assert_eq!(declare("classic"), "406\n", "{way:?}");
        let types = perm(way, &["list-queues", "-p", &name, "name", "type"]).run().expect(0);
        assert_eq!(output(&types), "classic\tclassic\nours\tquorum\ntheirs\tquorum\n");
        perm(way, &["delete-vhost", &name]).run().expect(0);
        perm(way, &["delete-user", &name]).run().expect(0);
    }
}

#[test]
fn a_virtual_host_is_added_and_set_like_the_options_say_and_else_stays_as_it_is() {
    for (way, other) in [(WAYS[0], WAYS[1]), (WAYS[1], WAYS[0])] {
        let name = &*format!("like-{}", way.name());
        let of =
            ["--default-queue-type", "quorum", "--description", "für \"alle\"", "--tags", "b,a"];
        let add = [&["add-vhost", name], &of[..]].concat();
        perm(way, &add).run().expect(0);
        assert_eq!(described(other, name), "quorum\tfür \"alle\"\ta,b");
        perm(way, &add).run().expect(0).says("already exists");
        perm(way, &["add-vhost", name]).run().expect(0).says("already exists");
        let differs = perm(way, &["add-vhost", name, "--default-queue-type", "stream"]);
        differs.run().expect(65).says("already exists, with default queue type quorum; nothing");
        perm(way, &["set-vhost", "--description", "", name]).run().expect(0);
        assert_eq!(described(other, name), "quorum\t''\ta,b");
        perm(way, &["set-vhost", "--tags", "", name]).run().expect(0);
        let set = perm(way, &["set-vhost", "--default-queue-type", "classic", name]).run();
        changed_or_refused(set, 0);
        let kind = if release() == "3.10" { "quorum" } else { "classic" };
        assert_eq!(described(other, name), format!("{kind}\t''\t-"));
        // This has given permissions to no user.
        let listed = perm(way, &["list", "-p", name]).run().expect(0);
        assert_eq!(output(&listed), "");
        perm(way, &["set-vhost", "--tags", "a", "like-none"])
            .run()
            .expect(65)
            .says("no such vhost");
        perm(way, &["set-vhost", name]).run().expect(64).says("nothing to set");
        let wrong = perm(way, &["add-vhost", "--default-queue-type", "lazy", name]);
        wrong.run().expect(64).says("use classic, quorum or stream");
        perm(way, &["delete-vhost", name]).run().expect(0);
    }
}

#[test]
fn a_file_says_what_virtual_hosts_are_like() {
    for way in WAYS {
        let [old, new] = ["old", "new"].map(|which| format!("file-{which}-{}", way.name()));
        perm(way, &["add-vhost", "--default-queue-type", "quorum", &old]).run().expect(0);
        let apply = |options: &[&str], rows: &str| {
            let file = format!("vhost,default_queue_type,description,tags\n{rows}");
            perm(way, &[&["apply", "-"], options].concat()).input(file).run()
        };
        let rows = format!("{old},,mine,\n{new},stream,theirs,\"x,y\"\n");
        let plan = format!(
            "+vhost\t{new}\n+default-queue-type\t{new}\tstream\n+description\t{new}\ttheirs\n\
             +vhost-tags\t{new}\tx,y\n+description\t{old}\tmine\n"
        );
        assert_eq!(output(&apply(&["--dry-run"], &rows).expect(1)), plan);
        assert_eq!(output(&apply(&[], &rows).expect(0)), plan);
        assert_eq!(output(&apply(&[], &rows).expect(0)), "");
        assert_eq!(described(way, &old), "quorum\tmine\t-");
        assert_eq!(described(way, &new), "stream\ttheirs\tx,y");
        // Either it is possible, or nothing is changed.
        let rows = format!("{new},quorum,,\n{new}-2,quorum,,\n");
        changed_or_refused(apply(&[], &rows), 0);
        let names = output(&perm(way, &["list-vhosts"]).run().expect(0));
        assert_eq!(names.contains(&format!("{new}-2\n")), release() != "3.10");
        for vhost in [&old, &new, &format!("{new}-2")] {
            perm(way, &["--quiet", "delete-vhost", vhost]).run().expect(0);
        }
    }
}
