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

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence

ANNOTATION = "projectcalico.org"
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@%+,=][A-Za-z0-9_./:@%+,=-]*")
# RFC 1123 subdomain: what Kubernetes takes for a node's name.
_KUBERNETES_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def word(text: object, placeholder: str) -> str:
    """A word of a command line; the placeholder instead of anything that a shell may take for more."""
    shown = str(text)
    return shown if _PLAIN_WORD.fullmatch(shown) else placeholder


def on_node(name: str, line: str) -> str:
    """Run a line on a node. It passes through two shells, so what the second one must see is quoted for the first."""
    needs_quotes = any(sign in line for sign in "'\"{}[]*|;()$&<>")
    return f"ssh {word(name, 'NODE')} {shlex.quote(line) if needs_quotes else line}"


def kube_name(evidence: Evidence, name: str) -> str:
    """What Kubernetes calls a node; the inventory's name where neither the API nor the node told one."""
    node = evidence.nodes.get(name)
    told = next((one.record for one in evidence.registered if one.name == name), node.nodename if node else "")
    return told if _KUBERNETES_NAME.fullmatch(told) else word(name, "NODE")


def show_annotation(evidence: Evidence, name: str, key: str) -> str:
    """Show one of Calico's annotations on a Node."""
    return f"kubectl get node {kube_name(evidence, name)} -o yaml | grep {ANNOTATION}/{key}"


def set_address(evidence: Evidence, name: str, address: str = "ADDRESS/LENGTH", key: str = "IPv4Address") -> str:
    """Register another address for a node."""
    value = word(address, "ADDRESS/LENGTH")
    return f"kubectl annotate node {kube_name(evidence, name)} --overwrite {ANNOTATION}/{key}={value}"


def pods_of(evidence: Evidence, name: str) -> str:
    """Show Calico's pods on a node, whatever namespace they are in."""
    where = f"--field-selector spec.nodeName={kube_name(evidence, name)}"
    return f"kubectl get pods -A -o wide -l 'k8s-app in (calico-node,canal)' {where}"


def in_pod(line: str) -> str:
    """Run a line in the calico-node container of the pod that was found."""
    return f"kubectl exec -n NAMESPACE POD -c calico-node -- {line}"
