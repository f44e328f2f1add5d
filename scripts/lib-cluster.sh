# shellcheck shell=bash
# A cluster as a whole: its directory, up, down, and the watchdog. Sourced by cluster, whose options are
# RELEASE, COUNT, DIR, OWNER, CONFIG and PLUGINS.

# --- a cluster's directory ---------------------------------------------------------------------------

# The file that says a directory is a cluster's. If it is absent, or has its new name, the cluster is being
# taken down, and nothing may be started.
save_cluster() {
    printf 'RELEASE=%s\nCOUNT=%s\nBASE=%s\n' "$RELEASE" "$COUNT" "$BASE" >"$DIR/cluster.new"
    mv "$DIR/cluster.new" "$DIR/cluster.conf"
}

load_cluster() {
    DIR=${DIR:-${RMQ_CLUSTER_DIR:-}}
    [[ $DIR ]] || die 64 "no cluster given: use --dir DIR or set RMQ_CLUSTER_DIR"
    [[ -f $DIR/cluster.conf ]] || die 69 "no cluster in $DIR"
    DIR=$(readlink -f "$DIR")
    # shellcheck disable=SC1091 # three assignments, by save_cluster
    source "$DIR/cluster.conf"
    find_broker "$RELEASE" || die 69 "RabbitMQ $RELEASE is no longer installed"
    broker_view
}

check_node() { [[ $1 =~ ^[1-9][0-9]?$ && $1 -le $COUNT ]] || die 64 "no such node: $1 (1 to $COUNT)"; }

# --- up ----------------------------------------------------------------------------------------------

# wait_until SECONDS CHECK NODE...: until CHECK holds for each of them. Status 1 when the time is over, 2
# when a node has died, 3 when the cluster is being taken down.
wait_until() {
    local deadline=$((SECONDS + $1)) check=$2 waiting i still
    shift 2
    waiting=("$@")
    while :; do
        still=()
        for i in "${waiting[@]}"; do
            alive "$(pid_file "$i")" || return 2
            "$check" "$i" || still+=("$i")
        done
        ((${#still[@]})) || return 0
        [[ -f $DIR/cluster.conf ]] || return 3
        ((SECONDS < deadline)) || return 1
        waiting=("${still[@]}")
        nap 0.1
    done
}

make_directory() {
    if [[ $DIR ]]; then
        (umask 077 && mkdir -p "$DIR")
        [[ ! $(ls -A "$DIR") ]] || die 64 "$DIR is not empty"
        DIR=$(readlink -f "$DIR")
    else
        DIR=$(mktemp -d "$(readlink -f "${TMPDIR:-/tmp}")/rmq-cluster.XXXXXX")
    fi
    mkdir -m 700 "$DIR/home"
    (umask 377 && head -c 24 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$DIR/home/.erlang.cookie")
}

# The nodes, once. A node that found a port taken meanwhile, and nodes that did not find each other
# (rare, but peer discovery is a race), are worth another try; status 2 says so.
try_up() {
    local i status=0 nodes
    start_epmd || return 1
    save_cluster
    for i in $(all_nodes); do
        write_node "$i"
        start_node "$i"
    done
    mapfile -t nodes < <(all_nodes)
    # Nodes that all answer clients are together at once, or have formed two clusters and stay so.
    { wait_until "$TIMEOUT" node_ready "${nodes[@]}" && wait_until 20 node_joined "${nodes[@]}"; } || status=$?
    case $status in
        0) return 0 ;;
        1) return 2 ;;
        2) if grep -qs eaddrinuse "$DIR"/node*/*.log; then return 2; else return 1; fi ;;
        *) return 1 ;;
    esac
}

up() {
    local try status unready
    [[ $COUNT =~ ^[1-9][0-9]?$ && $COUNT -le 15 ]] || die 64 "a cluster has 1 to 15 nodes, not $COUNT"
    find_broker "$RELEASE" || die 69 "RabbitMQ $RELEASE is not installed (run $HERE/install-broker --release $RELEASE)"
    broker_view
    check_view "$RELEASE"
    if [[ $OWNER ]]; then read_stat "$OWNER" || die 64 "--owner: no process $OWNER"; fi
    local owner_start=${PROC_START:-}
    make_directory
    trap 'teardown' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    BASE=0
    save_cluster
    if [[ $OWNER ]]; then
        launch "$DIR/watch.pid" "$DIR/watch.log" bash "$SELF" _watch "$DIR" "$OWNER" "$owner_start"
    fi
    for try in 1 2 3; do
        status=0
        try_up || status=$?
        ((status == 2 && try < 3)) || break
        warn "the nodes did not form one cluster; trying again"
        end_processes
        rm -rf "$DIR"/node* "$DIR"/epmd.*
    done
    if ((status)); then
        mapfile -t unready < <(for i in $(all_nodes); do node_joined "$i" || echo "$i"; done)
        show_logs "${unready[@]}"
        die 69 "the cluster did not start (not ready: node ${unready[*]})"
    fi
}

cmd_up() {
    up
    trap - EXIT HUP INT TERM
    echo "$DIR"
}

# --- down --------------------------------------------------------------------------------------------

# What is on the nodes' disks is thrown away, so there is nothing to end gracefully.
end_processes() {
    local files=("$DIR"/node*/pid "$DIR"/epmd.pid) file
    for file in "${files[@]}"; do signal KILL "$file" || true; done
    wait_gone 10 "${files[@]}" || warn "a process of $DIR did not end within 10 s"
    sweep "$DIR"
}

# Ends and removes the cluster in DIR, from whatever state, even from half of an earlier teardown.
teardown() {
    trap - EXIT
    trap '' HUP INT TERM # a second Ctrl-C must not leave half of it
    [[ -d $DIR/home ]] || return 0
    rm -f "$DIR/cluster.conf"
    end_processes
    if ! { alive "$DIR/watch.pid" && ((PID == $$)); }; then signal KILL "$DIR/watch.pid" || true; fi
    # A node dies with its last files still being made: then the directory isn't empty at the first try.
    rm -rf "$DIR" 2>/dev/null || { nap 0.2; sweep "$DIR"; rm -rf "$DIR"; }
}

cmd_down() {
    DIR=${DIR:-${RMQ_CLUSTER_DIR:-}}
    [[ $DIR ]] || die 64 "no cluster given: use --dir DIR or set RMQ_CLUSTER_DIR"
    # Gone already, perhaps by its watchdog: that is what was asked for.
    [[ -e $DIR ]] || return 0
    DIR=$(readlink -f "$DIR")
    [[ -f $DIR/cluster.conf || -f $DIR/home/.erlang.cookie ]] || die 69 "no cluster in $DIR"
    teardown
}

# The watchdog: bash "$SELF" _watch DIR OWNER START. It has read this whole file already, so it works even
# if the file is gone by the time it is needed.
cmd_watch() {
    DIR=$1
    while same_process "$2" "$3"; do
        [[ -d $DIR ]] || return 0
        nap 1
    done
    teardown
}
