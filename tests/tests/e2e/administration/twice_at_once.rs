//! Two runs of apply with the same file at the same time, as cron and CI may start them.

use rmq_tests::brokers::release;
use rmq_tests::cluster::Cluster;
use rmq_tests::managed::{MANAGEMENT, WAYS};
use std::fmt::Write;

const USERS: usize = 100;
/// Of any password.
const HASH: &str = "BDe3/FF5inMjyYOyOadJP1+SA1OfREhZlNwaEdj4Wu1JPf3J";

#[test]
fn two_runs_of_apply_with_one_file_at_once_both_end_well() {
    let cluster = Cluster::up_with(1, &release(), &MANAGEMENT);
    for (place, way) in WAYS.into_iter().enumerate() {
        let mut file = format!("vhost,default_queue_type\nv{place},quorum\n\n");
        file.push_str("user,tags,max_channels,password_hash\n");
        for number in 0..USERS {
            writeln!(file, "u{place}.{number},management,{number},{HASH}").unwrap();
        }
        file.push_str("\nvhost,user,configure,write,read\n");
        for number in 0..USERS {
            writeln!(file, "v{place},u{place}.{number},,^a$,").unwrap();
        }
        let run = |options: &[&str]| {
            let arguments = [&["--quiet", "apply"], options, &["-"]].concat();
            way.perm(&cluster).arguments(&arguments).input(file.clone()).run()
        };
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| run(&[])));
            for one in both {
                one.join().unwrap().expect(0);
            }
        });
        run(&["--dry-run"]).expect(0);
    }
}
