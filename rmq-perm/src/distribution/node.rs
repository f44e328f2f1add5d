//! The node to ask: `--node`, else `$RABBITMQ_NODENAME`, else `rabbit`; without a host, on this one.

use erl_dist::node::NodeName;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::ffi::OsString;

/// # Errors
/// The name is not valid (64; 78 from the environment).
pub fn choose(option: Option<&str>) -> Result<NodeName, Failure> {
    choose_from(option, std::env::var_os("RABBITMQ_NODENAME"), &this_host())
}

fn choose_from(
    option: Option<&str>,
    environment: Option<OsString>,
    this_host: &str,
) -> Result<NodeName, Failure> {
    if let Some(name) = option {
        return read(name, this_host).map_err(|why| Failure::usage(format!("--node: {why}")));
    }
    let Some(name) = environment.filter(|name| !name.is_empty()) else {
        return read("rabbit", this_host).map_err(Failure::usage);
    };
    let name = name.into_string().map_err(|_| "it is not UTF-8".to_owned());
    name.and_then(|name| read(&name, this_host))
        .map_err(|why| Failure::new(Exit::Config, format!("$RABBITMQ_NODENAME: {why}")))
}

fn read(text: &str, this_host: &str) -> Result<NodeName, String> {
    let (name, host) = text.split_once('@').unwrap_or((text, this_host));
    if host.contains('@') || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("'{}' is not a node name; write NAME@HOST", text.escape_debug()));
    }
    NodeName::new(name, host).map_err(|why| format!("'{text}' is not a node name: {why}"))
}

/// This host's name up to the first dot, as in Erlang's short names.
fn this_host() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    name.split('.').next().unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(option: Option<&str>, environment: Option<&str>) -> Result<String, Failure> {
        let node = choose_from(option, environment.map(OsString::from), "here")?;
        Ok(node.to_string())
    }

    #[test]
    fn the_option_comes_before_the_environment_and_this_hosts_rabbit_is_the_default() {
        assert_eq!(chosen(Some("a@b"), Some("c@d")).unwrap(), "a@b");
        assert_eq!(chosen(None, Some("c@d.example")).unwrap(), "c@d.example");
        assert_eq!(chosen(None, Some("")).unwrap(), "rabbit@here");
        assert_eq!(chosen(None, None).unwrap(), "rabbit@here");
    }

    #[test]
    fn a_name_without_a_host_is_on_this_one() {
        assert_eq!(chosen(Some("hare"), None).unwrap(), "hare@here");
        assert_eq!(chosen(None, Some("hare")).unwrap(), "hare@here");
    }

    #[test]
    fn what_is_no_node_name_is_refused() {
        let long = "x".repeat(300);
        for name in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", &long] {
            assert_eq!(chosen(Some(name), None).unwrap_err().exit(), Exit::Usage, "{name}");
        }
        assert_eq!(chosen(None, Some("a@b@c")).unwrap_err().exit(), Exit::Config);
    }
}
