# shellcheck shell=bash
# One node of a cluster: its files, its start, and what it answers. Sourced by cluster, which sets
# DIR (the cluster's directory), BASE (the first of its ports), COUNT, RELEASE, BROKER_SBIN and VIEW.

# A cluster has a block of 64 ports: the first for its epmd, then 16 each for AMQP, distribution, and the
# two kinds a --config line may ask for (TLS; HTTP, or whatever a plugin needs).
epmd_port() { echo "$BASE"; }
amqp_port() { echo $((BASE + $1)); }
dist_port() { echo $((BASE + 16 + $1)); }
# Where node $1's connections to other nodes come from, so that one can tell whose they are.
dist_address() { echo "127.0.0.$((10 + $1))"; }
tls_port() { echo $((BASE + 32 + $1)); }
http_port() { echo $((BASE + 48 + $1)); }
node_name() { echo "rmq$1@localhost"; }
node_dir() { echo "$DIR/node$1"; }
node_log() { echo "$DIR/node$1/rabbit.log"; }
pid_file() { echo "$DIR/node$1/pid"; }
all_nodes() { seq "$COUNT"; }

# Any listener on one of the 63 ports after $1, on whatever address? /proc, since ss is not everywhere.
block_in_use() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v base="$1" '
        $4 == "0A" { n = split($2, part, ":"); port = 0; hex = part[n]
            for (i = 1; i <= length(hex); i++) port = port * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
            if (port > base && port < base + 64) found = 1 }
        END { exit !found }'
}

# Our own epmd, on a block of ports nobody else has. That it is bound to the block's first port is the
# reservation: two clusters starting at the same moment can't both have it, and when it ends, however it
# ends, the block is free. The range is below the one the kernel gives out to clients (from 32768).
start_epmd() {
    local try
    for ((try = 0; try < 50; try++)); do
        BASE=$((20000 + 64 * (SRANDOM % 199)))
        if block_in_use "$BASE"; then continue; fi
        launch "$DIR/epmd.pid" "$DIR/epmd.log" env -i PATH="$SYSTEM_PATH" RMQ_CLUSTER_PROCESS="$DIR" \
            "${VIEW[@]}" epmd -address 127.0.0.1 -port "$BASE"
        while alive "$DIR/epmd.pid"; do
            if listens "$PID" "$BASE"; then return 0; fi
            nap 0.02
        done
    done
    warn "epmd did not start:" "$(tail -n 3 "$DIR/epmd.log" 2>/dev/null)"
    return 1
}

# Is it the process $1 itself, not merely somebody, who listens on port $2 of 127.0.0.1?
listens() {
    local inode
    inode=$(awk -v local="$(printf '0100007F:%04X' "$2")" '$2 == local && $4 == "0A" { print $10 }' /proc/net/tcp)
    [[ $inode ]] && find "/proc/$1/fd" -lname "socket:\[$inode\]" 2>/dev/null | grep -q .
}

# Send the protocol header; a broker that is ready for clients says Connection.Start (a method frame, 1).
# `read` drops NULs and the frame begins 01 00 00, so one byte is what to look at.
amqp_ready() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'AMQP\0\0\11\1' >&3
        LC_ALL=C IFS='' read -rt 2 -N 1 -u 3 byte
        [[ $byte == $'\1' ]]
    ) 2>/dev/null
}

# Sets NODE_ENV: the whole environment of what belongs to node $1, the broker and its command line tools.
# From nothing, so that no RABBITMQ_ or ERL_ variable of the caller's has a say; each path that would
# lead to /etc or /var is named.
node_env() {
    local dir name address
    dir=$(node_dir "$1") name=$(node_name "$1") address=$(dist_address "$1")
    NODE_ENV=(env -i PATH="$SYSTEM_PATH" HOME="$DIR/home" LC_ALL=C.UTF-8
        RMQ_CLUSTER_PROCESS="$DIR"
        ERL_EPMD_PORT="$(epmd_port)" ERL_EPMD_ADDRESS=127.0.0.1
        ERL_CRASH_DUMP_SECONDS=0 # a killed node must not spend its last seconds writing a dump
        RABBITMQ_CONF_ENV_FILE=/dev/null
        RABBITMQ_NODENAME="$name"
        RABBITMQ_DIST_PORT="$(dist_port "$1")"
        RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf"
        RABBITMQ_CONFIG_FILES="$dir/conf.d/*.conf"
        RABBITMQ_ADVANCED_CONFIG_FILE="$dir/advanced.config"
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins"
        RABBITMQ_MNESIA_BASE="$dir/data"
        RABBITMQ_LOG_BASE="$dir"
        RABBITMQ_LOGS="$(node_log "$1")"
        RABBITMQ_PID_FILE="$dir/rabbit.pid"
        RABBITMQ_GENERATED_CONFIG_DIR="$dir/generated"
        # The start script then execs the VM instead of staying its parent: the pid we start is the node's.
        RUNNING_UNDER_SYSTEMD=true
        # A dead peer is noticed within 5 s rather than 60; and nothing listens beyond loopback. No epmd
        # is started: ours is there, and one started by a node would outlive us.
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel net_ticktime 5 -kernel inet_dist_use_interface {127,0,0,1} -kernel inet_dist_connect_options [{ip,{${address//./,}}}] -start_epmd false"
        # On two cores, three nodes whose schedulers are each tied to a core and sleep at once start in 9 s;
        # like this, in 6 (one node: 6 and 4).
        RABBITMQ_SCHEDULER_BIND_TYPE=u RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD=short
        # The tools' own listener: any free port, where the default is one of eleven for the whole machine.
        RABBITMQ_CTL_DIST_PORT_MIN=0 RABBITMQ_CTL_DIST_PORT_MAX=0
        RABBITMQ_CTL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false")
}

# The files of node $1. CONFIG (lines) and PLUGINS come from the command line.
write_node() {
    local dir line i
    dir=$(node_dir "$1")
    mkdir -p "$dir"/{conf.d,generated}
    {
        echo "listeners.tcp.1 = 127.0.0.1:$(amqp_port "$1")"
        if ((COUNT > 1)); then
            echo "cluster_formation.peer_discovery_backend = classic_config"
            for i in $(all_nodes); do echo "cluster_formation.classic_config.nodes.$i = $(node_name "$i")"; done
            # Nodes that start together wait for one another. These are measured: with the defaults 3.10
            # takes twice as long, and 4.x, given 3.10's, splits once in five starts.
            if [[ $RELEASE == 3.10 ]]; then
                echo "cluster_formation.discovery_retry_limit = 1"
                echo "cluster_formation.discovery_retry_interval = 50"
            else
                echo "cluster_formation.discovery_retry_limit = 60"
                echo "cluster_formation.discovery_retry_interval = 200"
            fi
        fi
        for line in "${CONFIG[@]}"; do
            line=${line//@NODE@/$1}
            line=${line//@DIR@/$DIR}
            line=${line//@TLS_PORT@/$(tls_port "$1")}
            echo "${line//@HTTP_PORT@/$(http_port "$1")}"
        done
        # By default they listen on every interface, on a port that each machine has only once.
        own_listener rabbitmq_management management.tcp "$(http_port "$1")"
        own_listener rabbitmq_prometheus prometheus.tcp "$(tls_port "$1")"
    } >"$dir/rabbitmq.conf"
    echo '[].' >"$dir/advanced.config"
    echo "[$PLUGINS]." >"$dir/enabled_plugins"
}

# The listener of plugin $1, whose settings begin with $2: on loopback, at port $3, unless --config says so.
own_listener() {
    local line
    [[ ,$PLUGINS, == *,$1,* ]] || return 0
    for line in "${CONFIG[@]}"; do if [[ $line == "$2".* || $line == "${2%.tcp}".ssl.* ]]; then return 0; fi; done
    echo "$2.port = $3"
    echo "$2.ip = 127.0.0.1"
}

start_node() {
    node_env "$1"
    launch "$(pid_file "$1")" "$(node_dir "$1")/console.log" "${NODE_ENV[@]}" "${VIEW[@]}" "$BROKER_SBIN/rabbitmq-server"
}

# What node $1 is doing: stopped, paused or running (which says nothing about being ready).
node_state() {
    if ! alive "$(pid_file "$1")"; then echo stopped
    elif [[ $PROC_STATE == [Tt] ]]; then echo paused
    else echo running; fi
}

# Whether every thread of node $1 is stopped. A loaded machine takes its time to stop the last of a
# process's threads; until then it answers.
all_stopped() { alive "$(pid_file "$1")" && ! grep -qv ') [Tt] ' "/proc/$PID/task/"*/stat 2>/dev/null; }

running_nodes() {
    local i
    for i in $(all_nodes); do
        if [[ $(node_state "$i") == running ]]; then echo "$i"; fi
    done
}

# call I [ARGS]: Erlang's erl_call, 10 ms where rabbitmqctl takes half a second. The cookie is read from
# HOME, so it is not to be seen in `ps`.
call_node() {
    local i=$1
    shift
    node_env "$i"
    "${NODE_ENV[@]}" "${VIEW[@]}" erl_call -r -sname "$(node_name "$i")" -timeout 5 "$@"
}

# The running members of the cluster as node $1 sees them, one a line; none before it has booted. (It
# answers AMQP a moment before that: its other listeners come after the first.)
members() {
    local fun=list_running
    if [[ $RELEASE == 3.10 ]]; then fun=all_running; fi
    call_node "$1" -e <<<"case rabbit:is_booted() of true -> rabbit_nodes:$fun(); false -> [] end." 2>/dev/null |
        grep -oE 'rmq[0-9]+@localhost' | sort -u
}

node_ready() { amqp_ready "$(amqp_port "$1")"; }

# Does node $1 answer clients, and see (at least) each node that runs?
node_joined() {
    local seen i
    node_ready "$1" || return 1
    seen=$(members "$1") || return 1
    for i in $(running_nodes); do
        grep -qxF "$(node_name "$i")" <<<"$seen" || return 1
    done
}

show_logs() {
    local i file
    for i in "$@"; do
        for file in "$(node_dir "$i")/console.log" "$(node_log "$i")"; do
            if [[ -s $file ]]; then
                printf -- '--- %s\n' "$file" >&2
                tail -n 60 "$file" >&2
            fi
        done
    done
}
