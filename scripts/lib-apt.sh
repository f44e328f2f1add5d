# shellcheck shell=bash
# Sourced by those that install packages of this system.

# apt_install PACKAGE...: as root; a fresh machine has no package lists yet.
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 || {
        apt-get update >/dev/null
        apt-get install -y --no-install-recommends "$@" >/dev/null
    }
}
