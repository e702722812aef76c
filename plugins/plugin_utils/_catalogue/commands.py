# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines that several fixes print. What the operator has to fill in is written in CAPITALS.

They are typed by somebody with power over the cluster, and nodes supply some of their words. So a word that a shell
might take for more than a word never gets into one.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from .._evidence.plain import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._evidence.evidence import Evidence

ANNOTATION = "projectcalico.org"
NAMESPACE = "NAMESPACE"
_RULES = "sudo iptables-save -c; sudo ip6tables-save -c; sudo nft list ruleset"
# What to put in the place of words in CAPITALS, where the line does not tell it better.
_TO_FILL_IN = {
    "ADDRESS/LENGTH": "the node's own address towards its peers, with its prefix length, such as 10.0.0.5/24",
    "ADDRESS:PORT": "the peer's address, and the port on which it listens",
    "ADDRESS": "the right address",
    "LENGTH": "the length of the prefix of the node's subnet",
    "NAMESPACE": "that of calico-node",
    "DAEMONSET": "that of calico-node",
    "CONTROL-PLANE-NODE": "each node of the control plane, in turn",
    "NODE-ADDRESS": "the address of a node whose pods are not reached",
    "NODES": "the addresses of the other nodes",
    "NODE": "the node, as kubectl get nodes names it",
    "SECRET": "the one of the password's secretKeyRef",
    "KEY=VALUE": "the label by which the BGPPeer selects",
    "KEY": "the one of the password's secretKeyRef",
    "SUBNET": "the one of the addresses by which nodes reach each other, such as 10.0.0.0/24",
    "SELECTOR": "what selects the nodes that are meant, such as rack == 'a'",
    "NUMBER": "the AS number with which the peer answers",
    "REFLECTOR": "a node that is to be a route reflector",
    "INSTANCE": "each node's machine, as the cloud names it",
    "PORT": "the node's port in OpenStack",
    "POD-RANGE": "the CIDR of the pool",
    "TYPHA-ADDRESS": "that of a Typha pod",
    "TUNNEL_ADDRESS": "the other node's address on its tunnel device",
    "FILE": "the file that the message names",
    "DEVICE": "the tunnel's device",
    "CIDR": "a range that no Node has",
    "CHAIN": "the base chain of the rule",
    "TABLE": "the rule's table",
    "FAMILY": "the table's family",
    "PEER": "the other node's address",
    "INTERFACE": "the one with the odd MTU",
    "PREFIX": "the route that is refused",
    "SERVICE": "the webhook's, by its configuration",
    "WHAT": "what the DaemonSet's events name",
    "NAME": "what the object is called, as the command before shows it",
    "POD": "as the command before shows it",
}
_PLACEHOLDER = re.compile(
    r"(?:(?<![\w:/.$-])|(?<= secret/)|(?<= node/)|(?<= pod/))("
    + "|".join(sorted(map(re.escape, _TO_FILL_IN), key=len, reverse=True))
    + r")(?![\w-]|:\.)"
)
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@%+,=][A-Za-z0-9_./:@%+,=-]*")
# RFC 1123 subdomain: what Kubernetes takes for a node's name.
_KUBERNETES_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def word(text: object, placeholder: str) -> str:
    """A word of a command line; the placeholder instead of anything that a shell may take for more."""
    shown = str(text)
    return shown if _PLAIN_WORD.fullmatch(shown) else placeholder


def node_word(name: str) -> str:
    """A node's name as a word of a command line; its placeholder for a node whose name nothing tells."""
    return "NODE" if name.startswith(UNNAMED) else word(name, "NODE")


def on_node(name: str, line: str) -> str:
    """Run a line on a node. It passes through two shells, so what the second one must see is quoted for the first."""
    needs_quotes = any(sign in line for sign in "'\"{}[]*|;()$&<>")
    return f"ssh {node_word(name)} {shlex.quote(line) if needs_quotes else line}"


def rules_of(name: str) -> str:
    """Show a node's packet filters, with their counters."""
    return on_node(name, _RULES)


def grows(name: str, line: str = "") -> str:
    """Show counters twice, so that one can see which of them grow: by default those of the packet filters."""
    return on_node(name, f"{line or _RULES}; sleep 10; {line or _RULES}")


def capture(name: str, what: str, seconds: int = 30, packets: int = 5, options: str = "-ni") -> str:
    """Show a few packets of a node's as they come."""
    return on_node(name, f'sudo timeout {seconds} tcpdump -c {packets} {options} any "{what}"')


def kube_name(evidence: Evidence, name: str) -> str:
    """What Kubernetes calls a node; the inventory's name where neither the API nor the node told one."""
    node = evidence.nodes.get(name)
    told = next((one.record for one in evidence.registered if one.name == name), node.nodename if node else "")
    known = _KUBERNETES_NAME.fullmatch(told) and not told.startswith(UNNAMED)
    return told if known else node_word(name)


def is_open(line: str) -> bool:
    """Whether a line leaves something to be filled in, or to be looked for when it is run."""
    command = line.partition("   # ")[0]
    return "$(" in command or _PLACEHOLDER.search(command) is not None


def explained(lines: Iterable[str]) -> list[str]:
    """Lines with a word on each placeholder in them: the first that has it says what to put there."""
    known: set[str] = set()
    told = []
    for line in lines:
        command, mark, comment = line.partition("   # ")
        found = [one for one in _PLACEHOLDER.findall(command) if one not in known]
        known.update(found)
        new = [f"{one}: {_TO_FILL_IN[one]}" for one in dict.fromkeys(found) if f"{one}: " not in comment]
        told.append(f"{line}{'; ' if mark else '   # '}{'; '.join(new)}" if new else line)
    return told


def show_annotation(evidence: Evidence, name: str, key: str) -> str:
    """Show one of Calico's annotations on a Node."""
    return f"kubectl get node {kube_name(evidence, name)} -o yaml | grep {ANNOTATION}/{key}"


def set_address(evidence: Evidence, name: str, address: str = "ADDRESS/LENGTH", key: str = "IPv4Address") -> str:
    """Register another address for a node."""
    value = word(address, "ADDRESS/LENGTH")
    return f"kubectl annotate node {kube_name(evidence, name)} --overwrite {ANNOTATION}/{key}={value}"


def on_this(evidence: Evidence, name: str) -> str:
    """What makes kubectl choose the pods on one node."""
    return f"--field-selector spec.nodeName={kube_name(evidence, name)}"


def pods_of(evidence: Evidence, name: str) -> str:
    """Show Calico's pods on a node, whatever namespace they are in."""
    return f"kubectl get pods -A -o wide -l 'k8s-app in (calico-node,canal)' {on_this(evidence, name)}"
