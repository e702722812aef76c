# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node a text is about that lies in no node's folder.

By what it says itself, the prompt before it, the pod that it is the log of, the addresses in it; then by its path; then
by what lies beside it. Texts of which nothing tells that are of one unnamed node, and never of one that is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._evidence import plain
from .._texts import bird_config, bird_protocols, calicoctl_status, links, sockets, uname, words
from . import layouts, pasted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

# Hosts in prompts that are nobody's name.
_NOBODY = re.compile(r"(?:localhost|bash|sh|bird6?|container|[0-9a-f]{12})$")
_IN_LOG = re.compile(
    r"Determined node name: (?P<determined>[\w.-]{1,253})|Using node name: (?P<using>[\w.-]{1,253})"
    r"|Starting node (?P<starting>[\w.-]{1,253}) with version|for node name (?P<settled>[\w.-]{1,253})"
    r"|Using stored node name (?P<stored>[\w.-]{1,253}) from"
    # flannel's own words of the node it runs on
    r"|Kubernetes Subnet Manager - (?P<managed>[\w.-]{1,253})|node \"(?P<leased>[\w.-]{1,253})\" pod cidr not assigned"
)
_JOURNAL = re.compile(
    r"(?m)^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) (?P<host>[\w.-]{1,253})"
    r" [\w@./\\:-]{1,128}(?:\[\d+\])?: "
)
_ROUTER = re.compile(r"(?m)^(?:1011-)?Router ID is (\S+)")
_SOURCE = re.compile(r"(?m)^\s*(?:1006-)?\s*Source address:\s+(\S+)")
_ROUTE_SOURCE = re.compile(r"\bsrc (\d{1,3}(?:\.\d{1,3}){3})\b")
_PREFIX = re.compile(r"\[pod/([\w.-]{1,253})/")
_ANY_ROOM = 64 * 1024
# Folders and words in names of files that name no machine.
_GENERIC = frozenset(
    (
        *(
            "diagnostics",
            "logs",
            "log",
            "out",
            "output",
            "outputs",
            "tmp",
            "var",
            "calico",
            "node",
            "nodes",
            "files",
            "host",
        ),
        *(
            "kubernetes",
            "kube-system",
            "calico-system",
            "bird",
            "bird6",
            "felix",
            "confd",
            "cni",
            "bundle",
            "cluster",
            "etc",
        ),
        *("attachments", "data", "evidence", "debug", "diags", "home", "root", "config", "links", "misc", "new", "old"),
        *("before", "after", "all", "save", "list", "status", "txt", "current", "previous", "v4", "v6", "ipv4", "ipv6"),
    )
)
_ARCHIVE = re.compile(r"(?i)\.(?:tar|tgz|zip|gz|bz2|xz|txz|tbz2?)\b")
_STAMPED = re.compile(r"(?:calico-diagnostics|diags|calico)[-_.]?\d*[-_]?\d*$|\d[\d_.:T-]*$")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


class Loose(NamedTuple):
    """A text, or a part of one: its path, canonical name, kind of text, content; the host of the prompt before it and
    what was typed there, '' where there was none."""

    path: str
    canonical: str
    kind: str
    text: str
    host: str
    command: str


class Known:
    """The nodes that a bundle names somewhere, with their addresses and Calico's pods on them."""

    def __init__(self, names: Iterable[str], objects: Mapping[str, Any]) -> None:
        self.names = set(names)
        self.addresses: dict[str, str] = {}
        self.pods: dict[str, str] = {}
        for one in plain.mappings(objects.get("nodes")):
            name = self._name(one)
            for entry in plain.mappings(plain.mapping(one.get("status")).get("addresses")):
                self._has(plain.text(entry.get("address")), name)
        for one in plain.mappings(objects.get("caliconodes")):
            name = self._name(one)
            bgp = plain.mapping(plain.mapping(one.get("spec")).get("bgp"))
            for key in ("ipv4Address", "ipv6Address"):
                self._has(plain.text(bgp.get(key)).partition("/")[0], name)
        for one in plain.mappings(objects.get("pods")):
            spec, metadata = plain.mapping(one.get("spec")), plain.mapping(one.get("metadata"))
            if plain.text(spec.get("nodeName")):
                self.pods[plain.text(metadata.get("name"))] = plain.text(spec.get("nodeName"))
                self.names.add(plain.text(spec.get("nodeName")))

    def _name(self, one: Mapping[str, Any]) -> str:
        name = plain.text(plain.mapping(one.get("metadata")).get("name"))
        if name:
            self.names.add(name)
        return name

    def _has(self, address: str, name: str) -> None:
        """Note an address; one that two nodes have tells nothing."""
        if name and address:
            self.addresses[address] = name if self.addresses.get(address, name) == name else ""

    def of_pod(self, words: str) -> str:
        """Return the node of the pod whose name stands in a path or a command, '' if there is none or not known."""
        of_calico = self.pods.get(layouts.pod(words), "")
        return of_calico or next((node for pod, node in self.pods.items() if pod and pod in words), "")

    def node(self, word: str) -> str:
        """Return the node that a host's name or address means, '' if it is none that is known."""
        if word in self.names:
            return word
        if word in self.addresses:
            return self.addresses[word]
        folded = word.lower()
        short = folded.partition(".")[0]
        for wanted in (folded, short):
            found = [name for name in self.names if wanted in (name.lower(), name.lower().partition(".")[0])]
            if len(found) == 1:
                return found[0]
        return ""


def nodes(texts: list[Loose], known: Known) -> list[str]:
    """Return the name of the node of each text."""
    found = [_said(one, known) for one in texts]
    for index, one in enumerate(texts):
        found[index] = found[index] or _by_path(one, known)
    found = _by_neighbours(texts, found)
    for index, one in enumerate(texts):
        found[index] = found[index] or _by_folder(one)
    found = _by_absence(texts, found, known)
    return _unnamed(texts, _by_neighbours(texts, found, everywhere=not known.names))


def _said(one: Loose, known: Known) -> str:
    """Return the node that the text itself or its prompt names."""
    named = known.of_pod(one.command) or _of_prompt(one, known) or _of_prefix(one, known)
    if named:
        return named
    hosts = list(dict.fromkeys(_hosts(one)))
    for host in hosts:
        if known.node(host):
            return known.node(host)
    if len(hosts) == 1 and not _NOBODY.match(hosts[0]):
        return hosts[0]
    owners = {known.addresses.get(address, "") for address in _addresses(one)} - {""}
    return owners.pop() if len(owners) == 1 else ""


def _of_prefix(one: Loose, known: Known) -> str:
    """Return the node of the pod that `kubectl logs --prefix` put before each line."""
    prefix = _PREFIX.match(one.text.lstrip()) if one.kind == "log" else None
    return known.of_pod(prefix.group(1)) if prefix is not None else ""


def _of_prompt(one: Loose, known: Known) -> str:
    if not one.host:
        return ""
    in_pod = known.of_pod(one.host)
    if in_pod or layouts.pod(one.host):
        return in_pod
    return known.node(one.host) or ("" if _NOBODY.match(one.host) else one.host)


def _hosts(one: Loose) -> Iterator[str]:
    """Yield the names of the host that a text tells of itself."""
    if one.kind == "hostname":
        told = pasted.without_prompt(one.text).strip()
        if len(told.split()) == 1:
            yield told
    elif one.kind == "uname":
        system = uname.parse(one.text).value
        if system is not None and system.hostname:
            yield system.hostname
    elif one.kind == "log":
        some = one.text[:_ANY_ROOM] + one.text[-_ANY_ROOM:]
        for match in _IN_LOG.finditer(some):
            yield next((word for word in match.groups() if word), "")
        journal = _JOURNAL.search(some)
        if journal is not None:
            yield journal.group("host")


def _addresses(one: Loose) -> Iterable[str]:
    """Return the addresses that are the machine's own by what a text tells."""
    finders: dict[str, Callable[[str], Iterable[str]]] = {
        "ip-addr": lambda text: [entry.address for entry in links.parse(text).value.addresses],
        "birdcl-status": _ROUTER.findall,
        "birdcl-protocols": lambda text: [*_SOURCE.findall(text), *_ROUTER.findall(text)],
        "ip-route": _ROUTE_SOURCE.findall,
        "bird.cfg": _of_config,
        "sockets": lambda text: [entry.socket.local for entry in sockets.parse(text).value],
    }
    finder = finders.get(one.kind)
    return finder(one.text) if finder is not None else ()


def _of_config(text: str) -> list[str]:
    found = bird_config.parse(text).value
    return [str(value) for value in (getattr(found, "router_id", ""), getattr(found, "local_address", "")) if value]


def _by_path(one: Loose, known: Known) -> str:
    """Return the node or pod that a text's path names."""
    in_pod = known.of_pod(one.path)
    if in_pod:
        return in_pod
    for word in [word for part in reversed(one.path.split("/")) for word in (part, part.rpartition(".")[0])]:
        if word in known.names or word in known.addresses:
            return known.node(word)
    # The longest first: node-1 is a part of node-10's name.
    for name in sorted(known.names, key=len, reverse=True):
        if len(name) > 1 and re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", one.path):
            return name
    return ""


def _by_neighbours(texts: list[Loose], found: list[str], everywhere: bool = False) -> list[str]:
    """Give texts the node of those beside them, if that is but one: in the same file, then in the same folder."""
    for place in (_file, _folder):
        by_place: dict[str, set[str]] = {}
        for one, node in zip(texts, found, strict=True):
            if node and (place(one) or everywhere):
                by_place.setdefault(place(one), set()).add(node)
        found = [
            node or (min(by_place[place(one)]) if len(by_place.get(place(one), ())) == 1 else "")
            for one, node in zip(texts, found, strict=True)
        ]
    return found


def _file(one: Loose) -> str:
    return one.path.partition("#")[0]


def _folder(one: Loose) -> str:
    """Return the folder that holds all of one machine's, as far as folders say that; '' for the bundle's own."""
    parts = _file(one).split("/")[:-1]
    while parts and parts[-1].lower() in _GENERIC and len(parts) > 1:
        parts.pop()
    return "/".join(parts)


def _by_folder(one: Loose) -> str:
    """Return the name of the folder, if it may be a machine's; of a pod's log, if nothing else is known, the pod's."""
    in_pod = layouts.pod(one.path)
    if in_pod and one.kind == "log":
        return in_pod
    for part in reversed(_file(one).split("/")[:-1]):
        word = _ARCHIVE.split(part)[0]
        if _may_be_a_name(word):
            return word
    return _in_file_name(one)


def _in_file_name(one: Loose) -> str:
    """Return what a file's name says besides what the text is: node-2-iptables-save.txt, iptables-save.node-2.txt."""
    base = _file(one).rpartition("/")[2]
    stem = one.canonical.rpartition(".")[0]
    before, found, after = base.partition(stem) if stem else ("", "", "")
    if not found:
        return ""
    after = after.rpartition(".")[0] if "." in after else after
    for word in (before.strip("-_. "), after.strip("-_. ")):
        if _may_be_a_name(word):
            return word
    return ""


def _may_be_a_name(word: str) -> bool:
    """Say whether a machine may be called so: not what everybody calls folders, and no date."""
    if not _WORD.fullmatch(word) or word.lower() in _GENERIC:
        return False
    return words.address(word) != "" or not _STAMPED.match(word)


def _by_absence(texts: list[Loose], found: list[str], known: Known) -> list[str]:
    """A table of a full mesh lists every node but its own."""
    everybody = {name for name in known.addresses.values() if name}
    for index, one in enumerate(texts):
        if found[index] or one.kind not in ("calicoctl-node-status", "birdcl-protocols") or len(everybody) < 3:
            continue
        left = everybody - {known.addresses.get(peer, "") for peer in _mesh_peers(one)}
        if len(left) == 1:
            found[index] = left.pop()
    return found


def _mesh_peers(one: Loose) -> list[str]:
    if one.kind == "calicoctl-node-status":
        families = calicoctl_status.parse(one.text).value.families
        return [row.peer for family in families.values() for row in family.peers if row.kind == "Mesh"]
    sessions = getattr(bird_protocols.parse(one.text).value, "sessions", ())
    return [session.peer for session in sessions if session.name.startswith("Mesh_")]


def _unnamed(texts: list[Loose], found: list[str]) -> list[str]:
    """Texts that nobody can place are of one node, as long as no two of them are the same output."""
    there: dict[str, set[str]] = {}
    for index, one in enumerate(texts):
        if not found[index]:
            number = 1
            while one.canonical in there.get(_numbered(number), ()):
                number += 1
            found[index] = _numbered(number)
            if not _saw_nobody(one):
                there.setdefault(found[index], set()).add(one.canonical)
    return found


def _saw_nobody(one: Loose) -> bool:
    """calicoctl that sees no process of Calico, in a container for one, and so nothing that makes this another node."""
    if one.kind != "calicoctl-node-status":
        return False
    status = calicoctl_status.parse(one.text).value
    return status.running is False and not status.families


def _numbered(number: int) -> str:
    return plain.UNNAMED if number == 1 else f"{plain.UNNAMED}-{number}"
