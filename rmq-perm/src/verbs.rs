//! Commands of RabbitMQ's tools, and their equivalents.

use rmq_common::arguments::Aliases;

/// Defines the aliases: pairs and, for each of RabbitMQ's tools, the commands that only it has.
macro_rules! aliases {
    ($($name:literal => $command:literal,)* $(in $tool:literal: $($verb:ident)*;)*) => {
        &[
            $(($name, $command),)*
            $($((stringify!($verb), concat!($tool, " ", stringify!($verb))),)*)*
        ]
    };
}

/// Commands of rabbitmqctl and its like, and rabbitmqadmin. The first are subcommands here; the
/// others have an equivalent in another of these tools, or in RabbitMQ's. A hyphen also matches an
/// underscore.
pub const ALIASES: Aliases = aliases! {
    "add_user" => "add-user",
    "add_vhost" => "add-vhost",
    "authenticate_user" => "authenticate",
    "await_startup" => "wait",
    "change_password" => "change-password",
    "check_if_node_is_quorum_critical" => "cluster-status --if-node-stops",
    "clear_permissions" => "clear",
    "clear_topic_permissions" => "clear-topic",
    "cluster_status" => "cluster-status",
    "delete_user" => "delete-user",
    "delete_vhost" => "delete-vhost",
    "close_all_user_connections" => "close-connections",
    "list_connections" => "list-connections",
    "list_bindings" => "list-bindings",
    "list_consumers" => "list-consumers",
    "list_exchanges" => "list-exchanges",
    "list_permissions" => "list",
    "list_queues" => "list-queues",
    "list_topic_permissions" => "list-topic",
    "list_user_permissions" => "list --of-user",
    "list_user_topic_permissions" => "list-topic --of-user",
    "list_users" => "list-users",
    "list_vhosts" => "list-vhosts",
    "set_permissions" => "set",
    "set_topic_permissions" => "set-topic",
    "set_user_tags" => "set-tags",
    "set_user_limits" => "set-user-limits",
    "set_vhost_limits" => "set-vhost-limits",
    "clear_user_limits" => "clear-user-limits",
    "clear_vhost_limits" => "clear-vhost-limits",
    "list_user_limits" => "list-user-limits",
    "list_vhost_limits" => "list-vhost-limits",
    "update_vhost_metadata" => "set-vhost",
    // Equivalents in these tools.
    "alarms" => "rmq-perm cluster-status",
    "check_alarms" => "rmq-perm cluster-status",
    "check_local_alarms" => "rmq-perm cluster-status",
    "check_running" => "rmq-perm cluster-status",
    "cluster-health" => "rmq-perm cluster-status",
    "consume" => "rmq-recv QUEUE",
    "declare" => "rmq-declare QUEUE, or rmq-declare --exchange NAME:TYPE",
    "declare_exchange" => "rmq-declare --exchange NAME:TYPE",
    "declare_queue" => "rmq-declare QUEUE",
    "delete_exchange" => "rmq-declare --delete --exchange NAME",
    "delete_queue" => "rmq-declare --delete QUEUE",
    "erlang_version" => "rmq-perm cluster-status",
    "export_definitions" => "rmq-perm dump (of virtual hosts, users and permissions)",
    "get" => "rmq-recv --peek 1 QUEUE",
    "help" => "rmq-perm --help",
    "health_check" => "rmq-perm cluster-status",
    "import_definitions" => "rmq-perm apply FILE (of virtual hosts, users and permissions)",
    "is_running" => "rmq-perm cluster-status",
    "listeners" => "rmq-perm cluster-status",
    "node_health_check" => "rmq-perm cluster-status",
    "peek" => "rmq-recv --peek 1 QUEUE",
    "ping" => "rmq-perm cluster-status",
    "publish" => "rmq-send QUEUE",
    "purge_queue" => "rmq-declare --purge QUEUE",
    "server_version" => "rmq-perm cluster-status",
    "set_vhost_tags" => "rmq-perm set-vhost --tags TAGS VHOST",
    "show" => "rmq-perm cluster-status, or rmq-perm list-queues",
    "status" => "rmq-perm cluster-status",
    "version" => "rmq-perm --version",
    // Only in RabbitMQ's tools, under the same name.
    in "rabbitmqctl":
        activate_free_disk_space_monitoring autocomplete
        await_online_nodes cancel_sync_queue change_cluster_node_type
        check_if_any_deprecated_features_are_used clear_global_parameter
        clear_operator_policy clear_parameter clear_password clear_policy
        close_all_connections
        close_connection deactivate_free_disk_space_monitoring
        decode decrypt_conf_value disable_vhost_deletion_protection enable_feature_flag
        enable_vhost_deletion_protection encode encrypt_conf_value environment eval
        eval_file exec force_boot force_gc force_reset force_standalone_khepri_boot
        forget_cluster_node has_reached_target_cluster_size hash_password hipe_compile
        join_cluster list_channel_interceptors list_channels list_ciphers
        list_deprecated_features
        list_feature_flags list_global_parameters list_hashes list_node_auth_attempt_stats
        list_operator_policies list_parameters list_policies list_unresponsive_queues
        reconcile_vhosts
        remove_classic_queue_mirroring_from_policies rename_cluster_node report reset
        reset_stats_db restart_vhost resume_listeners rotate_logs schema_info
        set_channel_interceptor_priorities set_cluster_name set_disk_free_limit
        set_global_parameter set_log_level set_operator_policy set_parameter
        set_permissions_globally set_policy
        set_vm_memory_high_watermark shutdown start_app stop stop_app
        suspend_listeners sync_queue trace_off trace_on update_cluster_nodes;
    in "rabbitmq-queues":
        add_member check_if_new_quorum_queue_replicas_have_finished_initial_sync
        delete_member force_checkpoint grow grow_to_count
        quorum_status rebalance reclaim_quorum_memory shrink stream_status
        transfer_leadership;
    in "rabbitmq-streams":
        add_replica coordinator_status delete_replica restart_stream;
    in "rabbitmq-diagnostics":
        check_certificate_expiration check_for_quorum_queues_without_an_elected_leader
        check_port_connectivity check_port_listener check_protocol_listener
        check_virtual_hosts cipher_suites consume_event_stream log_tail log_tail_stream
        maybe_stuck memory_breakdown observer remote_shell runtime_thread_stats
        tls_versions;
    in "rabbitmq-plugins":
        directories disable enable is_enabled;
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_stands_once() {
        let names: HashSet<&str> = ALIASES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ALIASES.len());
    }
}
