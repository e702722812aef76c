# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would decide about symptoms of the data plane and of what governs the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import agent_pod, commands, fix_lines
from .model import Need

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._evidence.evidence import Evidence
    from .model import Symptom


_AGENTS = 'pgrep -af "calico-node|bird"'
_CONTROL_PLANE = "CONTROL-PLANE-NODE"


def _never(evidence: Evidence, symptom: Symptom) -> bool:
    return False


def on_host(command: str) -> Callable[[Evidence, str], str]:
    """A line for the host itself: of what is only there in the container calico-node it must not speak."""
    return lambda evidence, name: commands.on_node(name, command)


def _certificates(evidence: Evidence, name: str) -> str:
    if fix_lines.provider_of_control_plane(evidence):
        return "kubectl get --raw /livez; ssh NODE 'date -u; sudo openssl x509 -noout -dates -in CERTIFICATE'"
    made = "" if evidence.flavour.distribution else "; sudo kubeadm certs check-expiration"
    return commands.on_node(_CONTROL_PLANE, f"date -u{made}")


def _felix_log(evidence: Evidence, name: str) -> str:
    said = "| grep -E 'WARN|ERROR|FATAL|PANIC' | tail -n 50"
    return agent_pod.logs(evidence, name, f"--previous {said}")


def _init_log(evidence: Evidence, name: str) -> str:
    said = agent_pod.logs(evidence, name, "--tail=50", "install-cni")
    return f"{said}; kubectl describe pod {agent_pod.which(evidence, name)}"


def _api_from_node(evidence: Evidence, name: str) -> str:
    ask = f"curl -sk --max-time 5 https://{fix_lines.service_of_api(evidence)}/livez"
    node = commands.kube_name(evidence, name)
    proxy = f"kubectl get pods -n kube-system -l k8s-app=kube-proxy -o wide --field-selector spec.nodeName={node}"
    return f"ssh {commands.node_word(name)} {ask}; {proxy}"


DATAPLANE_NEEDS = (
    Need(
        "api from here",
        "API server",
        lambda evidence, name: (
            "kubectl get --raw /readyz?verbose; ssh CONTROL-PLANE-NODE "
            "'sudo crictl ps -a | grep -e kube-apiserver -e etcd'"
        ),
        "whether the API server and etcd run, and whether only the way from here is closed",
        _never,
    ),
    Need(
        "certificates",
        "certificates",
        _certificates,
        "which certificate has ended, and whether the clocks are right",
        _never,
    ),
    Need(
        "kinds",
        "API groups",
        lambda evidence, name: "kubectl api-resources | grep -i calico; kubectl get crd | grep projectcalico",
        "whether Calico's kinds are served, and in which of its groups",
        _never,
    ),
    Need(
        "felix log",
        "log of calico-node",
        _felix_log,
        "what Felix, or the start of calico-node, complains of",
        _never,
        "here",
    ),
    Need(
        "init log",
        "log of install-cni",
        _init_log,
        "at what the init container ends",
        _never,
        "here",
    ),
    Need(
        "api",
        "way to the API server",
        _api_from_node,
        "whether the API server answers on the node by its Service, and whether kube-proxy runs there",
        _never,
        "here",
    ),
    Need(
        "node status",
        "kubelet",
        lambda evidence, name: (
            f"kubectl describe node {commands.kube_name(evidence, name)}; "
            + commands.on_node(name, "systemctl status kubelet containerd; sudo crictl ps | head")
        ),
        "whether the node is Ready now, and what the container runtime does",
        _never,
        "here",
    ),
    Need(
        "agent process",
        "calico-node",
        lambda evidence, name: (
            f"{commands.on_node(name, _AGENTS)}; kubectl get pods -A -o wide | grep -E 'calico-node|canal'"
        ),
        "whether calico-node and BIRD run there, and how often the pod was restarted",
        _never,
        "here",
    ),
    Need(
        "typha port",
        "way to Typha",
        on_host("timeout 5 nc -zv TYPHA-ADDRESS 5473; ss -tn dport = :5473"),
        "whether Typha's TCP 5473 answers on the node",
        _never,
        "here",
    ),
    Need(
        "managers",
        "network managers",
        on_host(
            "nmcli device; networkctl; ip -d link show type vxlan; ip -d link show tunl0; lsmod | grep -e vxlan -e ipip"
        ),
        "who else manages the tunnel device, whether the kernel has it, and whether another device takes its port",
        _never,
        "here",
    ),
    Need(
        "strain",
        "load",
        on_host(
            "uptime; free -m; cat /proc/pressure/cpu; journalctl -u kubelet -u containerd --since -1h | grep -i exec"
        ),
        "whether the host or the container runtime had no time for the probe",
        _never,
        "here",
    ),
    Need(
        "cni",
        "CNI plugin",
        on_host("tail -n 20 /var/log/calico/cni/cni.log; ls -l /etc/cni/net.d /var/lib/calico"),
        "what the CNI plugin is refused, and how old its kubeconfig is",
        _never,
        "here",
    ),
    Need(
        "names",
        "node names",
        on_host("hostname; cat /var/lib/calico/nodename; ls -l /var/lib/calico"),
        "whether the name that calico-node goes by is that of its Node (kubectl get nodes)",
        _never,
        "here",
    ),
    Need(
        "rights",
        "rights of Calico's accounts",
        lambda evidence, name: (
            "kubectl get clusterrolebindings -o wide | grep -i -e calico -e canal; "
            "kubectl get serviceaccounts -A | grep -i -e calico -e canal"
        ),
        "whether the accounts of Calico's programs are bound to their ClusterRoles, in the namespace in which they run",
        _never,
    ),
    Need(
        "rules",
        "firewall",
        on_host("sudo iptables-save -c; sudo iptables-legacy-save -c; sudo nft list ruleset"),
        "whether rules of the host stand in pods' way, and in which backend whose rules are",
        _never,
        "here",
    ),
)
