//! Limits of virtual hosts and users.

use super::{Text, Users, Vhosts};
use rmq_common::failure::Failure;

/// The broker's limits.
pub trait Limits: Vhosts + Users {
    /// The listed limits of all virtual hosts, or of all users; some may have none.
    fn listed_limits(&mut self, holder: Holder) -> Result<Vec<(Text, Limited)>, Failure>;

    /// Sets one limit of an existing virtual host or user or, with `None`, removes it. It is not an
    /// error if there is nothing to remove.
    fn put_limit(
        &mut self,
        holder: Holder,
        name: &str,
        limit: &'static str,
        value: Option<u32>,
    ) -> Result<(), Failure>;

    /// The limits of all virtual hosts, or of all users, that have any.
    fn list_limits(&mut self, holder: Holder) -> Result<Vec<(Text, Limited)>, Failure> {
        let mut all = self.listed_limits(holder)?;
        all.retain(|(_, limits)| *limits != Limited::default());
        Ok(all)
    }

    /// Makes these changes to the limits of a virtual host or user.
    fn set_limits(
        &mut self,
        holder: Holder,
        name: &str,
        change: LimitsChange,
    ) -> Result<(), Failure> {
        match holder {
            Holder::Vhost => self.require_vhost(name)?,
            Holder::User => self.require_user(name)?,
        }
        for (limit, value) in holder.limits().into_iter().zip(change.0) {
            if let Some(value) = value {
                self.put_limit(holder, name, limit, value)?;
            }
        }
        Ok(())
    }
}

/// A holder of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    Vhost,
    User,
}

impl Holder {
    /// Its limits, by the broker's names.
    pub fn limits(self) -> [&'static str; 2] {
        match self {
            Holder::Vhost => ["max-connections", "max-queues"],
            Holder::User => ["max-connections", "max-channels"],
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Holder::Vhost => "vhost",
            Holder::User => "user",
        }
    }

    /// The limits among these `pairs` of the broker's names and values. Negative means no limit.
    pub fn among(self, pairs: impl IntoIterator<Item = (Text, i128)>) -> Limited {
        let mut limited = Limited::default();
        for (name, value) in pairs {
            let of_this = self.limits().into_iter().zip(&mut limited.0);
            for (_, limit) in of_this.filter(|(known, _)| known.as_bytes() == name) {
                *limit = u32::try_from(value).ok();
            }
        }
        limited
    }
}

/// The limits of a virtual host or user, in the order of [`Holder::limits`]; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limited(pub [Option<u32>; 2]);

/// Changes to limits; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsChange(pub [Option<Option<u32>>; 2]);

impl LimitsChange {
    /// The limits after this change.
    pub fn of(self, before: Limited) -> Limited {
        let (LimitsChange([one, other]), Limited([before, other_before])) = (self, before);
        Limited([one.unwrap_or(before), other.unwrap_or(other_before)])
    }

    /// The change from `before` to `after`.
    pub fn between(before: Limited, after: Limited) -> LimitsChange {
        let differs = |before, after| (before != after).then_some(after);
        let (Limited([one, other]), Limited([one_after, other_after])) = (before, after);
        LimitsChange([differs(one, one_after), differs(other, other_after)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_by_name_and_a_negative_one_is_none() {
        let pairs = [("max-queues", 5), ("max-connections", -1), ("max-other", 7)];
        let pairs = pairs.map(|(name, value)| (name.into(), value));
        assert_eq!(Holder::Vhost.among(pairs.clone()), Limited([None, Some(5)]));
        assert_eq!(Holder::User.among(pairs), Limited::default());
    }

    #[test]
    fn what_changes_one_state_to_another_does_so() {
        let states = [None, Some(0), Some(5)];
        let states = states.iter().flat_map(|one| states.map(|other| Limited([*one, other])));
        let states: Vec<_> = states.collect();
        for (before, after) in states.iter().flat_map(|it| states.iter().map(move |to| (*it, *to)))
        {
            let change = LimitsChange::between(before, after);
            assert_eq!(change.of(before), after);
            assert_eq!(change == LimitsChange::default(), before == after);
        }
    }
}
