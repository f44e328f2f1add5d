use super::*;

#[derive(Clone)]
struct One(u64);

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read {}", self.0)
    }
}

impl Standing for One {
    fn figures(&self) -> Vec<Figure> {
        vec![Figure::counter("read", self.0, "Records read.")]
    }
}

#[test]
fn counts_are_replaced_every_so_often_and_at_the_end_in_the_form_of_the_name() {
    let directory = tempfile::tempdir().unwrap();
    let quiet = Diagnostics::new("rmq-send", true, false);
    for (name, form) in [("stats.json", "{\"read\":N}\n"), ("jobs.prom", "{run=\"jobs\"} N\n")] {
        let path = directory.path().join(name);
        let live = Live::new(One(1));
        let file = StatsFile::open("rmq-send", path.to_str().unwrap()).unwrap();
        let stats = file.start(Some(Duration::from_millis(1)), &live, quiet).unwrap();
        let wait_for = |number: u64| {
            let wanted = form.replace('N', &number.to_string());
            while !std::fs::read_to_string(&path).unwrap().ends_with(&wanted) {
                std::thread::yield_now();
            }
        };
        wait_for(1);
        live.set(One(2));
        wait_for(2);
        stats.finish(&One(3)).unwrap();
        wait_for(3);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_run_that_fails_early_leaves_its_counts_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stats.json");
    let quiet = Diagnostics::new("rmq-send", true, false);
    for every in [None, Some(Duration::from_secs(3600))] {
        std::fs::write(&path, "").unwrap();
        let live = Live::new(One(1));
        let file = StatsFile::open("rmq-send", path.to_str().unwrap()).unwrap();
        let stats = file.start(every, &live, quiet).unwrap();
        live.set(One(2));
        drop(stats);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"read\":2}\n");
    }
}

#[test]
fn the_reader_of_a_fifo_that_does_not_read_holds_no_run() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    let (kind, here) = (rustix::fs::FileType::Fifo, rustix::fs::CWD);
    rustix::fs::mknodat(here, &fifo, kind, Mode::RWXU, 0).unwrap();
    let read = OFlags::RDONLY | OFlags::NONBLOCK;
    let _reader = rustix::fs::open(&fifo, read, Mode::empty()).unwrap();
    let mut file = StatsFile::open("rmq-send", fifo.to_str().unwrap()).unwrap();
    while file.file.write(&[b'x'; 4096]).is_ok() {}
    let quiet = Diagnostics::new("rmq-send", true, false);
    let stats = file.start(Some(Duration::from_millis(1)), &Live::new(One(1)), quiet).unwrap();
    let failure = stats.finish(&One(1)).unwrap_err().to_string();
    assert!(failure.ends_with("fifo: its reader does not read"), "{failure}");
}

#[test]
fn another_run_that_writes_the_same_file_is_noticed_and_one_that_has_removed_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stats.json");
    let quiet = Diagnostics::new("rmq-send", true, false);
    let open = || StatsFile::open("rmq-send", path.to_str().unwrap()).unwrap();
    let (mut one, mut other) = (open(), open());
    let writes = |file: &mut StatsFile| {
        file.report_rival(quiet);
        file.write(&One(1).figures()).unwrap();
    };
    writes(&mut one);
    writes(&mut one);
    writes(&mut other);
    assert_eq!([one.has_rival, other.has_rival], [false, true]);
    std::fs::remove_file(&path).unwrap();
    one.report_rival(quiet);
    assert!(!one.has_rival);
}
