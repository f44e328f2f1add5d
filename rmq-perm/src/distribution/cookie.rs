//! The cookie: the secret all nodes of a cluster share, found where rabbitmqctl finds it.
//!
//! It grants everything, so a file that other users can read is refused, and it is never shown.

use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::secret::Secret;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where Debian's package, like most others, keeps the broker's own cookie.
const OF_THE_SERVICE: &str = "/var/lib/rabbitmq/.erlang.cookie";

/// A cookie has a few dozen characters; a larger file is something else.
const LARGEST: u64 = 4096;

/// A cookie, and its source for errors.
#[derive(Debug)]
pub struct Cookie {
    pub secret: Secret,
    /// `$RABBITMQ_ERLANG_COOKIE`, or a file's name.
    pub origin: String,
}

/// Why there is no cookie (78).
#[derive(Debug)]
pub enum NoCookie {
    /// There is no file with a cookie. A node creates it when it starts for the first time.
    Missing(Failure),
    /// The cookie found cannot be used.
    Unusable(Failure),
}

/// Finds the cookie: `--cookie-file`, `$RABBITMQ_ERLANG_COOKIE`, `~/.erlang.cookie`, the service's.
pub fn find(option: Option<&str>) -> Result<Cookie, NoCookie> {
    find_among(option, |name| std::env::var_os(name), Path::new(OF_THE_SERVICE))
}

fn find_among(
    option: Option<&str>,
    environment: impl Fn(&str) -> Option<OsString>,
    of_the_service: &Path,
) -> Result<Cookie, NoCookie> {
    if let Some(path) = option {
        return read(Path::new(path));
    }
    let set = |name| environment(name).filter(|value| !value.is_empty());
    if let Some(value) = set("RABBITMQ_ERLANG_COOKIE") {
        let origin = "$RABBITMQ_ERLANG_COOKIE".to_owned();
        let secret = cookie_in(value.as_encoded_bytes())
            .map_err(|why| unusable(format!("{origin}: {why}")))?;
        return Ok(Cookie { secret, origin });
    }
    let of_the_user = set("HOME").map(|home| PathBuf::from(home).join(".erlang.cookie"));
    let mut looked = Vec::new();
    for path in of_the_user.iter().map(PathBuf::as_path).chain([of_the_service]) {
        match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                looked.push(path.display().to_string());
            }
            _ => return read(path),
        }
    }
    let why = format!("no cookie found: there is no {}; give --cookie-file", looked.join(", no "));
    Err(NoCookie::Missing(Failure::new(Exit::Config, why)))
}

fn unusable(why: String) -> NoCookie {
    NoCookie::Unusable(Failure::new(Exit::Config, why))
}

fn read(path: &Path) -> Result<Cookie, NoCookie> {
    let shown = path.display();
    let failure = |why: String| unusable(format!("cookie file {shown}: {why}"));
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => failure(format!(
            "{}; run this as the user who owns it (sudo -u rabbitmq) or give --cookie-file",
            Cause(&error)
        )),
        ErrorKind::NotFound => {
            let why = format!("cookie file {shown}: {}", Cause(&error));
            NoCookie::Missing(Failure::new(Exit::Config, why))
        }
        _ => failure(Cause(&error).to_string()),
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failure(format!("others can read it; fix it with: chmod 600 {shown}")));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let secret = cookie_in(&bytes).map_err(|why| failure(why.to_owned()))?;
    Ok(Cookie { secret, origin: shown.to_string() })
}

/// What Erlang uses as the cookie: printable ASCII, which only blanks may follow.
fn cookie_in(bytes: &[u8]) -> Result<Secret, &'static str> {
    let end = bytes.iter().position(|byte| !matches!(byte, b' '..=b'~')).unwrap_or(bytes.len());
    let (cookie, rest) = bytes.split_at(end);
    if !rest.iter().all(|byte| matches!(byte, b'\n' | b'\r' | b' ')) {
        return Err("it has characters that a cookie cannot have");
    }
    match std::str::from_utf8(cookie) {
        Ok(cookie) if !cookie.is_empty() => Ok(Secret::new(cookie)),
        _ => Err("it is empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Place(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, content: &str, mode: u32) -> String {
            let path = self.path(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path.to_str().unwrap().to_owned()
        }

        fn find(&self, option: Option<&str>, variable: Option<&str>) -> Result<Cookie, Failure> {
            self.look(option, variable).map_err(|why| match why {
                NoCookie::Missing(failure) | NoCookie::Unusable(failure) => failure,
            })
        }

        fn look(&self, option: Option<&str>, variable: Option<&str>) -> Result<Cookie, NoCookie> {
            let environment = |name: &str| match name {
                "RABBITMQ_ERLANG_COOKIE" => variable.map(OsString::from),
                _ => Some(self.0.path().into()),
            };
            find_among(option, environment, &self.path("service"))
        }
    }

    #[test]
    fn the_option_comes_first_then_the_environment_the_home_and_the_service() {
        let place = Place::new();
        let option = place.write("option", "FROM_OPTION\n", 0o400);
        place.write("service", "FROM_SERVICE", 0o400);
        let secret = |option, variable| place.find(option, variable).unwrap().secret;
        assert_eq!(secret(None, None).reveal(), "FROM_SERVICE");
        place.write(".erlang.cookie", "FROM_HOME\n", 0o600);
        assert_eq!(secret(None, None).reveal(), "FROM_HOME");
        assert_eq!(secret(None, Some("")).reveal(), "FROM_HOME");
        assert_eq!(secret(None, Some("FROM_ENV")).reveal(), "FROM_ENV");
        assert_eq!(secret(Some(&option), Some("FROM_ENV")).reveal(), "FROM_OPTION");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_chmod_that_mends_it() {
        let place = Place::new();
        for mode in [0o644, 0o640, 0o604, 0o602] {
            let path = place.write("open", "SECRET", mode);
            let failure = place.find(Some(&path), None).unwrap_err();
            assert_eq!(failure.exit(), Exit::Config);
            assert!(failure.to_string().contains(&format!("chmod 600 {path}")), "{failure}");
            assert!(!failure.to_string().contains("SECRET"));
        }
    }

    #[test]
    fn a_bad_cookie_at_home_is_not_passed_over_in_silence() {
        let place = Place::new();
        place.write("service", "FROM_SERVICE", 0o400);
        place.write(".erlang.cookie", "\n", 0o600);
        assert!(place.find(None, None).unwrap_err().to_string().contains("it is empty"));
    }

    #[test]
    fn where_no_cookie_is_the_error_says_where_it_was_looked_for() {
        let failure = Place::new().find(None, None).unwrap_err();
        assert_eq!(failure.exit(), Exit::Config);
        assert!(failure.to_string().contains(".erlang.cookie, no "), "{failure}");
        let missing = Place::new().find(Some("/nonexistent/cookie"), None).unwrap_err();
        assert!(missing.to_string().ends_with("No such file or directory"), "{missing}");
    }

    #[test]
    fn a_cookie_is_read_as_erlang_reads_it() {
        for (bytes, cookie) in [("ABC\n", "ABC"), ("ABC \r\n \n", "ABC "), ("A B", "A B")] {
            assert_eq!(cookie_in(bytes.as_bytes()).unwrap().reveal(), cookie);
        }
        for bytes in ["", "\n", "ABC\nDEF", "A\tB", "Ü"] {
            assert!(cookie_in(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
