//! Files with many queues, with few channels, on several virtual hosts, over connections that end.

use super::*;

#[test]
fn a_connection_that_is_lost_on_the_way_is_told_once_and_no_row_is_left_out() {
    let vhost = Vhost::new(brokers::one());
    let rows: String = (0..1000).map(|row| format!("q{row},classic\n")).collect();
    let tool = vhost.tool("rmq-declare").arguments(&["--csv", "-"]);
    let running = tool.input(format!("queue,type\n{rows}")).start();
    running.wait_stdout(1);
    vhost.close_connection_of(running.pid(), "for a test");
    let declared = running.wait().expect(0).says("for a test; trying again");
    assert_eq!(declared.stderr.lines().count(), 1, "{}", declared.stderr);
    let lines: String = (0..1000).map(|row| format!("q{row}\t0\t0\n")).collect();
    assert!(String::from_utf8(declared.stdout).unwrap() == lines);
}

#[test]
fn a_broker_that_allows_few_channels_is_asked_on_few() {
    const COUNT: usize = 30;
    for most in ["channel_max = 1", "channel_max = 5"] {
        let cluster = Cluster::up_with(1, &brokers::release(), &["--config", most]);
        let vhost = Vhost::new(&cluster);
        let rows: String = (0..COUNT).map(|row| format!("q{row},classic\n")).collect();
        let file = format!("queue,type\n{rows}");
        run(&vhost, &[], &file).expect(0);
        // Each row that differs ends a channel.
        let wrong = file.replace("classic", "stream");
        let refused = run(&vhost, &[], &wrong).expect(65);
        assert_eq!(
            refused.stderr.matches("stream was asked for").count(),
            COUNT,
            "{}",
            refused.stderr
        );
        let checked = run(&vhost, &["--check"], &file).expect(0);
        assert_eq!(String::from_utf8(checked.stdout).unwrap(), file);
    }
}

#[test]
fn many_queues_are_declared_compared_and_refused_each_for_itself() {
    let vhost = Vhost::new(brokers::one());
    let count = scale().queues;
    let file = |limit: usize| {
        let rows = (0..count).map(|row| format!("q{row},classic,{}\n", row % 7 + limit));
        rows.fold("queue,type,max-length\n".to_owned(), |file, row| file + &row)
    };
    let lines: String = (0..count).map(|row| format!("q{row}\t0\t0\n")).collect();
    for _ in 0..2 {
        let declared = run(&vhost, &[], &file(1)).expect(0);
        assert!(String::from_utf8(declared.stdout).unwrap() == lines);
    }
    // Each refusal ends a channel; the full form has more of them than a connection has numbers for.
    let refused = run(&vhost, &[], &file(20)).expect(65);
    assert_eq!(refused.stdout, b"");
    for (row, line) in refused.stderr.lines().enumerate() {
        let wanted = format!(
            "rmq-declare: line {}: declare q{row} in {}: it exists with --max-length \
                              (x-max-length) {}, {} was asked for;",
            row + 2,
            vhost.name,
            row % 7 + 1,
            row % 7 + 20
        );
        assert!(line.starts_with(&wanted), "{line}");
    }
    assert_eq!(refused.stderr.lines().count(), count);
    let checked = run(&vhost, &["--check"], &file(20)).expect(1);
    assert!(String::from_utf8(checked.stdout).unwrap() == file(1));
    let names: Vec<String> = (0..count).map(|row| format!("q{}", row * 2)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let looked =
        vhost.tool("rmq-declare").arguments(&["--check"]).arguments(&names).run().expect(1);
    let missing =
        looked.stdout.split(|byte| *byte == b'\n').filter(|it| it.ends_with(b"\tmissing"));
    assert_eq!(missing.count(), count / 2);
}

#[test]
fn a_file_may_have_queues_on_several_virtual_hosts() {
    let vhost = Vhost::new(brokers::one());
    let other = Vhost::new(brokers::one());
    let (here, there) = (vhost.name.as_str(), other.name.as_str());
    vhost.cluster.erlang(&format!(
        "begin ok = rabbit_auth_backend_internal:set_permissions(<<\"{here}\">>, <<\"{there}\">>, \
         <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"tests\">>), \"\" end"
    ));
    // On the other virtual host it is another queue, so there is no contradiction.
    let file = format!(
        "# Ours.\nvhost,queue,type,exchange,bind\n{here},q,quorum,,\n{there},q,classic,e:topic,e:k\n\
         {there},r,classic,,\n,s,classic,,\n# That is all.\n"
    );
    for _ in 0..2 {
        let declared = run(&vhost, &[], &file).expect(0).stdout;
        assert_eq!(declared, b"q\t0\t0\nq\t0\t0\nr\t0\t0\ns\t0\t0\n");
    }
    let kind = |vhost: &Vhost<'_>, queue: &str| vhost.arguments(queue);
    assert!(kind(&vhost, "q").unwrap().contains("quorum"));
    assert!(kind(&other, "q").unwrap().contains("classic"));
    assert_eq!((kind(&vhost, "r"), kind(&other, "s")), (None, None));
    assert!(kind(&other, "r").is_some() && kind(&vhost, "s").is_some());
    assert_eq!((other.exchange("e").is_some(), vhost.exchange("e")), (true, None));
    assert_eq!(other.bindings("q"), ["e k []"]);
    let checked = run(&vhost, &["--check"], &file).expect(0);
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), file);
    // Rows on a virtual host that is missing, or not accessible, fail alone.
    let wrong = format!("queue,vhost,type\na,nowhere,classic\nb,{there},classic\nc,/,classic\n");
    let failed = run(&vhost, &[], &wrong).expect(77);
    assert_eq!(failed.stdout, b"b\t0\t0\n");
    let failed = failed.says("rmq-declare: line 2: ").says("rmq-declare: line 4: ");
    assert!(!failed.stderr.contains("line 3"), "{}", failed.stderr);
}
