//! systemd units.

use super::*;

/// A unit, checked by systemd itself; its exposure must be below three of ten.
fn checked_unit(name: &str, instance: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let unit = examples().join("systemd").join(name);
    let copy = directory.path().join(name.replace('@', &format!("@{instance}")));
    fs::copy(&unit, &copy).unwrap();
    let systemd = |words: &[&str]| {
        let words = [words, &[copy.to_str().unwrap()]].concat();
        let told = Tool::program("systemd-analyze").arguments(&words).run().expect(0);
        (told.stderr, String::from_utf8_lossy(&told.stdout).into_owned())
    };
    let (told, _) = systemd(&["verify", "--man=no"]);
    assert!(!told.contains("rmq-"), "{told}");
    let words = ["security", "--offline=true", "--no-pager", "--threshold=30"];
    let (_, exposure) = systemd(&words);
    assert!(exposure.contains("Overall exposure level"), "{exposure}");
    fs::read_to_string(&unit).unwrap()
}

#[test]
fn the_unit_of_a_worker_is_valid_and_runs_a_command_for_each_message() {
    let text = checked_unit("rmq-recv@.service", "thumbnails");
    let line = |begins: &str| text.lines().find_map(|line| line.strip_prefix(begins)).unwrap();
    assert!(line("LoadCredential=").starts_with("password:"));
    let vhost = Vhost::new(brokers::one());
    let place = Place::new(&vhost);
    place.run("rmq-declare --quiet --with-dlq thumbnails");
    vhost.send(&["thumbnails"]).input("one\nbad\n").run().expect(0);
    place.write("password", &format!("{PASSWORD}\n"));
    let here = place.directory.path().to_str().unwrap();
    let work = format!("read -r line; echo \"$line\" >> {here}/done; [ \"$line\" != bad ]");
    stand_in(place.directory.path(), "thumbnails", &work);
    let command = line("ExecStart=").replace("%d", here).replace("%i", "thumbnails");
    let command = command.replace("/usr/local/lib/rmq", &format!("{here}/bin"));
    let url = format!("amqp://{}@{}/{}", vhost.name, vhost.cluster.hosts(), vhost.name);
    let unit = place.shell(&format!("exec {command}")).environment("AMQP_URL", &url).start();
    vhost.wait_held("thumbnails.dlq", Held::ready(1));
    drop(unit);
    let mut lines: Vec<String> = place.read("done").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["bad", "bad", "bad", "one"]);
}

#[test]
fn the_unit_of_systemd_is_valid_and_ships_a_log_through_a_restart_of_the_broker() {
    let text = checked_unit("rmq-send-log.service", "");
    let line = |begins: &str| text.lines().find_map(|line| line.strip_prefix(begins)).unwrap();
    let url = line("Environment=AMQP_URL=");
    assert!(
        url.starts_with("amqps://log-shipper@") && line("LoadCredential=").starts_with("password:")
    );

    let cluster = brokers::one_to_break();
    let vhost = Vhost::new(&cluster);
    vhost.declare(&[], "logs");
    let place = Place::new(&vhost);
    let directory = place.directory.path();
    place.write("password", &format!("{PASSWORD}\n"));
    place.write("app.log", "before\n");
    fs::create_dir(directory.join("rmq-send-log")).unwrap();
    // The values of systemd's specifiers, and a log and a broker on this machine.
    let here = directory.to_str().unwrap();
    let command = line("ExecStart=").replace("%d", here).replace("%S", here);
    let command = command.replace("/var/log/app.log", &format!("{here}/app.log"));
    let url = format!("amqp://{}@{}/{}", vhost.name, cluster.hosts(), vhost.name);
    let unit = Tool::shell(directory, &format!("exec {command}")).environment("AMQP_URL", &url);
    let unit = unit.timeout(Duration::from_secs(180)).start();
    let log = |line: &str| {
        let mut log = fs::OpenOptions::new();
        let mut log = log.append(true).create(true).open(directory.join("app.log")).unwrap();
        writeln!(log, "{line}").unwrap();
    };
    vhost.wait_held("logs", Held::ready(1));
    fs::rename(directory.join("app.log"), directory.join("app.log.1")).unwrap();
    log("first");
    vhost.wait_held("logs", Held::ready(2));
    cluster.stop(&[1]);
    unit.wait_stderr("lost the connection");
    log("while it was away");
    cluster.start(&[1]);
    log("after");
    let arrived = || vhost.receive(&["--drain", "logs"]).run().stdout;
    let mut lines = String::new();
    wait_until(LONG, "the last line", || {
        lines += &String::from_utf8(arrived()).unwrap();
        lines.contains("after\n")
    });
    drop(unit);
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.dedup();
    assert_eq!(lines, ["before", "first", "while it was away", "after"]);
}
