# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every parser of what others wrote, with recorded inputs to begin from. A new parser is one line in TARGETS."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

from fuzz import (
    api_readers,
    change_readers,
    cluster_readers,
    gather_readers,
    host_change_readers,
    host_readers,
    node_readers,
    offline_readers,
    overlay_readers,
    peering_readers,
    preflight_readers,
    readers,
    redaction_readers,
)

if TYPE_CHECKING:
    from collections.abc import Callable

COLLECTION = "ansible_collections.netmedic.calico.plugins"
NODE = "plugins/module_utils"
TEXT, JSON, BYTES = "text", "json", "bytes"


class Target(NamedTuple):
    """A parser under test.

    `read` takes the raw input. `seeds` are patterns of recorded files under tests/unit; `form` says how inputs are
    varied beside byte by byte. `allowed` are exceptions which the parser's own description promises. `readings` is how
    often `read` has the input read.
    """

    name: str
    read: Callable[[bytes], Any]
    seeds: tuple[str, ...] = ()
    form: str = TEXT
    allowed: tuple[type[Exception], ...] = ()
    readings: int = 1


def _function(where: str) -> Callable[..., Any]:
    """The function "module_utils._bird.replies:parse_status", imported when it is first called."""
    module, _colon, name = where.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"{COLLECTION}.{module}"), name)
    return found


def _text(where: str, *more: Any) -> Callable[[bytes], Any]:
    """A parser that takes a text."""
    return lambda data: _function(where)(data.decode("utf-8", "replace"), *more)


def _bytes(where: str, *more: Any) -> Callable[[bytes], Any]:
    """A parser that takes bytes."""
    return lambda data: _function(where)(data, *more)


def _printed(name: str, kinds: str, *more: str, form: str = TEXT) -> Target:
    """A parser of plugin_utils/_texts; the recorded cases of each of its kinds are in tests/unit/texts/<kind>."""
    return Target(f"texts_{name}", _text(f"plugin_utils._texts.{name}:parse"), (*_cases(kinds), *more), form)


def _cases(kinds: str) -> tuple[str, ...]:
    return tuple(f"texts/{kind}/*/input.*" for kind in kinds.split())


_BIRD = f"{NODE}/_bird/recorded"
_FIREWALL = f"{NODE}/_firewall/recorded"
_CLOCK = f"{NODE}/_clock/recorded"
_HOST = f"{NODE}/_host/recorded"
_NOW = 1_800_000_000.0

TARGETS: tuple[Target, ...] = (
    # --- what runs on nodes ---
    Target("bird_control", readers.bird_control, (f"{_BIRD}/*/*.raw",)),
    Target("bird_status", _text("module_utils._bird.replies:parse_status"), (f"{_BIRD}/*/status.raw",)),
    Target("bird_sessions", _text("module_utils._bird.replies:parse_sessions", 1.0), (f"{_BIRD}/*/protocols.raw",)),
    Target("bird_config", readers.bird_config, (f"{_BIRD}/*/config/*.cfg",)),
    Target("bird_log", readers.bird_log, (f"{_BIRD}/logs/*",)),
    Target("iptables_save", readers.iptables_save, (f"{_FIREWALL}/*.txt",)),
    Target("ipset", readers.ipset, (f"{_FIREWALL}/*.ipset",)),
    Target("nft_json", readers.nft_json, (f"{_FIREWALL}/*.json",), JSON),
    Target("nft_script", readers.nft_script, (f"{_FIREWALL}/*.nft", f"{_FIREWALL}/**/*.nft")),
    Target("firewalld_zone", readers.firewalld_zone, ("**/firewalld/**/*.xml",)),
    Target("firewalld_rich_rule", _text("module_utils._firewall.firewalld:rich_rule")),
    Target("firewalld_folder", node_readers.firewalld_folder, ("**/firewalld/**/*.xml",)),
    Target("ufw_boot", node_readers.ufw_boot, ("**/ufw*/**/*.rules", f"{_FIREWALL}/ufw_*.txt")),
    Target("saved_rule", host_change_readers.saved_rule, (f"{_FIREWALL}/*.txt", f"{_FIREWALL}/*.nft")),
    Target("rule_words", host_change_readers.rule_words, (f"{_FIREWALL}/*.txt", f"{_FIREWALL}/*.nft")),
    Target("saved_settings", host_change_readers.saved_settings, ("**/*sysctl*.txt", "**/*.conf")),
    Target("ufw_tuples", host_change_readers.ufw_tuples, ("**/ufw*/**/*.rules",)),
    Target("own_firewall_rules", host_change_readers.own_firewall_rules, (f"{_FIREWALL}/*.txt", f"{_FIREWALL}/*.nft")),
    Target("ufw_settings", _text("module_utils._firewall.ufw:settings"), ("**/ufw*/**/ufw.conf",)),
    Target("chronyc", _text("module_utils._clock.chrony:parse", _NOW), (f"{_CLOCK}/chrony-*.txt",)),
    Target("ntpq", _text("module_utils._clock.ntpd:parse"), (f"{_CLOCK}/ntpq-*.txt",)),
    Target("timesyncd", _text("module_utils._clock.timesyncd:parse"), (f"{_CLOCK}/timesyncd-*.txt",)),
    Target("chronyd_answer", readers.chronyd_answer, (), BYTES),
    Target("ntpd_answer", node_readers.ntpd_answer, (), BYTES),
    Target("calico_log", readers.calico_log, ("**/*calico*.log", "**/kubelet*.log", f"{_HOST}/host-log/*.log")),
    Target("cni_plugin", _text("module_utils._host.cni:plugin_of"), ("**/*.conflist",), JSON),
    Target("cni_mtu", node_readers.cni_mtu, ("**/*.conflist",), JSON),
    Target("cni_token", _text("module_utils._host.cni:token_times", _NOW), ("**/*kubeconfig*",)),
    Target("netstat_counters", readers.netstat_counters, (f"{_HOST}/*.netstat",)),
    Target("os_release", _text("module_utils._host.identity:parse_os_release"), _cases("os-release")),
    Target("ini", _text("module_utils._host.network_managers:parse_ini"), ("**/*.network", "**/NetworkManager.conf")),
    Target("kubelet_flags", readers.kubelet_flags),
    Target("tcp_table", _bytes("module_utils._host.tcp_table:parse", {179}), (f"{_HOST}/*.tcp", f"{_HOST}/*.tcp6")),
    Target("network_unit", _text("module_utils._host.network_managers:takes_ours"), ("**/*.network",)),
    Target("host_log", _text("module_utils._host.host_log:parse", _NOW), (f"{_HOST}/host-log/*.txt",)),
    Target("dns_log", _text("module_utils._host.dns_log:parse", _NOW), (f"{_HOST}/dns-log/*.log",)),
    Target("ini_exclusion", node_readers.ini_exclusion, ("**/*.network", "**/NetworkManager.conf")),
    Target("hosts_file", node_readers.hosts_file),
    Target("netlink", readers.netlink, (), BYTES),
    Target("kernel", node_readers.kernel, (), BYTES),
    Target("kernel_sockets", node_readers.kernel_sockets, (), BYTES),
    Target("kernel_chains", node_readers.kernel_chains, (), BYTES),
    Target("wireguard_peers", node_readers.wireguard_peers, (), BYTES),
    Target("flannel", node_readers.flannel),
    Target("kubeconfig_certificate", node_readers.kubeconfig_certificate, ("**/*kubeconfig*",)),
    Target("sysctl_settings", node_readers.sysctl_settings, _cases("sysctl")),
    Target("certificate_pem", _text("module_utils._host.x509:parse_pem"), ("**/*.pem", "**/*.crt")),
    Target("certificate_der", _bytes("module_utils._host.x509:parse_der"), ("**/*.der",), BYTES),
    Target("certificate_names", _bytes("module_utils._host.x509_names:parse_names"), ("**/*.der",), BYTES),
    Target("health_answer", _text("module_utils._host.health:parse")),
    Target("k3s_configuration", _text("module_utils._host.distributions:parse_config")),
    Target("endpoint", _text("module_utils._facts.control_plane:endpoint")),
    Target("kubeconfig_server", _text("module_utils._facts.control_plane:server_of"), ("**/*kubeconfig*",)),
    Target("icmp", readers.icmp, (), BYTES),
    Target("probe_answer", node_readers.probe_answer, (), BYTES),
    Target("kernel_configuration", node_readers.kernel_configuration, (), BYTES),
    Target("address_method", node_readers.address_method),
    Target("address_cidr", _text("module_utils._address.autodetect:parse_cidr")),
    Target("address_version", _text("module_utils._address.releases:parse_version")),
    Target("address_pattern", readers.address_pattern),
    Target("packed_addresses", readers.packed_addresses, (), JSON),
    Target("kernel_routes", host_readers.kernel_routes, (f"{_BIRD}/*/protocols.raw", *_cases("birdcl-route"))),
    Target("openntpd", host_readers.openntpd, (f"{_CLOCK}/*openntpd*.txt", f"{_CLOCK}/ntpctl*.txt")),
    Target("server_address", host_readers.server_address, ("**/*kubeconfig*",)),
    Target("boot_script", host_readers.boot_script),
    Target("runtime_folder", host_readers.runtime_folder),
    Target("distribution", host_readers.distribution),
    Target("health", host_readers.health),
    Target("strain", host_readers.strain),
    Target("certificate_names", host_readers.certificate_names, ("**/*.pem", "**/*.crt", "**/*.der"), BYTES),
    Target("first_moment", host_readers.first_moment, ("**/kubelet*.log",)),
    # --- texts, read on the controller ---
    Target("lint", offline_readers.manifests, ("plugins/plugin_utils/_lint/rules/*/bad*/*",)),
    _printed("bird_config", "bird.cfg", f"{_BIRD}/*/config/*.cfg"),
    _printed("bird_protocols", "birdcl-protocols birdcl-status", f"{_BIRD}/*/protocols.raw", f"{_BIRD}/*/*.txt"),
    _printed("bird_routes", "birdcl-route"),
    _printed("calicoctl_ipam", "calicoctl-ipam-show"),
    _printed("calicoctl_nodes", "calicoctl-get-nodes"),
    _printed("calicoctl_pools", "calicoctl-get-ippools"),
    _printed("calicoctl_status", "calicoctl-node-status"),
    _printed("chrony", "chronyc-sources chronyc-tracking", f"{_CLOCK}/chrony-*.txt"),
    _printed("counters", "netstat", f"{_HOST}/*.netstat"),
    Target("texts_firewall_firewalld", readers.texts_firewalld, _cases("firewalld")),
    _printed("firewall_ipset", "ipset", f"{_FIREWALL}/*.ipset"),
    Target("texts_firewall_iptables", readers.texts_iptables, (*_cases("iptables-save"), f"{_FIREWALL}/*.txt")),
    Target("texts_firewall_listing", readers.texts_listing, _cases("iptables-list")),
    Target("texts_firewall_nft", readers.texts_nft, (*_cases("nft-ruleset"), f"{_FIREWALL}/*.nft")),
    Target("texts_firewall_ufw", readers.texts_ufw, _cases("ufw-status")),
    _printed("kubectl_daemonsets", "daemonsets"),
    _printed("kubectl_describe", "describe"),
    _printed("kubectl_events", "events"),
    _printed("kubectl_nodes", "nodes"),
    _printed("kubectl_pods", "pods"),
    _printed("links", "ip-addr ip-link", f"{_HOST}/netlink/ip-addr.json", f"{_HOST}/netlink/ip-link.json"),
    _printed("log", "log", f"{_BIRD}/logs/*"),
    Target("texts_log_last", _text("plugin_utils._texts.log:last_of_this_year", _NOW), _cases("log")),
    _printed("managers", "networkctl nmcli network-unit"),
    _printed("modules", "modules"),
    _printed("neighbours", "ip-neigh", f"{_HOST}/netlink/ip-neigh.json"),
    _printed("ntpq", "ntpq", f"{_CLOCK}/ntpq-*.txt"),
    _printed("os_release", "os-release"),
    _printed("probes", "probes", form=JSON),
    _printed("processes", "processes"),
    _printed("routes", "ip-route", f"{_HOST}/netlink/ip-route-get.json"),
    _printed("sockets", "sockets"),
    _printed("sysctl", "sysctl"),
    _printed("systemctl_status", "systemctl-status"),
    _printed("tcpdump", "tcpdump"),
    _printed("tried_ping", "ping"),
    _printed("tried_trace", "trace"),
    _printed("tried_connect", "connect"),
    _printed("tried_lookup", "lookup"),
    _printed("tried_kubectl", "api-error"),
    Target("texts_links_otherwise", _text("plugin_utils._texts.links_otherwise:network"), _cases("ip-addr ip-link")),
    Target("texts_fragments", _text("plugin_utils._texts.firewall_fragments:saved"), _cases("iptables-save")),
    Target("tried_by_hand", offline_readers.tried_by_hand, _cases("ping connect lookup trace pods")),
    _printed("tigerastatus", "tigerastatus"),
    # what projectcalico/calico#6357 and #12131 show
    Target(
        "texts_tigerastatus_described",
        _text("plugin_utils._texts.tigerastatus:parse_described"),
        ("fuzz/seeds/tigerastatus.txt",),
    ),
    _printed("timedatectl", "timedatectl", f"{_CLOCK}/timesyncd-*.txt"),
    _printed("tool_versions", "iptables-version"),
    _printed("uname", "uname"),
    Target("texts_bird_kept", node_readers.bird_kept, _cases("log")),
    Target("texts_speaker_log", node_readers.speaker_log, (*_cases("log"), "fuzz/seeds/*.log")),
    Target("texts_bgp_capture", node_readers.bgp_capture, _cases("tcpdump")),
    Target("texts_packet_log", node_readers.packet_log, ("fuzz/seeds/netfilter.log", *_cases("log"))),
    Target("texts_readiness", _text("plugin_utils._texts.readiness:read"), _cases("events describe")),
    Target("texts_messages", node_readers.messages_of_probes, _cases("events describe log")),
    Target("texts_tunnels", node_readers.tunnels_of_text, _cases("ip-link ip-addr")),
    Target("texts_ip_rules", _text("plugin_utils._texts.ip_rules:parse"), _cases("ip-route")),
    Target("texts_routes_asked", _text("plugin_utils._texts.routes_asked:parse"), _cases("ip-route")),
    Target("texts_kinds", readers.recognised, _cases("*")),
    Target("texts_of_a_node", readers.texts_of_a_node),
    Target("told", node_readers.told),
    Target("script_output", node_readers.script_output, ("**/_raw/recorded/*/output.txt",)),
    Target("without_secrets", node_readers.without_secrets, (f"{_BIRD}/*/config/*.cfg",)),
    Target(
        "gathered_outputs",
        gather_readers.outputs,
        (f"{NODE}/_gather/recorded/*/*.raw", *_cases("log sysctl")),
        readings=9,
    ),
    Target("gathered_parcel", gather_readers.parcel, _cases("uname")),
    # --- the cluster's objects ---
    Target("selector", peering_readers.selector),
    Target("peering", peering_readers.peering, (), JSON),
    # --- what the API told ---
    Target("api_answers", api_readers.api_answers, (), JSON),
    Target("api_packed", api_readers.api_packed, (), JSON),
    Target("api_complaints", api_readers.api_complaints),
    Target("object_record", change_readers.object_record, (f"{NODE}/_object_change/recorded/*.json",), JSON),
    Target("object_journal", change_readers.journal, (f"{NODE}/_object_change/recorded/*.json*",)),
    Target("object_lease", change_readers.lease, (f"{NODE}/_object_change/recorded/*.json",), JSON),
    Target("cluster_objects", cluster_readers.objects_of_bundle, ("**/_cluster/shapes/*/cluster/*.yaml",)),
    Target("cluster_tables", cluster_readers.tables, _cases("nodes pods events describe")),
    Target("cluster_yaml", cluster_readers.objects_of_calico),
    Target("cluster_fact", cluster_readers.cluster_fact, (), JSON),
    Target("cluster_value", cluster_readers.written_value),
    # --- other people's collections ---
    Target("archive", offline_readers.archive, ("texts/uname/*/input.txt",)),
    Target("digest", offline_readers.digest, ("texts/log/*/input.*",)),
    Target("loose", offline_readers.loose, (*_cases("calicoctl-node-status log uname ip-addr nodes"),), readings=8),
    Target("corrections", offline_readers.corrections, ("**/_cluster/shapes/*/cluster/*.yaml",)),
    Target("redacted", redaction_readers.redacted, (*_cases("log ip-addr nodes"), "cases/*/node-1.json"), readings=4),
    # --- preflight ---
    Target("preflight_packet", preflight_readers.packet, (), BYTES),
    Target("preflight_request", preflight_readers.request),
    Target("preflight_results", preflight_readers.results, ("**/_preflight/recorded/*.json",), JSON),
    # --- evidence ---
    Target("bundle", readers.bundle, ("cases/*/node-1.json",)),
    Target("limit", _text("plugin_utils._plan.refusal:most_hosts", 100), allowed=(ValueError,)),
    Target("process_of_a_run", _text("plugin_utils._plan.process:is_gone")),
    Target("overlay", overlay_readers.overlay, ("cases/*/node-1.json",), JSON),
    Target("evidence", readers.evidence, ("cases/*/node-1.json", "cases/*/node-2.json"), JSON),
)
BY_NAME = {target.name: target for target in TARGETS}
