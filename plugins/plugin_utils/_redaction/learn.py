# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bundle calls its nodes and hosts: read out of objects, tables and the lines that programs print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._inet import octets
from .._texts import columns
from . import positions, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?$")
_MASKED = re.compile(r"(?:x+|\d+)(?:[.-](?:x+|\d+))*$")
_MOST_DEPTH = 60
# Keys of objects, facts and reports whose value is a node's or a host's name.
_KEYS = frozenset(
    (
        *("nodeName", "nodename", "hostname", "kubelet_nodename", "kubelet_hostname", "node_name", "hostName"),
        *("kubernetes.io/hostname", "beta.kubernetes.io/hostname", "NODENAME", "HOSTNAME", "same_as", "unlisted"),
        *("nodes_expected", "without_root", "without_calico", "hosts"),
    )
)
# Here it is a name, or a list or mapping of names, or something else that has a meaning of its own.
_NODE_KEYS = frozenset(("node", "nodes", "from", "to"))
_OF_PODS = re.compile(r"(?:pod|container|svc|service|workload)s?\b", re.IGNORECASE)
_HEADS = (("NAME", "ASN"), ("NAME", "STATUS", "VERSION"), ("NODE",), ("HOST",))
_WORD = r"([A-Za-z0-9][A-Za-z0-9._-]{0,252})"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_AT_LINE_START = tuple(
    re.compile(pattern)
    for pattern in (
        # syslog and the journal: the host stands between the time and the program
        rf"{_MONTH} [ \d]\d \d\d:\d\d:\d\d {_WORD} [\w./()-]+(?:\[\d+\])?: ",
        rf"\d{{4}}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d) {_WORD} [\w./()-]+(?:\[\d+\])?: ",
        rf"Linux {_WORD} \d+\.\d",
        # prompts, kubeadm and ssh
        rf"\[?[\w.-]{{1,32}}@{_WORD}(?::[^$#\n]{{0,200}}[$#]| [^\]\n]{{0,200}}\]?[$#])",
        rf"Node: +{_WORD}/",
        rf" +(?:Hostname|InternalDNS): +{_WORD}",
        rf" +(?:Static|Pretty|Transient)? ?hostname: {_WORD}",
    )
)
_SETTING = r"\b(?:[Nn]ode ?[Nn]ame|NODENAME|HOSTNAME|[Ff]elix[Hh]ostname|--hostname-override|--node-name)"
_ANYWHERE = tuple(
    re.compile(pattern)
    for pattern in (
        # Calico, kubelet, Kubernetes
        rf"{_SETTING}(?: is)?[\"']?[:=] ?[\"']?{_WORD}",
        rf"\b(?:node|hostname|host|nodename)=\\?\"{_WORD}\\?\"",
        rf"\b(?:node|hostname|nodename|host)=(?!\"|\\){_WORD}",
        rf"\bhost:{_WORD}",
        rf"[Uu]sing (?:stored node name|NODENAME environment for node name|hostname environment) {_WORD}",
        rf"\bnode[ /]\\?[\"']{_WORD}\\?[\"']",
        rf"\b[Nn]odes? \\?[\"']{_WORD}\\?[\"']",
        # Sentences, as reports have them: with a number in it, it is no word of the sentence.
        r"\b[Nn]odes? ([a-z][a-z0-9.-]*\d[a-z0-9.-]*)",
        rf"-on-{_WORD}",
        rf"\bkubelet, {_WORD}",
        rf"\bNode/{_WORD}",
        rf"\bnode/{_WORD} (?!is not ready)",
        rf"Successfully assigned \S+ to {_WORD}",
        rf"kubernetes\.io/hostname[=:] ?{_WORD}",
        rf"\bsystem:node:{_WORD}",
        rf"://{_WORD}:\d",
        rf"https?://{_WORD}(?=[/\s\"':]|$)",
    )
)


_MAIL = re.compile(r"\w@((?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24})(?![\w.-]*[\w])")
# Who has mail there is not of the firm; and what is no firm's name.
_EVERYBODYS = frozenset(
    (
        *("gmail", "googlemail", "outlook", "hotmail", "yahoo", "icloud", "proton", "protonmail", "email", "company"),
        *("compute", "service", "services", "container", "docker", "calico", "kubelet", "corporate", "office"),
        *("domain", "hosting", "server", "online"),
    )
)
_SHORTEST_OWNER = 5


# One of these is in every line in which a name may stand anywhere; what is before it in a log is the time.
_SIGNS = ("ode", "ODE", "ost", "OST", "://", "kubelet,", "assigned", "-on-")
_STAMPED = 30


class Names:
    """Names found. `strict` are replaced wherever they stand as a word, `common` only where a node's name stands."""

    def __init__(self) -> None:
        self.strict: set[str] = set()
        self.common: set[str] = set()
        self.domains: set[str] = set()

    def add(self, found: Any) -> None:
        """Take in a name; what is none, or an address, is passed over."""
        if not isinstance(found, str) or not _NAME.match(found) or octets(found) or len(found) > 253:
            return
        folded = found.lower()
        short, _dot, domain = folded.partition(".")
        if (
            folded in vocabulary.NO_NAMES
            or _MASKED.match(folded)
            or _is_public(folded)
            or folded.replace(".", "").isdigit()
        ):
            return
        if domain and (short in vocabulary.NO_NAMES or re.match(r"v?\d+$", short)):
            return
        if short in vocabulary.COMMON or len(short) < 3:
            self.common.add(found.partition(".")[0])
        elif not short.isdigit() and short not in vocabulary.NO_NAMES:
            self.strict.add(short)
        if domain:
            self.strict.add(folded)
            if not domain.replace(".", "").isdigit():
                labels = domain.split(".")
                self.add_owner(domain)
                self.domains.update(".".join(labels[at:]) for at in range(max(1, len(labels) - 1)))

    def add_owner(self, domain: str) -> None:
        """Take in what tells whose a domain is: people call more after their firm than hosts."""
        labels = domain.lower().split(".")
        owner = labels[-2] if len(labels) > 1 else ""
        known = owner in vocabulary.NO_NAMES or owner in vocabulary.COMMON or owner in _EVERYBODYS
        if known or len(owner) < _SHORTEST_OWNER or labels[-1] not in vocabulary.TOPS or _is_public(domain.lower()):
            return
        if not any(f".{domain.lower()}".endswith(f".{one}") for one in vocabulary.PROVIDERS) and not owner.isdigit():
            self.strict.add(owner)


def _is_public(folded: str) -> bool:
    labels = folded.split(".")
    return any(".".join(labels[at:]) in vocabulary.PUBLIC for at in range(len(labels)))


def from_path(path: str, names: Names) -> None:
    """A file's own place may name a node."""
    parts = path.split("/")
    if len(parts) > 2 and parts[0] == "nodes":
        names.add(parts[1])
    match = re.match(r"describe-node-(.+)\.(?:txt|yaml)$", parts[-1])
    if match:
        names.add(match.group(1))


def from_text(text: str, names: Names) -> None:
    """Names in lines that programs print, and in tables."""
    known: set[str] = set()
    for line in text.split("\n"):
        for pattern in _AT_LINE_START:
            match = pattern.match(line)
            if match is not None:
                names.add(match.group(1).rstrip("."))
        rest = line[_STAMPED:] if len(line) > 2 * _STAMPED else line
        if rest not in known and any(sign in line for sign in _SIGNS):
            known.add(rest)
            for pattern in _ANYWHERE:
                for found in pattern.findall(line):
                    names.add(found.rstrip("."))
    for name in positions.names(text):
        names.add(name.rstrip("."))
    for name in _of_tables(text) if "NAME" in text or "NODE" in text else ():
        names.add(name)
    for domain in set(_MAIL.findall(text)) if "@" in text else ():
        names.add_owner(domain)


def _of_tables(text: str) -> Iterator[str]:
    for wanted in _HEADS:
        column = "NAME" if "NAME" in wanted else wanted[0]
        for row in columns.rows(text, frozenset(wanted)):
            if row.cells and not ("STATUS" in wanted and "READY" in row.cells):
                yield row.cells[column]


def from_data(value: Any, names: Names, depth: int = 0) -> None:
    """Names in objects, facts, indexes of bundles and reports."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            from_data(item, names, depth + 1)
    elif isinstance(value, dict):
        _of_object(value, names)
        for key, item in value.items():
            if key in _KEYS or key in _NODE_KEYS:
                _named(key, item, names)
            from_data(item, names, depth + 1)


def _named(key: str, item: Any, names: Names) -> None:
    if isinstance(item, str):
        # Of what somebody tried "from" and "to" may be a pod or a device on a node ("tunl0-on-node-1").
        what, on, node = item.rpartition("-on-")
        if key not in ("from", "to"):
            names.add(item)
        elif on or not (_OF_PODS.match(node) or "/" in node or what):
            names.add(node)
    elif isinstance(item, list):
        for one in item:
            names.add(one)
    elif isinstance(item, dict) and key == "nodes":
        for name, entry in item.items():
            if is_indexed(entry):
                names.add(name)


def is_indexed(entry: Any) -> bool:
    """Say whether this is what a bundle's index tells of a node: in it nodes stand by their names."""
    return isinstance(entry, dict) and entry.keys() <= {"folder", "address", "result"}


def _of_object(one: dict[str, Any], names: Names) -> None:
    """What an object of Kubernetes' or Calico's kinds is called by, where that is a node."""
    kind, metadata = one.get("kind"), one.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if kind in ("Node", "CalicoNodeStatus"):
        names.add(metadata.get("name") if kind == "Node" else None)
        names.add(one.get("name"))
    elif kind in ("FelixConfiguration", "BGPConfiguration") and str(metadata.get("name", "")).startswith("node."):
        names.add(str(metadata["name"])[5:])
    elif one.get("type") in ("Hostname", "InternalDNS", "ExternalDNS"):
        names.add(one.get("address"))
    spec = one.get("spec")
    if isinstance(spec, dict) and ("podCIDR" in spec or "providerID" in spec or "podCIDRs" in spec):
        names.add(metadata.get("name"))
    if one.get("name") in ("NODENAME", "HOSTNAME", "KUBERNETES_NODE_NAME"):
        names.add(one.get("value"))
    if isinstance(one.get("component"), str) and "host" in one:
        names.add(one["host"])
    affinity = one.get("affinity")
    if isinstance(affinity, str) and affinity.startswith("host:"):
        names.add(affinity[5:])


def from_list_name(path: str, value: Any, names: Names) -> None:
    """Objects that a run wrote do not say their kind: the file's name does."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if stem in ("nodes", "nodes_of_calico", "caliconodes", "calico-nodes") and isinstance(value, dict):
        for item in value.get("items") or ():
            if isinstance(item, dict) and isinstance(item.get("metadata"), dict):
                names.add(item["metadata"].get("name"))
