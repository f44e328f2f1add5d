//! What a broker refuses only temporarily: it is tried again, and ends with 75 if it does not pass.

use rmq_tests::brokers;
use rmq_tests::tool::Tool;
use rmq_tests::vhost::Vhost;
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn a_queue_in_exclusive_use_is_waited_for_and_75_where_that_lasts() {
    let vhost = Vhost::new(brokers::one());
    vhost.declare(&["--type", "classic"], "q");
    let script = format!(
        "import pika, sys\n\
         connection = pika.BlockingConnection(pika.URLParameters('{}'))\n\
         channel = connection.channel()\n\
         channel.basic_consume('q', lambda *_: None, exclusive=True)\n\
         print('consuming', flush=True)\n\
         channel.start_consuming()\n",
        vhost.url()
    );
    let other = Tool::program("/usr/bin/python3").arguments(&["-c", &script]).start();
    other.wait_stdout("consuming\n".len());
    let refused = vhost.receive(&["--retry", "1s", "q"]).run().expect(75);
    refused.says("receive from q: ").says("in exclusive use");
    let waiting = vhost.receive(&["-n", "1", "q"]).start();
    waiting.wait_stderr("in exclusive use");
    other.signal(Signal::KILL);
    other.wait();
    vhost.send(&["-b", "hello", "q"]).run().expect(0);
    assert_eq!(waiting.wait().expect(0).stdout, b"hello\n");
}

#[test]
fn a_classic_queue_whose_node_is_down_is_waited_for_and_75_where_that_lasts() {
    let cluster = brokers::three_to_break();
    let vhost = Vhost::new(&cluster);
    let hosts: Vec<&str> = cluster.hosts().split(',').collect();
    // It lives on the node that it is declared on.
    let there = vhost.url_through(hosts[1]);
    let declare = vhost.tool("rmq-declare").arguments(&["--url", &there, "--type", "classic", "q"]);
    declare.run().expect(0);
    vhost.send(&["-b", "hello", "q"]).run().expect(0);
    let here = vhost.url_through(&format!("{},{}", hosts[0], hosts[2]));
    cluster.stop(&[2]);
    let short = ["--url", &here, "--retry", "1s"];
    let receive = vhost.receive(&short).arguments(&["q"]).run().expect(75);
    assert!(!receive.stderr.contains("no such queue"), "{}", receive.stderr);
    let check = vhost.tool("rmq-declare").arguments(&short).arguments(&["--check", "q"]);
    let check = check.timeout(Duration::from_secs(120)).run().expect(1);
    assert_eq!(check.stdout, b"q\tdown\n", "{}", check.stderr);
    let waiting = vhost.receive(&["--url", &here, "-n", "1", "q"]).start();
    waiting.wait_stderr("lost the connection to ");
    cluster.start(&[2]);
    assert_eq!(waiting.wait().expect(0).stdout, b"hello\n");
}
