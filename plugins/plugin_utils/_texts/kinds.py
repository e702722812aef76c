# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parser reads which kind of text, and what it returns as plain data."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Collection, Mapping
from typing import Any, cast

from ...module_utils._host.links import Network
from .parsed import Parsed, Problem
from .recognise import recognise

# By kind (see recognise) the name of the file here. "objects" have no parser here: they are YAML or JSON.
PARSERS = {
    "api-error": "tried_kubectl",
    "bird.cfg": "bird_config",
    "birdcl-protocols": "bird_protocols",
    "birdcl-route": "bird_routes",
    "birdcl-status": "bird_protocols",
    "calicoctl-get-ippools": "calicoctl_pools",
    "calicoctl-get-nodes": "calicoctl_nodes",
    "calicoctl-ipam-show": "calicoctl_ipam",
    "calicoctl-node-status": "calicoctl_status",
    "chronyc-sources": "chrony",
    "chronyc-tracking": "chrony",
    "connect": "tried_connect",
    "daemonsets": "kubectl_daemonsets",
    "describe": "kubectl_describe",
    "events": "kubectl_events",
    "firewalld": "firewall_firewalld",
    "ip-addr": "links",
    "ip-link": "links",
    "ip-neigh": "neighbours",
    "ip-route": "routes",
    "ip-rule": "ip_rules",
    "ipset": "firewall_ipset",
    "iptables-list": "firewall_listing",
    "iptables-save": "firewall_iptables",
    "iptables-version": "tool_versions",
    "log": "log",
    "lookup": "tried_lookup",
    "modules": "modules",
    "netstat": "counters",
    "network-unit": "managers",
    "networkctl": "managers",
    "nft-ruleset": "firewall_nft",
    "nmcli": "managers",
    "nodes": "kubectl_nodes",
    "ntpq": "ntpq",
    "os-release": "os_release",
    "ping": "tried_ping",
    "pods": "kubectl_pods",
    "probes": "probes",
    "processes": "processes",
    "sockets": "sockets",
    "sysctl": "sysctl",
    "systemctl-status": "systemctl_status",
    "tcpdump": "tcpdump",
    "tigerastatus": "tigerastatus",
    "timedatectl": "timedatectl",
    "trace": "tried_trace",
    "ufw-status": "firewall_ufw",
    "uname": "uname",
}
_DEEPEST = 30


def parse(text: str, kind: str = "", hint: str = "") -> tuple[str, Parsed[Any]]:
    """Return the kind of a text (as given, else as recognised) and what its parser reads.

    What is not recognised has the value None and says so as its problem. Raises KeyError for a kind that has no parser.
    """
    kind = kind or recognise(text, hint)
    if kind in ("", "objects"):
        why = "objects of Kubernetes or Calico, which no parser of texts reads" if kind else "not recognised"
        return kind, Parsed(None, (Problem(0, "", why),))
    module = importlib.import_module(f"{__package__}.{PARSERS[kind]}")
    return kind, cast("Parsed[Any]", module.parse(text))


def plain(value: Any, depth: int = 0, kind: str = "") -> Any:
    """Return a parser's value in dictionaries, lists and scalars; records become dictionaries by their fields' names.

    Where the parser of `kind` has a function `plain` of its own, that one is asked.
    """
    if kind in PARSERS:
        own = getattr(importlib.import_module(f"{__package__}.{PARSERS[kind]}"), "plain", None)
        if own is not None:
            return own(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth > _DEEPEST:
        return str(value)
    return _plain_collection(_opened(value), depth + 1)


def _opened(value: Any) -> Any:
    """Return a record as a mapping of its fields; any other value as it is."""
    if isinstance(value, Network):
        return {"links": list(value.links.values()), "addresses": value.addresses}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    fields = getattr(value, "_fields", None)
    return dict(zip(fields, value, strict=False)) if isinstance(value, tuple) and fields else value


def _plain_collection(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {str(name): plain(item, depth) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, depth) for item in value), key=str)
    if isinstance(value, Collection) and not isinstance(value, (bytes, bytearray)):
        return [plain(item, depth) for item in value]
    return str(value)
