//! Limits in the forms of the command line and of files.

use crate::administration::{Holder, LimitsChange};
use crate::names;
use serde_json::Value;
use std::str::FromStr;

/// A limit; `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<u32>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // -1 is rabbitmqctl's form of it.
        if matches!(text, "none" | "-1") {
            return Ok(Limit(None));
        }
        names::limit(text).map(|limit| Limit(Some(limit))).map_err(|why| why.to_string())
    }
}

/// The JSON that `rabbitmqctl set_vhost_limits` and `set_user_limits` accept.
pub fn of_json(holder: Holder, json: &str) -> Result<LimitsChange, String> {
    let known = holder.limits();
    let wrong = || {
        let [one, other] = known;
        format!("'{json}' is not a limit; give --{one} N or --{other} N")
    };
    let Ok(Value::Object(pairs)) = serde_json::from_str(json) else { return Err(wrong()) };
    let mut change = LimitsChange::default();
    for (key, value) in pairs {
        let place = known.iter().position(|name| *name == key);
        let slot = place.and_then(|place| change.0.get_mut(place)).ok_or_else(wrong)?;
        *slot = Some(value.to_string().parse::<Limit>()?.0);
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none() {
        assert_eq!("0".parse(), Ok(Limit(Some(0))));
        assert_eq!("2147483647".parse(), Ok(Limit(Some(2_147_483_647))));
        for none in ["none", "-1"] {
            assert_eq!(none.parse(), Ok(Limit(None)));
        }
        for wrong in ["", "-2", "1k", "2147483648", "1.5"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rabbitmqctls_json_is_understood() {
        let change = of_json(Holder::Vhost, r#"{"max-queues": 5, "max-connections": -1}"#);
        assert_eq!(change, Ok(LimitsChange([Some(None), Some(Some(5))])));
        for wrong in [r#"{"max-channels": 5}"#, r#"{"max-queues": "x"}"#, "5", "max-queues=5"] {
            assert!(of_json(Holder::Vhost, wrong).is_err(), "{wrong}");
        }
    }
}
