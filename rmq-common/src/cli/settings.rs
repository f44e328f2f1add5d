//! Which broker and as whom: what the options of a command line and the keys of a profile say alike.

use crate::cli::duration::Limit;

/// Defines them from the one list of those that are texts, each with its key in a profile.
macro_rules! settings {
    ($($field:ident = $key:literal,)*) => {
        /// What was said; the rest is `None`.
        #[derive(Clone, Debug, Default)]
        pub struct Settings {
            $(#[doc = concat!("`--", $key, "`; `", $key, "` in a profile.")]
            pub $field: Option<String>,)*
            /// `--retry`; `retry` in a profile.
            pub retry: Option<Limit>,
        }

        impl Settings {
            /// These, and those of `other` that these lack.
            pub(crate) fn or(self, other: Settings) -> Self {
                Settings {
                    $($field: self.$field.or(other.$field),)*
                    retry: self.retry.or(other.retry),
                }
            }

            /// The text that a profile calls `key`.
            pub(crate) fn text(&mut self, key: &str) -> Option<&mut Option<String>> {
                match key {
                    $($key => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    url = "url",
    vhost = "vhost",
    user = "user",
    password_file = "password-file",
    cacert = "cacert",
    cert = "cert",
    key = "key",
}
