# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would decide, and whether it was had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import agent_pod, commands
from .dataplane_needs import DATAPLANE_NEEDS, on_host
from .model import Need

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .model import Symptom

_PORT = 'sudo ss -tlnp "sport = 179"'
_CONFIG = "/etc/calico/confd/config/bird.cfg"


def _nodes(evidence: Evidence, names: tuple[str, ...]) -> list[Node | None]:
    return [evidence.nodes.get(name) for name in names]


def _all(test: Callable[[Node], bool], end: str) -> Callable[[Evidence, Symptom], bool]:
    """Whether every node at one end of the symptom told what the test asks for."""

    def had(evidence: Evidence, symptom: Symptom) -> bool:
        found = _nodes(evidence, symptom.there if end == "there" else symptom.here)
        return bool(found) and all(node is not None and test(node) for node in found)

    return had


def _addresses(evidence: Evidence, name: str) -> str:
    used = agent_pod.run(evidence, name, f"grep -E 'router id|source address' {_CONFIG}")
    return f"{commands.on_node(name, 'ip -br address')}; {used}"


def _listener(evidence: Evidence, name: str) -> str:
    return f"{commands.on_node(name, _PORT)}; {agent_pod.run(evidence, name, 'sv status bird confd')}"


def _bird_there(evidence: Evidence, name: str) -> str:
    knows = agent_pod.run(evidence, name, f"grep -A12 'protocol bgp' {_CONFIG}")
    return f"{agent_pod.sessions(evidence, name)}; {knows}"


def _bird_here(evidence: Evidence, name: str) -> str:
    return f"{agent_pod.sessions(evidence, name)}; {agent_pod.logs(evidence, name, '--tail=100')}"


def _load(evidence: Evidence, name: str) -> str:
    said = agent_pod.logs(evidence, name, "--since=24h | grep 'Hold timer' | tail")
    return f"{commands.on_node(name, 'uptime; cat /proc/pressure/cpu')}; {said}"


def _bird_was_heard(node: Node) -> bool:
    return any(daemon.socket_state == "answers" for daemon in node.daemons.values())


def _sockets_were_read(node: Node) -> bool:
    return bool(node.listeners) or _bird_was_heard(node)


def _nodes_are_known(evidence: Evidence, symptom: Symptom) -> bool:
    """Calico's nodes were asked for, or everybody concerned was read and so exists."""
    asked = evidence.cluster is not None and evidence.cluster.reached and bool(evidence.cluster.calico_nodes)
    return asked or all(name in evidence.nodes for name in symptom.nodes)


def _host_was_tried(evidence: Evidence, symptom: Symptom) -> bool:
    """A node at this end has tried the other one's host by an echo or by its neighbour entry."""
    peers = {session.other(side).address for session in symptom.sessions for side, _other in session.sides()}
    tried = any(
        reach.neighbour or reach.echo != "not_tried"
        for node in _nodes(evidence, symptom.here)
        if node
        for address, reach in node.reachability.items()
        if address in peers or not peers
    )
    return tried or _all(lambda node: True, "there")(evidence, symptom)


def _path_was_probed(evidence: Evidence, symptom: Symptom) -> bool:
    probed = any(node and node.probes for node in _nodes(evidence, symptom.here))
    return probed and _all(lambda node: node.verdicts is not None, "there")(evidence, symptom)


def _addresses_were_read(evidence: Evidence, symptom: Symptom) -> bool:
    nodes = _nodes(evidence, symptom.nodes)
    return bool(nodes) and all(node is not None and node.addresses_complete for node in nodes)


def _never(evidence: Evidence, symptom: Symptom) -> bool:
    return False


NEEDS = {
    need.name: need
    for need in (
        Need(
            "addresses",
            "addresses",
            _addresses,
            "whether the address that Calico uses for it is the one of the right interface, and is on the host at all",
            _addresses_were_read,
            "there",
        ),
        Need(
            "own addresses",
            "addresses",
            _addresses,
            "whether the address that BIRD calls from is on the host, and which of its own Calico should have taken",
            _all(lambda node: node.addresses_complete and bool(node.bgp_addresses), "here"),
            "here",
        ),
        Need(
            "bgp peers",
            "BGPPeers",
            lambda evidence, name: "calicoctl get bgppeers -o yaml; calicoctl get nodes -o wide",
            "whether a BGPPeer names the node's own address as its peer",
            lambda evidence, symptom: evidence.cluster is not None and bool(evidence.cluster.bgp_peers),
        ),
        Need(
            "registered",
            "nodes of Calico",
            lambda evidence, name: "calicoctl get nodes -o wide; kubectl get nodes -o wide",
            "which address each node is registered with, and whether a node behind the address still exists",
            _nodes_are_known,
        ),
        Need(
            "firewall",
            "firewall",
            on_host("sudo iptables-save -c; sudo ip6tables-save -c; sudo nft list ruleset"),
            "whether a rule of its firewall stops TCP 179",
            _all(lambda node: node.verdicts is not None, "there"),
            "there",
        ),
        Need(
            "path",
            "tcpdump",
            on_host('sudo timeout 30 tcpdump -c 5 -ni any "tcp port 179"'),
            "whether the connection attempts arrive at all, or are lost on the network in between",
            _path_was_probed,
            "there",
        ),
        Need(
            "listener",
            "sockets",
            _listener,
            "whether BIRD runs there and listens",
            _all(_sockets_were_read, "there"),
            "there",
        ),
        Need(
            "host",
            "reachability",
            lambda evidence, name: f"ping -c 3 {name}; kubectl get nodes -o wide",
            "whether the machine is up and reachable as a whole",
            _host_was_tried,
            "there",
        ),
        Need(
            "bird there",
            "bird",
            _bird_there,
            "what BIRD at the other end says of the same session, and whether it knows this peer at all",
            _all(_bird_was_heard, "there"),
            "there",
        ),
        Need(
            "bird here",
            "bird",
            _bird_here,
            "whether BIRD runs, and what it or confd complains of",
            _all(_bird_was_heard, "here"),
            "here",
        ),
        Need(
            "agent pods",
            "pods",
            lambda evidence, name: "kubectl get daemonsets,pods -A -o wide | grep -E 'calico-node|canal'",
            "whether there is a pod of calico-node for the node, and how far it came",
            lambda evidence, symptom: (
                evidence.cluster is not None
                and bool(evidence.cluster.node_agents)
                and bool(evidence.cluster.pods_of("calico-node", "canal"))
            ),
        ),
        Need(
            "bird wanted",
            "calico-node",
            lambda evidence, name: (
                "kubectl get daemonset -A -l k8s-app=calico-node -o yaml | grep -A1 CALICO_NETWORKING_BACKEND;"
                " kubectl get configmap -n kube-system calico-config -o yaml | grep calico_backend"
            ),
            "whether Calico is set to run BIRD here at all",
            lambda evidence, symptom: all(
                node is not None and node.bird_expected is not None for node in _nodes(evidence, symptom.here)
            ),
        ),
        Need(
            "nat",
            "firewall",
            on_host("sudo iptables-save -t nat -c; sudo conntrack -L -p tcp --dport 179"),
            "whether a rule gives the connections another source address",
            _all(lambda node: node.verdicts is not None, "here"),
            "here",
        ),
        Need(
            "size",
            "path mtu",
            lambda evidence, name: f"ping -c 3 -M do -s 1472 {name}; ping -c 3 -s 1000 {name}",
            "whether only large packets are lost",
            _all(lambda node: node.mtu is not None and bool(node.mtu.paths), "here"),
            "there",
        ),
        Need(
            "load",
            "log",
            _load,
            "whether the host had no time for BIRD when the session ended",
            _never,
            "there",
        ),
        Need(
            "encapsulated",
            "tcpdump",
            on_host('sudo timeout 30 tcpdump -c 10 -ni any "ip proto 4 or udp port 4789 or udp port 8472 or icmp"'),
            "whether the encapsulated packets arrive, or only leave",
            _never,
            "there",
        ),
        Need(
            "host settings",
            "sysctl",
            on_host(
                "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter; sudo iptables-save -c -t filter | grep FORWARD"
            ),
            "whether the host forwards what is for pods",
            _never,
            "there",
        ),
        Need(
            "typha",
            "Typha",
            lambda evidence, name: "kubectl get pods,endpointslices -A -o wide | grep -i typha",
            "whether a Typha runs and is ready, and at which address",
            lambda evidence, symptom: evidence.cluster is not None and bool(evidence.cluster.pods_of("typha")),
        ),
        Need(
            "pools",
            "IP pools",
            lambda evidence, name: "calicoctl get ippools -o yaml; kubectl get nodes -o wide",
            "which encapsulation the pools ask for, and whether the nodes share a subnet",
            lambda evidence, symptom: evidence.cluster is not None and bool(evidence.cluster.pools),
        ),
    )
}
NEEDS.update((need.name, need) for need in DATAPLANE_NEEDS)
