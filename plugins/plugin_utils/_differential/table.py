# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults bring a symptom about, and how often beside each other.

The odds are rough: how often operators found the fault behind the symptom in public threads about Calico, corrected by
how the programs work. They order what to look at first where nothing else is known, and are never a diagnosis. Faults
that the evidence at hand would have proven are taken out before (Need.had).
"""

from __future__ import annotations

from . import symptoms as kinds
from .dataplane_table import DATAPLANE
from .model import Cause
from .oddities import ODDITIES

DIFFERENTIAL: dict[str, tuple[Cause, ...]] = {
    # The host is there and its kernel says that nobody listens, or a rule says so in its place.
    kinds.REFUSED: (
        Cause("peer_bird_not_running", 5, "listener"),
        Cause("tcp179_blocked_host_firewall", 3, "firewall"),
        Cause("wrong_ip_autodetection", 1.5, "addresses"),
        Cause("stale_node_in_mesh", 1.5, "registered"),
        Cause("port_listen_changed", 0.7, "listener"),
        Cause("port179_conflict", 0.5, "listener"),
    ),
    # Somebody accepts and hangs up: BIRD does so with a caller that it does not know by its source address.
    kinds.RESET: (
        Cause("wrong_ip_autodetection", 3.2, "addresses"),
        Cause("bird_reload_stuck", 3, "bird there"),
        Cause("bgp_source_nat", 2.5, "nat"),
        Cause("stale_node_ip", 1, "addresses"),
        Cause("tcp179_blocked_host_firewall", 0.8, "firewall"),
        Cause("duplicate_node_ip", 0.5, "addresses"),
        Cause("middlebox_breaks_bgp", 0.4, "path"),
    ),
    kinds.CLOSED: (
        Cause("bgp_source_nat", 2, "nat"),
        Cause("bird_reload_stuck", 2, "bird there"),
        Cause("wrong_ip_autodetection", 2, "addresses"),
        Cause("as_mismatch", 1, "bird there"),
        Cause("duplicate_router_id", 0.7, "bird there"),
        Cause("metallb_conflict", 0.5, "bird there"),
    ),
    # No answer at all to what is sent: dropped on the way or at its end, or sent to where nobody is.
    kinds.SILENT: (
        Cause("tcp179_blocked_network", 4, "path"),
        Cause("tcp179_blocked_host_firewall", 4, "firewall"),
        Cause("wrong_ip_autodetection", 3, "addresses"),
        Cause("peer_node_down", 2, "host"),
        Cause("stale_node_in_mesh", 2, "registered"),
        Cause("host_endpoint_policy", 0.7, "firewall"),
        Cause("bgp_password_mismatch", 0.5, "bird there"),
    ),
    # The way itself is refused: no route, no neighbour, or a rule that answers as a router would (firewalld does).
    kinds.UNREACHABLE: (
        Cause("tcp179_blocked_host_firewall", 3.5, "firewall"),
        Cause("peer_node_down", 3.5, "host"),
        Cause("wrong_ip_autodetection", 3, "addresses"),
        Cause("stale_node_in_mesh", 2.5, "registered"),
        Cause("tcp179_blocked_network", 1.2, "path"),
    ),
    # This end listens and nobody calls.
    kinds.WAITS: (
        Cause("tcp179_blocked_host_firewall", 2.5, "bird there"),
        Cause("tcp179_blocked_network", 2.5, "path"),
        Cause("peer_bird_not_running", 2, "listener"),
        Cause("wrong_ip_autodetection", 2, "addresses"),
        Cause("bird_reload_stuck", 1.8, "bird there"),
        Cause("calico_bug_passive", 1.5, "bird there"),
        # Who calls with another source address than its own is turned away, and not a word of that stands here.
        Cause("bgp_source_nat", 1.5, "nat"),
        Cause("peer_node_down", 1.2, "host"),
        Cause("stale_node_in_mesh", 1.2, "registered"),
    ),
    # TCP is up and BGP is not.
    kinds.OPEN_STUCK: (
        Cause("middlebox_breaks_bgp", 3, "path"),
        Cause("mtu_mismatch", 1.5, "size"),
        Cause("hold_timer_expired", 1, "load"),
        Cause("as_mismatch", 1, "bird there"),
    ),
    kinds.EXPIRED: (
        Cause("hold_timer_expired", 4, "load"),
        Cause("mtu_mismatch", 2, "size"),
        Cause("peer_node_down", 1.5, "host"),
        Cause("middlebox_breaks_bgp", 1.2, "path"),
        Cause("tcp179_blocked_network", 1, "path"),
    ),
    # The listener's side of a reset.
    kinds.STRANGER: (
        Cause("bgp_source_nat", 3, "nat"),
        Cause("wrong_ip_autodetection", 2.5, "addresses"),
        Cause("bird_reload_stuck", 1.5, "bird here"),
        Cause("stale_node_ip", 1.2, "addresses"),
    ),
    # BIRD takes a peer with its own identifier for itself: by a copied one, or because the peer's address is its own.
    kinds.BAD_IDENTIFIER: (
        Cause("duplicate_router_id", 3, "bird there"),
        Cause("bgppeer_wrong_address", 2.5, "bgp peers"),
        Cause("duplicate_node_ip", 1.5, "addresses"),
        Cause("wrong_ip_autodetection", 1, "addresses"),
    ),
    # The address that BIRD is told to call from is on none of the host's interfaces: that is told of the node itself,
    # and so tells more than how single sessions end.
    kinds.CANNOT_BIND: (
        Cause("node_ip_not_on_host", 7, "own addresses"),
        Cause("stale_node_ip", 6, "own addresses"),
        Cause("vip_chosen_as_node_ip", 3, "own addresses"),
        Cause("wrong_ip_autodetection", 2, "own addresses"),
    ),
    # A node is registered, and this one's BIRD was not told of it, or did not listen.
    kinds.LEFT_OUT: (
        Cause("bird_reload_stuck", 3, "bird here"),
        Cause("bird_config_rejected", 1.5, "bird here"),
        Cause("bgppeer_selects_nothing", 0.5, "bgp peers"),
    ),
    kinds.NO_TYPHA: (
        Cause("typha_port_blocked", 3, "typha port"),
        Cause("typha_down", 3, "typha"),
        Cause("typha_not_scheduled", 1.5, "typha"),
        Cause("typha_stale_endpoint", 1, "typha"),
    ),
    # A process that is stopped, or that gets no CPU.
    kinds.MUTE: (
        Cause("bird_hung", 4, "bird here"),
        Cause("hold_timer_expired", 0.7, "load"),
    ),
    kinds.NOT_ESTABLISHED: (
        Cause("tcp179_blocked_host_firewall", 3, "firewall"),
        Cause("wrong_ip_autodetection", 3, "addresses"),
        Cause("tcp179_blocked_network", 2.8, "path"),
        Cause("peer_bird_not_running", 1.5, "listener"),
        Cause("stale_node_in_mesh", 1.5, "registered"),
        Cause("peer_node_down", 1.2, "host"),
        Cause("bird_reload_stuck", 0.8, "bird there"),
    ),
    # BIRD is not among the processes. Where Calico carries pods' packets by VXLAN alone that is as it should be.
    kinds.NO_BIRD: (
        Cause("bird_not_running", 3, "bird wanted"),
        Cause("bird_not_expected", 3, "bird wanted"),
        Cause("benign_tool_artifact", 1, "bird here"),
        Cause("bird_config_rejected", 1, "bird here"),
        Cause("confd_cannot_render", 1, "bird here"),
    ),
    # calicoctl looks for Felix among the processes, in whatever namespace of processes it is itself.
    kinds.NO_PROCESS: (
        Cause("calico_pod_not_starting", 2, "agent process"),
        Cause("felix_crash_loop", 2, "agent process"),
        Cause("bird_not_running", 2, "agent process"),
        Cause("calico_node_not_scheduled", 1.5, "agent process"),
        Cause("benign_tool_artifact", 1.5, "agent process"),
    ),
    # install-cni writes the configuration before calico-node starts.
    kinds.NO_CNI: (
        Cause("apiserver_unreachable", 2.5, "init log"),
        Cause("calico_node_not_scheduled", 2.5, "agent pods"),
        Cause("daemonset_missing", 2, "agent pods"),
        Cause("cni_token_expired", 0.6, "init log"),
    ),
    kinds.NO_SOCKET: (
        Cause("bird_not_running", 3, "bird here"),
        Cause("benign_startup_transient", 2.5, "bird here"),
        Cause("bird_config_rejected", 2, "bird here"),
        Cause("autodetection_found_nothing", 1.2, "bird here"),
        Cause("wrong_ip_autodetection", 1.2, "addresses"),
        Cause("bird_probe_without_bird", 1, "bird here"),
    ),
}
DIFFERENTIAL.update(DATAPLANE)
DIFFERENTIAL.update(ODDITIES)
