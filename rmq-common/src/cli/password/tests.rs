use super::*;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

fn quiet() -> Diagnostics {
    Diagnostics::new("rmq-test", true, false)
}

fn read(password: &Password) -> String {
    password.for_login(quiet()).unwrap().reveal().to_owned()
}

/// A file with the password `old`, and the password in it.
fn in_file() -> (tempfile::TempDir, String, Password) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password").to_str().unwrap().to_owned();
    std::fs::write(&path, "old\n").unwrap();
    let password = Password::in_file(&path, quiet()).unwrap();
    assert_eq!(read(&password), "old");
    (directory, path, password)
}

#[test]
fn a_file_that_is_rewritten_or_replaced_is_read_anew_at_each_login() {
    let (directory, path, password) = in_file();
    std::fs::write(&path, "rewritten\n").unwrap();
    assert_eq!(read(&password), "rewritten");
    let next = directory.path().join("next");
    std::fs::write(&next, "replaced\n").unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert_eq!(read(&password), "replaced");
    let another = password.clone();
    assert_eq!([read(&another), read(&password)], ["replaced", "replaced"]);
}

#[test]
fn a_link_to_a_directory_that_is_exchanged_as_kubernetes_does_is_followed_anew() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
    for (version, text) in [("..1", "old\n"), ("..2", "new\n")] {
        std::fs::create_dir(at(version)).unwrap();
        std::fs::write(at(version).join("password"), text).unwrap();
    }
    link("..1", "..data");
    link("..data/password", "password");
    let password = Password::in_file(at("password").to_str().unwrap(), quiet()).unwrap();
    assert_eq!(read(&password), "old");
    link("..2", "..data_tmp");
    std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
    std::fs::remove_dir_all(at("..1")).unwrap();
    assert_eq!(read(&password), "new");
}

#[test]
fn a_pipe_is_read_once_and_its_password_is_kept() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, b"once\n").unwrap();
    drop(writer);
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let password = Password::in_file(&path, quiet()).unwrap();
    assert_eq!([read(&password), read(&password)], ["once", "once"]);
    assert_eq!(password.refused(&Secret::new("once")), Now::Same);
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_password_that_was_read_before() {
    let (_directory, path, password) = in_file();
    let remove = |path: &str| {
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_dir(path);
    };
    let make_fifo = |path: &str| {
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, Path::new(path), kind, mode, 0).unwrap();
    };
    let spoil: [&dyn Fn(&str); 6] = [
        &|_| {},
        &|path| std::fs::write(path, "").unwrap(),
        &|path| std::fs::write(path, "\n").unwrap(),
        &|path| std::fs::write(path, vec![b'x'; 100_000]).unwrap(),
        &|path| std::fs::create_dir(path).unwrap(),
        // Nothing writes to it, and opening it must not wait.
        &make_fifo,
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        remove(&path);
        spoil(&path);
        assert_eq!(read(&password), "old", "{number}");
        assert!(password.state().is_reported);
    }
    remove(&path);
    std::fs::write(&path, "new\n").unwrap();
    assert_eq!(read(&password), "new");
    assert!(!password.state().is_reported);
}

#[test]
fn after_a_refusal_another_password_in_the_file_is_noticed() {
    let (_directory, path, password) = in_file();
    let used = password.for_login(quiet()).unwrap();
    assert_eq!(password.refused(&used), Now::Same);
    // A password that was refused may be allowed again.
    assert_eq!(read(&password), "old");
    std::fs::write(&path, "new\n").unwrap();
    assert_eq!(password.refused(&used), Now::Another);
    assert_eq!(read(&password), "new");
    assert!(!password.state().is_refused);
}

#[test]
fn what_was_read_before_is_not_tried_again_once_it_was_refused() {
    let (_directory, path, password) = in_file();
    let used = password.for_login(quiet()).unwrap();
    std::fs::write(&path, "").unwrap();
    assert_eq!(password.refused(&used), Now::Same);
    password.accepted();
    assert_eq!(read(&password), "old");
    assert!(matches!(password.refused(&used), Now::Unreadable(_)));
    assert_eq!(password.for_login(quiet()).unwrap_err().exit(), Exit::Config);
    std::fs::write(&path, "new\n").unwrap();
    assert_eq!(read(&password), "new");
    std::fs::write(&path, "").unwrap();
    assert_eq!(read(&password), "new");
}

#[test]
fn many_threads_may_log_in_at_once() {
    let (_directory, path, password) = in_file();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert!(["old", "new"].contains(&&*read(&password)));
                    std::thread::sleep(Duration::from_micros(50));
                }
            });
        }
        std::fs::write(&path, "new\n").unwrap();
    });
    assert_eq!(read(&password), "new");
}
