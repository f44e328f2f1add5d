//! A node that closes a connection on which it has received nothing for a second, which is the
//! lowest possible `net_ticktime`, and tools that are busy for longer.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::Way;
use rmq_tests::tool::{Tool, binary};
use rmq_tests::wait::wait_for;
use std::time::Duration;

fn impatient() -> Cluster {
    let cluster = Cluster::up(1, &release());
    cluster.erlang("begin net_kernel:set_net_ticktime(1, 0), \"\" end");
    wait_for(Duration::from_secs(10), "the tick time", || {
        let set = cluster.erlang("integer_to_list(net_kernel:get_net_ticktime())");
        set.contains('1').then_some(())
    });
    cluster
}

#[test]
fn the_connection_lasts_while_large_answers_are_decoded_and_a_question_waits() {
    let cluster = impatient();
    let vhost = "<<\"/\">>";
    let big = "[{<<\"x-wide\">>, array, lists:duplicate(100000, {void, undefined})}]";
    for first in [1, 7] {
        cluster.erlang(&format!(
            "begin [rabbit_amqqueue:declare({{resource, {vhost}, queue, integer_to_binary(N)}}, true, \
             false, {big} ++ [{{<<\"x-queue-type\">>, longstr, <<\"classic\">>}}], none, <<\"test\">>) \
             || N <- lists:seq({first}, {first} + 5)], \"\" end"
        ));
    }
    let listed = Way::Distribution.perm(&cluster).arguments(&["list-queues", "-v"]);
    let listed = listed.timeout(Duration::from_secs(60)).run().expect(0);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(text.matches(&"null,".repeat(99_999)).count(), 12, "{}", listed.stderr);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lacking.csv");
    std::fs::write(&path, "vhost,user,configure,write,read\n/,,,,\n").unwrap();
    let command = format!(
        "{} --cookie-file {} apply --prune {}",
        binary("rmq-perm").display(),
        cluster.variable("RMQ_COOKIE_FILE"),
        path.display()
    );
    let terminal = Tool::program("script")
        .environment("RABBITMQ_NODENAME", cluster.variable("RABBITMQ_NODENAME"))
        .environment("ERL_EPMD_PORT", cluster.variable("ERL_EPMD_PORT"));
    let mut asked = terminal.arguments(&["-qec", &command, "/dev/null"]).open_input().start();
    wait_for(Duration::from_secs(30), "the question", || {
        String::from_utf8_lossy(&asked.stdout()).contains("[y/N]").then_some(())
    });
    // The test is that nothing happens.
    std::thread::sleep(Duration::from_secs(2));
    asked.write(b"y\n");
    asked.wait().expect(0);
    let left = Way::Distribution.perm(&cluster).arguments(&["list"]).run().expect(0);
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}
