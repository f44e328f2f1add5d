//! A password: from a file, from standard input, typed without echo (twice if it is new), or
//! generated.

use crate::administration::Password;
use crate::password_hash::PasswordHash;
use crate::silence::Silence;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::escape::shown;
use rmq_common::failure::Failure;
use rmq_common::password;
use rmq_common::secret::{self, Secret};
use rmq_common::{random, standard_streams};
use rustix::io::retry_on_intr;
use rustix::termios::isatty;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Arc;

/// In bytes: before RabbitMQ 4.1 a login must fit into one frame of 4096 bytes, together with the
/// client's properties, which take up to a kilobyte.
const LONGEST: usize = 3000;

/// The source of a new password on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `--password-file`
    pub file: Option<&'a str>,
    /// `--generate`
    pub generate: bool,
    /// `--pre-hashed-password`
    pub hashed: bool,
    /// Words on the command line where rabbitmqctl takes the password.
    pub words: &'a [String],
}

impl Source<'_> {
    /// The notice about a file that others can read.
    pub fn exposed(&self) -> Option<String> {
        secret::exposed(password::FILE, self.file?)
    }

    /// The new password of `user`, and the password itself if it was generated.
    ///
    /// # Errors
    /// It is on the command line (64); it is empty, not a text or not a hash, or the two typed differ
    /// (65); it cannot be read (74, 78).
    pub fn read(
        &self,
        user: &str,
        diagnostics: Diagnostics,
    ) -> Result<(Password, Option<Secret>), Failure> {
        self.refuse_words()?;
        if self.generate {
            if self.hashed || self.file.is_some() {
                let why = "--generate cannot be combined with another source of the password";
                return Err(Failure::usage(why));
            }
            let password = generate()?;
            return Ok((Password::Clear(password.clone()), Some(password)));
        }
        let text = read(self.file, user, Typed::Twice, diagnostics)?;
        let password = if self.hashed {
            Password::Hashed(PasswordHash::read(text)?)
        } else {
            Password::Clear(text)
        };
        Ok((password, None))
    }

    /// The existing password of `user`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_known(&self, user: &str, diagnostics: Diagnostics) -> Result<Secret, Failure> {
        self.refuse_words()?;
        read(self.file, user, Typed::Once, diagnostics)
    }

    fn refuse_words(&self) -> Result<(), Failure> {
        if self.words.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(
            "a password on the command line is visible to every user (ps); give it on standard \
             input or with --password-file",
        ))
    }
}

/// 24 characters of letters and digits from the system's generator: 142 bits.
fn generate() -> Result<Secret, Failure> {
    const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const LENGTH: usize = 24;
    let mut password = String::with_capacity(LENGTH);
    let mut bytes = [0; 64];
    while password.len() < LENGTH {
        random::fill(&mut bytes).map_err(|failure| failure.context("make a password"))?;
        // A remainder would favour some characters, so values above the last multiple are skipped.
        let whole = bytes.iter().filter(|byte| usize::from(**byte) < 4 * CHARACTERS.len());
        let characters =
            whole.filter_map(|byte| CHARACTERS.get(usize::from(*byte) % CHARACTERS.len()));
        password.extend(characters.take(LENGTH - password.len()).map(|byte| char::from(*byte)));
    }
    Ok(Secret::new(password))
}

/// How often a password has to be typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    Once,
    Twice,
}

fn read(
    file: Option<&str>,
    user: &str,
    typed: Typed,
    diagnostics: Diagnostics,
) -> Result<Secret, Failure> {
    let input = rustix::stdio::stdin();
    if let Some(file) = file {
        diagnostics.trace(&format!("reading the password from {file}"));
        let password = secret::read_file(file)?;
        return if password.reveal().len() > LONGEST { Err(too_long(file)) } else { Ok(password) };
    }
    standard_streams::input()?;
    if isatty(input) { ask(user, typed) } else { read_line(input, "standard input") }
}

fn ask(user: &str, typed: Typed) -> Result<Secret, Failure> {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let terminal = Arc::new(terminal.map_err(|error| Failure::io("open /dev/tty", &error))?);
    let silence = Silence::begin(&terminal)?;
    let first = prompt(&terminal, &format!("Password for {}: ", shown(user)))?;
    if typed == Typed::Once {
        return Ok(first);
    }
    let second = prompt(&terminal, "Repeat the password: ")?;
    drop(silence);
    if first == second { Ok(first) } else { Err(Failure::data("the two passwords do not match")) }
}

fn prompt(mut terminal: &File, text: &str) -> Result<Secret, Failure> {
    let tell = |error| Failure::io("write to /dev/tty", &error);
    terminal.write_all(text.as_bytes()).map_err(tell)?;
    let password = read_line(terminal, "/dev/tty");
    // The newline that was typed was not shown either.
    terminal.write_all(b"\n").map_err(tell)?;
    password
}

fn too_long(name: &str) -> Failure {
    let why = "which is more than a login can carry";
    Failure::data(format!("the password from {name} is longer than {LONGEST} bytes, {why}"))
}

/// Reads to the end of the line, byte by byte: the rest belongs to the next reader.
fn read_line(input: impl AsFd, name: &str) -> Result<Secret, Failure> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match retry_on_intr(|| rustix::io::read(&input, &mut byte)) {
            Err(error) => {
                let what = format!("read the password from {name}");
                return Err(Failure::io(what, &error.into()));
            }
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.extend(byte),
        }
        if line.len() > LONGEST {
            return Err(too_long(name));
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let wrong = |why: &str| Err(Failure::data(format!("the password from {name} {why}")));
    match std::str::from_utf8(&line).map(secret::without_mark) {
        Ok("") => wrong("is empty"),
        Ok(line) if line.contains('\0') => wrong("contains a NUL"),
        Ok(line) => Ok(Secret::new(line)),
        Err(_) => wrong("is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn a_password_that_is_made_has_24_letters_and_digits_and_is_another_each_time() {
        let made: Vec<Secret> = (0..100).map(|_| generate().unwrap()).collect();
        for (index, password) in made.iter().enumerate() {
            assert_eq!(password.reveal().len(), 24);
            assert!(password.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!made[..index].contains(password));
        }
    }

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_password_is_the_first_line_and_the_rest_is_left_unread() {
        let mut input = file(b"hunter2\r\nnext\n");
        assert_eq!(read_line(&input, "x").unwrap().reveal(), "hunter2");
        let mut rest = String::new();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "next\n");
        assert_eq!(read_line(file(b" last "), "x").unwrap().reveal(), " last ");
        let marked = file("\u{feff}hunter2\n".as_bytes());
        assert_eq!(read_line(marked, "x").unwrap().reveal(), "hunter2");
        assert_eq!(read_line(file(&[b'x'; 3000]), "x").unwrap().reveal().len(), 3000);
    }

    #[test]
    fn a_file_with_a_new_password_that_others_can_read_is_reported() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str();
        let source = Source { file: path, generate: false, hashed: false, words: &[] };
        assert_eq!(source.exposed(), None);
        std::fs::set_permissions(path.unwrap(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(source.exposed().is_some_and(|said| said.starts_with("the password file ")));
        assert_eq!(Source { file: None, ..source }.exposed(), None);
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        for content in [&b""[..], b"\n", b"\r\n", b"\xff\n", b"a\0b\n", &[b'x'; 3001]] {
            assert_eq!(read_line(file(content), "x").unwrap_err().exit().status(), 65);
        }
    }
}
