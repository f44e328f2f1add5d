# shellcheck shell=bash
# Processes we start, and signals to no others. Sourced by cluster.
#
# A process of ours is known by a file which holds its pid and the time it started (in clock ticks since
# boot, from /proc): a pid alone may have gone to somebody else meanwhile. And everything we start
# carries RMQ_CLUSTER_PROCESS=<directory> in its environment, so that `down` also finds what a node
# itself started and left behind.

# Wait without starting a process: a watchdog that forks `sleep` every second would leave one behind.
nap() {
    [[ ${nap_fd:-} ]] || exec {nap_fd}<> <(:)
    read -rt "$1" -u "$nap_fd" || true
}

# Sets PROC_STATE and PROC_START of a pid; fails if there is no such process. The name, which may hold
# anything, stands in parentheses before the fields we want.
read_stat() {
    local stat fields
    [[ $1 ]] && { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${stat##*) }"
    PROC_STATE=${fields[0]} PROC_START=${fields[19]}
}

# Is the pid $1 still the process that started at $2? One that is dead and only waits for its parent to
# look (a zombie) is not.
same_process() { read_stat "$1" && [[ $PROC_START == "$2" && $PROC_STATE != [ZXx] ]]; }

# alive PIDFILE: sets PID, and PROC_STATE.
alive() {
    local start
    PID=
    { read -r PID start <"$1"; } 2>/dev/null || return 1
    same_process "$PID" "$start"
}

# signal NAME PIDFILE: succeeds if there was somebody to signal.
signal() { alive "$2" && kill -s "$1" "$PID" 2>/dev/null; }

# wait_gone SECONDS PIDFILE...
wait_gone() {
    local deadline=$((SECONDS + $1)) file
    shift
    for file in "$@"; do
        while alive "$file"; do
            ((SECONDS < deadline)) || return 1
            nap 0.05
        done
    done
}

# launch PIDFILE LOG COMMAND...: a daemon. It is in a session of its own (a Ctrl-C is not for it), and
# holds none of our open files: a pipe it kept open would make whoever reads our output wait for it.
launch() {
    local file=$1 log=$2 pid
    shift 2
    (
        trap - EXIT
        exec </dev/null >>"$log" 2>&1
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            if ((fd > 2)); then exec {fd}>&-; fi
        done
        cd /
        exec setsid "$@"
    ) &
    pid=$!
    # A process that is gone already was no process of ours to signal: any start time will do.
    PROC_START=0
    read_stat "$pid" || true
    printf '%s %s\n' "$pid" "$PROC_START" >"$file"
    # Else bash reports "Killed" on standard error when a node is killed later.
    disown "$pid" 2>/dev/null || true
}

# Kill whatever carries our mark in its environment.
sweep() {
    local pid
    grep -lszxF "RMQ_CLUSTER_PROCESS=$1" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do
        kill -KILL "$pid" 2>/dev/null || true
    done || true
}
