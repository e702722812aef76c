# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text in a bundle is, and which node it names."""

from __future__ import annotations

import json
from typing import Any

from .._raw.script import TOLD
from .._texts import lines, node_told, recognise, told_files
from .write import FACTS, PROBES

# Names under which a text is taken as what it is called, if nothing tells it by its content: logs and configurations
# may hold anything.
_BY_NAME = (
    "bird.cfg",
    "bird6.cfg",
    "bird.log",
    "bird6.log",
    "confd.log",
    "calico-node.log",
    "typha.log",
    "install-cni.log",
    "calico-extension.log",
    "kubelet.log",
    "netstat-later.txt",
    "proc-net-tcp.txt",
    "ip-route-get.txt",
    "ip6-route.txt",
    "ip-route-get-bgp.txt",
    "ip-rule.txt",
    "ip6-rule.txt",
    "cni.txt",
)
_SIX = {"birdcl-protocols": "birdcl6-protocols", "birdcl-status": "birdcl6-status", "iptables-save": "ip6tables-save"}
_OF_MANY_NAMES = ("log", "objects", "describe", "network-unit", "iptables-version")
# Endings under which nobody looks for a log.
_NO_LOG = (".txt", ".text", ".md", ".out", ".json", ".yml", ".yaml")
_LARGEST_JSON = 64 * 1024 * 1024


def canonical_name(text: str, name: str) -> str:
    """Return the canonical name of what a text is, by its content; `name` is a hint. '' if nothing is recognised."""
    if text.startswith(node_told.HEADER):
        return TOLD
    if text.startswith(told_files.HEADER):
        return told_files.FILE
    if name in (FACTS, PROBES) or _is_facts(text):
        return FACTS if _is_facts(text) else (PROBES if name == PROBES else "")
    return _recognised(text, name)


def node_named(text: str, canonical: str) -> str:
    """Return the name of the node that a text says it is about, '' if it does not say."""
    if canonical == TOLD:
        told = node_told.Told(text)
        return told.value("nodename") or told.value("hostname").lower()
    if canonical == FACTS:
        about = _facts(text).get("calico_node")
        return str(about.get("nodename") or "") if isinstance(about, dict) else ""
    return ""


def _recognised(text: str, name: str) -> str:
    base = name.rpartition("/")[2]
    if base in _BY_NAME or (base.startswith("bird") and base.endswith(".cfg")):
        return base
    kind = recognise.recognise(text, name)
    if not kind:
        return ""
    if kind == "log" and base.endswith(_NO_LOG):
        return f"{base.rpartition('.')[0]}.log"
    if kind in _OF_MANY_NAMES:
        return base
    if "." in kind:
        return "bird6.cfg" if kind == "bird.cfg" and "6" in base else kind
    # Only the file's name tells which family a text without addresses is about.
    six = _SIX.get(kind)
    kind = six if six is not None and base.startswith(six) else kind
    return kind + (".json" if lines.is_json(text) else ".txt")


def _is_facts(text: str) -> bool:
    return text.lstrip()[:1] == "{" and '"calico_node"' in text and "calico_node" in _facts(text)


def _facts(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if len(text) <= _LARGEST_JSON else None
    except (ValueError, RecursionError):
        return {}
    # What `ansible -m netmedic.calico.node_facts --tree` writes has them one level down.
    if isinstance(found, dict) and isinstance(found.get("ansible_facts"), dict):
        found = found["ansible_facts"]
    return found if isinstance(found, dict) else {}
