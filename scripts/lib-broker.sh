# shellcheck shell=bash
# Which RabbitMQ releases we know, where each is found on this machine, and how to run a command with
# it. Sourced by install-broker and cluster; it starts and changes nothing by itself.
# shellcheck disable=SC2034 # what is set here is read by those who source it

warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
# die STATUS MESSAGE: the statuses are those of sysexits.h (64 usage, 69 unavailable, 70 software).
die() { local status=$1; shift; warn "$*"; exit "$status"; }

# What a person may write (4, 4.0, 4.0.5) -> the release we mean.
canonical_release() {
    case $1 in
        3 | 3.10 | 3.10.*) echo 3.10 ;;
        4 | 4.0 | 4.0.*) echo 4.0 ;;
        4.3 | 4.3.*) echo 4.3 ;;
        *) die 64 "no such release: $1 (3.10, 4.0 and 4.3 are known)" ;;
    esac
}

# The Debian suite which carries a release.
suite_of() {
    case $1 in
        3.10) echo bookworm ;;
        4.0) echo trixie ;;
        4.3) echo forky ;;
    esac
}

broker_cache() { echo "${RMQ_BROKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rmq-brokers}"; }

# The directory of a release's own scripts (rabbitmq-server, rabbitmqctl) below the root $2, or
# nothing. Not /usr/sbin's wrappers: those change to the user rabbitmq and to /var/lib/rabbitmq.
sbin_below() {
    local sbin
    for sbin in "$2/usr/lib/rabbitmq/lib/rabbitmq_server-$1".*/sbin; do
        if [[ -x $sbin/rabbitmq-server ]]; then
            echo "${sbin#"$2"}"
            return 0
        fi
    done
    return 1
}

# find_broker RELEASE: sets BROKER_SBIN and, for a release that was unpacked into the cache rather than
# installed, BROKER_TREE. Installed wins: it needs no namespace.
find_broker() {
    BROKER_TREE=
    BROKER_SBIN=$(sbin_below "$1" "") && return 0
    BROKER_TREE=$(broker_cache)/$1
    BROKER_SBIN=$(sbin_below "$1" "$BROKER_TREE") && return 0
    BROKER_TREE=
    return 1
}

# Sets VIEW, the words to put before a command so that it sees the broker of find_broker as installed.
#
# An unpacked release brings its own C library and its own Erlang, and RabbitMQ and Erlang look for
# themselves under /usr. So it runs in its own mount namespace, with its usr mounted over ours. Everything else,
# /tmp, /home, /proc and /dev, stays what it is (no chroot), so paths in configuration files and
# certificates mean the same inside and outside. Each step execs: the pid we start is the pid of the VM.
broker_view() {
    VIEW=()
    [[ $BROKER_TREE ]] || return 0
    # shellcheck disable=SC2016 # expanded by the inner shell
    VIEW=(unshare --mount -- sh -c 'mount --bind "$1/usr" /usr && shift && exec "$@"' sh "$BROKER_TREE")
    if ((EUID != 0)); then
        VIEW=(unshare --map-root-user "${VIEW[@]:1}")
    fi
}

# Can the view be entered here? Containers and some distributions forbid namespaces.
check_view() {
    [[ $BROKER_TREE ]] || return 0
    "${VIEW[@]}" true 2>/dev/null ||
        die 69 "release $1 needs a mount namespace (unshare --mount), which this system does not allow uid $EUID"
}
