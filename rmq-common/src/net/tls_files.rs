//! TLS with files that are read again at the next connection once they have been replaced.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::net::broker_url::Parameters;
use crate::net::tls::Tls;
use std::os::unix::fs::MetadataExt;

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds. Not the modification time, which a copy may have preserved.
    changed: (i64, i64),
}

/// The files, and TLS as last read from them.
pub(crate) struct TlsFiles {
    parameters: Parameters,
    tls: Tls,
    /// For each file, its version when it was last read. `None` if one of them is not a regular
    /// file, but for example a pipe: they are then read only once.
    versions: Option<Vec<Option<Version>>>,
    is_reported: bool,
}

impl TlsFiles {
    /// TLS with these `parameters`.
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub(crate) fn new(parameters: &Parameters, diagnostics: Diagnostics) -> Result<Self, Failure> {
        // Before they are read, so that what is written meanwhile is noticed later.
        let versions = versions(parameters);
        let versions = versions.iter().all(Option::is_some).then_some(versions);
        let tls = read(parameters, diagnostics)?;
        Ok(TlsFiles { parameters: parameters.clone(), tls, versions, is_reported: false })
    }

    /// Whether a file is no longer the one that was read.
    pub(crate) fn is_outdated(&self) -> bool {
        self.differs(&versions(&self.parameters))
    }

    fn differs(&self, versions: &[Option<Version>]) -> bool {
        self.versions.as_ref().is_some_and(|read| read != versions)
    }

    /// TLS for this connection. If the files are unusable now, it is as last read; a notice says so
    /// once.
    pub(crate) fn for_connection(&mut self, diagnostics: Diagnostics) -> Tls {
        let versions = versions(&self.parameters);
        if self.differs(&versions) {
            let tls = match versions.iter().all(Option::is_some) {
                true => read(&self.parameters, diagnostics),
                // To read a FIFO could wait for ever.
                false => Err(Failure::new(Exit::Config, self.missing())),
            };
            match tls {
                Ok(tls) => {
                    self.tls = tls;
                    self.versions = Some(versions);
                    self.is_reported = false;
                }
                Err(failure) => {
                    if !std::mem::replace(&mut self.is_reported, true) {
                        let text = "connecting with the certificates that were read before";
                        diagnostics.notice(&format!("{failure}; {text}"));
                    }
                }
            }
        }
        self.tls.clone()
    }

    fn missing(&self) -> String {
        let missing = files(&self.parameters).find(|path| version(path).is_none());
        format!("read {}: it does not exist or is not a regular file", missing.unwrap_or_default())
    }
}

fn read(parameters: &Parameters, diagnostics: Diagnostics) -> Result<Tls, Failure> {
    for path in files(parameters) {
        let what = match parameters.keyfile.as_deref() == Some(path) {
            true => "the key",
            false => "the certificates",
        };
        diagnostics.trace(&format!("reading {what} {path}"));
    }
    Tls::new(parameters)
}

fn files(parameters: &Parameters) -> impl Iterator<Item = &str> {
    let Parameters { cacertfile, certfile, keyfile, .. } = parameters;
    [cacertfile, certfile, keyfile].into_iter().filter_map(Option::as_deref)
}

fn versions(parameters: &Parameters) -> Vec<Option<Version>> {
    files(parameters).map(version).collect()
}

fn version(path: &str) -> Option<Version> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(Version {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode};

    /// From an authority whose key was discarded.
    const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUYikqYxZ/dPWWsYgosck5uP6MY/IwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDcm1xMCAXDTI2MTEyODA4Mjg1MloYDzIxMjYxMTA0MDgyODUy
WjAOMQwwCgYDVQQDDANybXEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT/PJu/
+x2D3xW8gsF+prrb7RoUWkd56eYOGohwJ8nQM9vm3Nd4/XQRdmYbdUsEqQVXL+ah
RbfaCmmmam6xghUHo1MwUTAdBgNVHQ4EFgQUFM1DFrHGPmem1bkbb2AsY2CvZRYw
HwYDVR0jBBgwFoAUFM1DFrHGPmem1bkbb2AsY2CvZRYwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiEA7uRHzIqNlPkCt3Oa862bhx/juRIqm9tfvVVi
sFgwnvQCIFBsxQQ7CdvSqCCq0omX5CvEx2H4IJRLXbt87mZJzdv7
-----END CERTIFICATE-----
";

    fn quiet() -> Diagnostics {
        Diagnostics::new("rmq-test", true, false)
    }

    #[test]
    fn a_file_that_was_replaced_is_read_anew_and_one_that_does_not_serve_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let cacertfile = Some(path.to_str().unwrap().to_owned());
        std::fs::write(&path, AUTHORITY).unwrap();
        let mut files =
            TlsFiles::new(&Parameters { cacertfile, ..Parameters::default() }, quiet()).unwrap();
        let is_used = |files: &mut TlsFiles| {
            let was_outdated = files.is_outdated();
            let _ = files.for_connection(quiet());
            (was_outdated, !files.is_outdated(), files.is_reported)
        };
        assert_eq!(is_used(&mut files), (false, true, false));
        let next = directory.path().join("next");
        std::fs::write(&next, AUTHORITY).unwrap();
        std::fs::rename(&next, &path).unwrap();
        assert_eq!(is_used(&mut files), (true, true, false));
        std::fs::write(&path, &AUTHORITY[..300]).unwrap();
        assert_eq!(is_used(&mut files), (true, false, true));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(is_used(&mut files), (true, false, true));
        // Nothing writes to it, and opening it would block.
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(is_used(&mut files), (true, false, true));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, format!("{AUTHORITY}\n")).unwrap();
        assert_eq!(is_used(&mut files), (true, true, false));
    }

    #[test]
    fn certificates_from_a_pipe_are_read_once() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, AUTHORITY.as_bytes()).unwrap();
        drop(writer);
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let cacertfile = Some(format!("/proc/self/fd/{descriptor}"));
        let files =
            TlsFiles::new(&Parameters { cacertfile, ..Parameters::default() }, quiet()).unwrap();
        drop(reader);
        assert!(!files.is_outdated());
    }
}
