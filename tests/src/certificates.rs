//! Certificates made on demand, by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
    name: String,
    /// `openssl ca` keeps a database that only one process may write at a time.
    turn: Mutex<()>,
}

/// A certificate and its key: the paths of two files in PEM form.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

/// The validity of a certificate.
#[derive(Clone, Copy, Debug)]
pub enum Valid {
    /// For as long as these tests are run.
    Now,
    /// In January 2020.
    Past,
}

impl Authority {
    /// A new one, with its files in `directory`.
    ///
    /// # Panics
    /// When openssl does not make it.
    pub fn new(directory: &Path, name: &str) -> Self {
        let (directory, name) = (directory.to_owned(), name.to_owned());
        let authority = Authority { directory, name, turn: Mutex::default() };
        let (directory, name) = (&authority.directory, &authority.name);
        // The database of `openssl ca`, which is the only command that accepts dates.
        let settings = format!(
            "[ca]\ndefault_ca = a\n[a]\ndatabase = {name}.index\nnew_certs_dir = .\n\
             certificate = {name}.pem\nprivate_key = {name}.key\nrand_serial = yes\n\
             default_md = sha256\nunique_subject = no\npolicy = p\n[p]\ncommonName = supplied\n"
        );
        std::fs::write(directory.join(format!("{name}.cnf")), settings).expect("write a file");
        std::fs::write(directory.join(format!("{name}.index")), "").expect("write a file");
        let subject = format!("/CN=rmq tests: {name}");
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let mut words = vec!["req", "-x509", "-days", "36500", "-subj", &subject];
        words.extend(["-addext", "basicConstraints=critical,CA:TRUE"]);
        words.extend(["-addext", "keyUsage=critical,keyCertSign"]);
        words.extend(NEW_KEY);
        words.extend(["-keyout", &key, "-out", &certificate]);
        authority.openssl(&words);
        authority
    }

    /// The path of its own certificate.
    pub fn path(&self) -> String {
        self.file("pem", &self.name)
    }

    /// Signs a certificate with `subject` as its common name, and with these other names:
    /// `DNS:localhost,IP:127.0.0.1`. Its files are called `name`.
    ///
    /// # Panics
    /// When openssl does not make it.
    pub fn sign(&self, name: &str, subject: &str, others: &str, valid: Valid) -> Certificate {
        let (from, to) = match valid {
            Valid::Now => ("20200101000000Z", "21200101000000Z"),
            Valid::Past => ("20200101000000Z", "20200201000000Z"),
        };
        let file = |extension: &str| format!("{name}.{extension}");
        let subject = format!("/CN={subject}");
        let mut words = vec!["req", "-subj", &subject];
        words.extend(NEW_KEY);
        let (key, request, certificate) = (file("key"), file("csr"), file("pem"));
        words.extend(["-keyout", &key, "-out", &request]);
        self.openssl(&words);
        let (settings, extensions) = (format!("{}.cnf", self.name), file("ext"));
        let text = format!("basicConstraints = CA:FALSE\nsubjectAltName = {others}\n");
        std::fs::write(self.directory.join(&extensions), text).expect("write a file");
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = vec!["ca", "-batch", "-notext", "-config", &settings];
        words.extend(["-startdate", from, "-enddate", to, "-extfile", &extensions]);
        words.extend(["-in", &request, "-out", &certificate]);
        self.openssl(&words);
        Certificate { cert: self.file("pem", name), key: self.file("key", name) }
    }

    fn file(&self, extension: &str, name: &str) -> String {
        self.directory.join(format!("{name}.{extension}")).to_str().expect("UTF-8").to_owned()
    }

    /// Runs openssl in the directory of its files.
    ///
    /// # Panics
    /// When it fails.
    pub fn openssl(&self, words: &[&str]) {
        openssl(&self.directory, words);
    }

    /// A certificate that is its own authority, as `openssl req -x509` makes it, for these names.
    pub fn self_signed(&self, name: &str, others: &str) -> Certificate {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let names = format!("subjectAltName={others}");
        let mut words = vec!["req", "-x509", "-days", "36500", "-subj", "/CN=itself"];
        words.extend(["-addext", &names, "-keyout", &key, "-out", &certificate]);
        words.extend(NEW_KEY);
        self.openssl(&words);
        Certificate { cert: self.file("pem", name), key: self.file("key", name) }
    }

    /// A self-signed certificate of X.509 version 1, which has no room for names.
    pub fn version_one(&self, name: &str) -> Certificate {
        let file = |extension: &str| format!("{name}.{extension}");
        let (key, request, certificate) = (file("key"), file("csr"), file("pem"));
        let mut words = vec!["req", "-subj", "/CN=localhost", "-keyout", &key, "-out", &request];
        words.extend(NEW_KEY);
        self.openssl(&words);
        let words = ["x509", "-req", "-in", &request, "-signkey", &key, "-out", &certificate];
        self.openssl(&words);
        Certificate { cert: self.file("pem", name), key: self.file("key", name) }
    }

    /// The path of one of its files.
    pub fn named(&self, name: &str) -> String {
        self.directory.join(name).to_str().expect("UTF-8").to_owned()
    }
}

fn openssl(directory: &Path, words: &[&str]) {
    let output = Command::new("openssl").args(words).current_dir(directory).output();
    let output = output.expect("run openssl");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words:?}: {errors}");
}

/// Elliptic-curve keys are made at once; RSA keys take a second each.
const NEW_KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
