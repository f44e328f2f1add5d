# shellcheck shell=bash
# A network between nodes that drops what they send one another. Sourced by cluster.

partition_table() { echo "rmq_cluster_$BASE"; }

# The rules are those of this network namespace; the system's own is not ours to change.
check_network() {
    command -v nft >/dev/null || die 69 "nft is not installed (run scripts/install-tools)"
    if [[ $(readlink /proc/self/ns/net) == $(readlink /proc/1/ns/net 2>/dev/null) ]]; then
        die 64 "a partition needs its own network namespace: unshare --net -- sh -c 'ip link set lo up; ...'"
    fi
}

# Both directions of the connections that node $1 has made to node $2.
drop_connections() {
    echo "ip saddr $(dist_address "$1") tcp dport $(dist_port "$2") drop"
    echo "ip daddr $(dist_address "$1") tcp sport $(dist_port "$2") drop"
}

cmd_partition() {
    local i j
    check_network
    {
        printf 'table ip %s {\nchain between {\ntype filter hook input priority 0;\n' "$(partition_table)"
        for i in "$@"; do
            for j in $(all_nodes); do
                if [[ " $* " == *" $j "* ]]; then continue; fi
                drop_connections "$i" "$j"
                drop_connections "$j" "$i"
            done
        done
        printf '}\n}\n'
    } | nft -f -
}

cmd_reunite() {
    check_network
    nft "add table ip $(partition_table); delete table ip $(partition_table)"
}
