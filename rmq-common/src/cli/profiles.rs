//! Profiles: named sets of connection options, in `$XDG_CONFIG_HOME/rmq/profiles.toml`, else
//! `~/.config/rmq/profiles.toml`.
//!
//! ```toml
//! [prod]
//! url = "amqps://h1,h2,h3"
//! vhost = "/testvhost"
//! api = "https://h1:15671"
//! user = "subro"
//! password = "secret"
//! ```
//!
//! The keys are the long options without their hyphens, and `password`. Others must not be able to
//! read a file that contains a password, or to change any.

use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::cli::nearest::nearest;
use crate::cli::secret::Secret;
use crate::cli::settings::Settings;
use crate::net::broker_url::BrokerUrl;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use zeroize::Zeroizing;

/// The values of a profile.
#[derive(Debug, Default)]
pub struct Profile {
    /// The profile and its file, for errors about its URL.
    pub source: String,
    /// What an option would say; `url` is an AMQP broker.
    pub settings: Settings,
    /// `api`: the URL of a management API.
    pub api: Option<String>,
    /// `password`.
    pub password: Option<Secret>,
}

/// Loads the profile called `name`.
///
/// # Errors
/// It does not exist or is invalid (78).
pub fn load(name: &str) -> Result<Profile, Failure> {
    let path = path().ok_or_else(|| {
        config(format!("profile {name}: neither $XDG_CONFIG_HOME nor $HOME is set"))
    })?;
    read(&path, name)
}

/// The names of the profiles, for shell completion; none if the file cannot be read.
pub(crate) fn names() -> Vec<String> {
    let text = path().and_then(|path| std::fs::read_to_string(path).ok()).map(Zeroizing::new);
    let table = text.and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    table.into_iter().filter(|(_, profile)| profile.is_table()).map(|(name, _)| name).collect()
}

fn path() -> Option<PathBuf> {
    let home = |variable| std::env::var_os(variable).filter(|home| !home.is_empty());
    let config = home("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| home("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(config.join("rmq/profiles.toml"))
}

fn read(path: &Path, name: &str) -> Result<Profile, Failure> {
    let shown = path.display();
    let unreadable = |error| config(format!("read profile {name}: {shown}: {}", Cause(&error)));
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    check_trust(path, &metadata)?;
    let mode = metadata.mode();
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(unreadable)?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        config(format!("{shown}: line {line}: {}", error.message()))
    })?;
    // Passwords of every profile count, not only of this one.
    if mode & 0o077 != 0 && table.values().any(holds_password) {
        return Err(config(format!(
            "{shown} holds a password and others can read it; fix it with: chmod 600 {shown}"
        )));
    }
    let Some(Value::Table(profile)) = table.get(name) else {
        let names = || table.keys().map(String::as_str);
        let known = match nearest(name, names()) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!("there is: {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(config(format!("no profile {name} in {shown}; {known}")));
    };
    let source = format!("profile {name} in {shown}");
    let mut read = Profile { source: source.clone(), ..Profile::default() };
    for (key, value) in profile {
        let Value::String(value) = value else {
            return Err(config(format!("{source}: {key}: not a text between quotes")));
        };
        let value = value.clone();
        match key.as_str() {
            "url" if value.starts_with('@') => {
                return Err(config(format!("{source}: url: a profile cannot name another")));
            }
            "api" => read.api = Some(value),
            "password" => read.password = Some(Secret::new(value)),
            "retry" => {
                let retry = value.parse();
                let retry = retry.map_err(|why| config(format!("{source}: retry: {why}")))?;
                read.settings.retry = Some(retry);
            }
            key => match read.settings.text(key) {
                Some(setting) => *setting = Some(value),
                None => return Err(config(format!("{source}: unknown key {key}"))),
            },
        }
    }
    Ok(read)
}

/// Whether only this user and root can have written the profiles: neither the file, even through a
/// symbolic link, nor a directory in which it can be replaced. Anyone else who can decides where
/// messages go and which host gets the password.
fn check_trust(path: &Path, file: &Metadata) -> Result<(), Failure> {
    let check = |path: &Path, metadata: &Metadata| {
        let shown = path.display();
        let owner = metadata.uid();
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            let why = "belongs to another user, so it is not used";
            return Err(config(format!("{shown} {why}; fix that with: chown \"$USER\" {shown}")));
        }
        if metadata.mode() & 0o022 != 0 {
            let why = "can be changed by others, so it is not used";
            return Err(config(format!("{shown} {why}; fix that with: chmod go-w {shown}")));
        }
        Ok(())
    };
    check(path, file)?;
    let target = path.canonicalize().ok();
    for directory in [Some(path), target.as_deref()].into_iter().flatten().filter_map(Path::parent)
    {
        if let Ok(metadata) = directory.metadata() {
            check(directory, &metadata)?;
        }
    }
    Ok(())
}

fn holds_password(profile: &Value) -> bool {
    let Value::Table(profile) = profile else {
        return false;
    };
    let url = profile.get("url").and_then(Value::as_str);
    let in_url = url.and_then(|url| url.parse::<BrokerUrl>().ok()).is_some_and(|url| {
        // `guest:guest` is no secret: it works from loopback alone.
        url.password.is_some_and(|password| password.reveal() != "guest")
    });
    // The colon shows that there is a password in `user:password@host`.
    let of_api = profile.get("api").and_then(Value::as_str).and_then(|url| url.split_once("//"));
    let in_api = of_api.is_some_and(|(_, rest)| {
        rest.rsplit_once('@').is_some_and(|(credentials, _)| credentials.contains(':'))
    });
    profile.contains_key("password") || in_url || in_api
}

fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

fn config(message: String) -> Failure {
    Failure::new(Exit::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn profiles_that_others_can_change_are_not_obeyed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles.toml");
        std::fs::write(&path, "[prod]\nurl = 'amqp://h'\n").unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let link = tempfile::tempdir().unwrap();
        let linked = link.path().join("profiles.toml");
        std::os::unix::fs::symlink(&path, &linked).unwrap();
        for (file, around, is_obeyed) in [
            (0o644, 0o755, true),
            (0o600, 0o700, true),
            (0o664, 0o755, false),
            (0o646, 0o755, false),
            (0o644, 0o775, false),
            (0o644, 0o1777, false),
        ] {
            set(&path, file);
            set(directory.path(), around);
            for path in [&path, &linked] {
                let read = read(path, "prod");
                assert_eq!(read.is_ok(), is_obeyed, "{file:o} {around:o}");
                if let Err(failure) = read {
                    assert_eq!(failure.exit(), Exit::Config);
                    assert!(failure.to_string().contains("chmod go-w "), "{failure}");
                }
            }
        }
        set(&path, 0o644);
        set(directory.path(), 0o755);
        // Only root can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
            let failure = read(&path, "prod").unwrap_err();
            assert!(failure.to_string().contains("belongs to another user"), "{failure}");
        }
    }

    fn profile(text: &str, mode: u32, name: &str) -> Result<Profile, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read(&path, name)
    }

    #[test]
    fn a_profile_names_what_the_options_name() {
        let text = "[prod]\nurl = 'amqps://h1,h2'\nvhost = '/v'\nretry = '5m'\npassword = 'x'\n";
        let profile = profile(text, 0o600, "prod").unwrap();
        assert_eq!(profile.settings.url.as_deref(), Some("amqps://h1,h2"));
        assert_eq!(profile.settings.vhost.as_deref(), Some("/v"));
        assert_eq!(profile.settings.retry, Some("5m".parse().unwrap()));
        assert_eq!(profile.password, Some(Secret::new("x")));
    }

    #[test]
    fn a_file_with_a_password_that_others_can_read_is_refused_with_the_chmod_that_mends_it() {
        for text in [
            "[prod]\npassword = 'x'\n",
            "[prod]\n[other]\nurl = 'amqp://u:p@h'\n",
            "[prod]\napi = 'http://u:p@h'\n",
        ] {
            let failure = profile(text, 0o640, "prod").unwrap_err();
            assert_eq!(failure.exit(), Exit::Config);
            assert!(failure.to_string().contains("chmod 600 "), "{failure}");
            assert!(profile(text, 0o600, "prod").is_ok(), "{text}");
        }
        assert!(profile("[prod]\nurl = 'amqp://h'\n", 0o644, "prod").is_ok());
    }

    #[test]
    fn what_is_wrong_in_a_profile_is_named() {
        let table = [
            ("[prod]\nhosts = 'h'\n", "unknown key hosts"),
            ("[prod]\nurl = 5\n", "url: not a text"),
            ("[prod]\nurl = '@other'\n", "cannot name another"),
            ("[prod]\nretry = 'soon'\n", "retry: 'soon'"),
            ("[prod]\n\nurl = \n", "line 3"),
            ("[test]\n", "there is: test"),
            ("[test]\n[prdo]\n", "did you mean prdo?"),
        ];
        for (text, wanted) in table {
            let failure = profile(text, 0o600, "prod").unwrap_err();
            assert!(failure.to_string().contains(wanted), "{text}: {failure}");
            assert_eq!(failure.exit(), Exit::Config);
        }
    }
}
