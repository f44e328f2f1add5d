//! Which broker and as which user: what the options of a command line and a profile have in common.

use crate::cli::duration::Limit;

/// Defines them from the single list of those that are texts, each with its key in a profile.
macro_rules! settings {
    ($($field:ident = $key:literal,)*) => {
        /// The values given; the others are `None`.
        #[derive(Clone, Debug, Default)]
        pub struct Settings {
            $(#[doc = concat!("`--", $key, "`; `", $key, "` in a profile.")]
            pub $field: Option<String>,)*
            /// `--retry`; `retry` in a profile.
            pub retry: Option<Limit>,
        }

        impl Settings {
            /// These, completed with those of `other`.
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
