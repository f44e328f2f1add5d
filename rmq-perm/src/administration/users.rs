//! Users.

use super::{Added, Deleted, Text};
use crate::password_hash::PasswordHash;
use crate::refusal::Refusal;
use rmq_common::failure::Failure;
use rmq_common::secret::Secret;

/// The broker's users.
pub trait Users {
    /// Adds a user with these tags and without permissions; it is an error (65) if the user exists.
    fn add_user(&mut self, user: &str, password: &Password, tags: &[&str]) -> Result<(), Failure>;

    /// Gives a user exactly this password and these tags, whether it exists or not; permissions
    /// stay.
    fn put_user(
        &mut self,
        user: &str,
        password: &Password,
        tags: &[&str],
    ) -> Result<Added, Failure>;

    /// Gives a user another password; tags and permissions stay.
    fn change_password(&mut self, user: &str, password: &Password) -> Result<(), Failure>;

    /// Whether a client can log in with this name and password, whichever of the broker's backends
    /// decides it. An unknown user cannot.
    fn authenticate(&mut self, user: &str, password: &Secret) -> Result<bool, Failure>;

    /// Deletes a user, with all permissions; not an error if it does not exist.
    fn delete_user(&mut self, user: &str) -> Result<Deleted, Failure>;

    /// Gives a user exactly these tags, replacing those the user had.
    fn set_tags(&mut self, user: &str, tags: &[&str]) -> Result<(), Failure>;

    /// The users, with the hashes of their passwords if `hashes`.
    fn list_users(&mut self, hashes: bool) -> Result<Vec<User>, Failure>;

    /// The user with whose login we ask, if there is one.
    fn own_user(&self) -> Option<&str>;

    /// Whether there is such a user.
    fn user_exists(&mut self, user: &str) -> Result<bool, Failure>;

    /// Checks that there is such a user.
    fn require_user(&mut self, user: &str) -> Result<(), Failure> {
        Refusal::NoSuchUser.unless(self.user_exists(user)?)
    }
}

/// The password of a user.
#[derive(Debug)]
pub enum Password {
    Clear(Secret),
    Hashed(PasswordHash),
    /// The user cannot log in with a password.
    None,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: Text,
    /// Such as `administrator`.
    pub tags: Vec<Text>,
    /// The hash of the password in Base64, empty if the user has none; only if requested.
    pub hash: Option<Secret>,
}
