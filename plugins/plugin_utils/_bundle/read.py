# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an evidence bundle: which text is about which node, or about the cluster, and what nobody recognised.

A text is recognised by its content; its name is a hint. Texts about a node lie in nodes/<name>/, or name their node
themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._cluster import from_bundle
from .._peering.real_addresses import FILE as REDACTION
from .._raw.script import TOLD
from .._texts import lines, recognise, tried
from . import attribution, files, kinds, layouts, pasted, typed_in
from .attribution import Loose
from .remarks import remarks
from .tried_by_hand import Tried
from .write import CLUSTER, CLUSTER_INFO, ENVIRONMENT, FACTS, INDEX, NODES, PROBES, SCHEMA

# /var/lib/calico/nodename, under which Calico knows the node that it lies on.
NODENAME = "nodename"
_POOLS = ("calicoctl-get-ippools", "calicoctl-ipam-show")
# Kinds of texts that the API's objects are made of.
_OF_CLUSTER = frozenset(
    ("objects", "describe", "daemonsets", "nodes", "pods", "events", "calicoctl-get-nodes", "tigerastatus", *_POOLS)
)
# Outputs that come in several pieces: of each family, each backend, each container before.
_IN_PIECES = frozenset(
    (
        *("iptables-save.txt", "ip6tables-save.txt", "ip-addr.txt", "ip-link.txt", "ip-route.txt", "ip6-route.txt"),
        *(
            "calico-node.log",
            "bird.log",
            "bird6.log",
            "confd.log",
            "install-cni.log",
            "kubelet.log",
            "typha.log",
            "cni.log",
        ),
    )
)


# What shows BGP at a moment: of two of them only one can be how it is.
_OF_A_MOMENT = frozenset(
    f"{kind}.txt" for kind in ("calicoctl-node-status", "birdcl-protocols", "birdcl6-protocols", "birdcl-status")
)
# Files that somebody numbered as they were made.
_NUMBERED = re.compile(r"\d{1,14}(?=[-_.])")


class NodeTexts(NamedTuple):
    """What a bundle holds of one node: facts ({}: none), texts by their canonical names; address and result as the
    index tells them, '' and {} without one."""

    facts: dict[str, Any]
    texts: dict[str, str]
    address: str
    result: dict[str, Any]


class Bundle(NamedTuple):
    """A bundle as read.

    `cluster` and `loose` (of no node that could be told) are texts by their paths, `environment` the text of
    environment.yml, `written_at` RFC 3339 or ''. `unrecognised` are paths, `refused` what was not read, and why,
    `shortened` what was read in part, and which. `remarks` are sentences about the bundle as a whole,
    `origins` the paths of nodes' texts by node and canonical name, where these are not where that would have them,
    `redaction` the record that a redacted bundle holds, `tried` the texts of what people tried by hand.
    """

    nodes: dict[str, NodeTexts]
    cluster: dict[str, str]
    loose: dict[str, str]
    environment: str
    written_at: str
    unrecognised: list[str]
    refused: list[tuple[str, str]]
    shortened: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()
    origins: Mapping[tuple[str, str], str] = {}
    redaction: str = ""
    tried: Sequence[Tried] = ()


def read(path: str) -> Bundle:
    """Return the bundle at `path`: a directory, .tar, .tar.gz, .tgz, .zip or a single text. Raises OSError if there is
    nothing to read; whatever is wrong inside is listed and never fatal."""
    found = files.read(path)
    return sort(found.texts, found.refused)._replace(shortened=found.shortened)


def sort(texts: Mapping[str, str], refused: list[tuple[str, str]] | None = None) -> Bundle:
    """Tell the texts of a bundle, given by their paths in it, apart."""
    index = _index(texts.get(INDEX, ""))
    listed = index["nodes"]
    names = {str(entry.get("folder") or name): name for name, entry in listed.items()}
    told: dict[str, _Texts] = {}
    bundle = Bundle({}, {}, {}, texts.get(ENVIRONMENT, ""), index["written_at"], [], list(refused or ()))
    by_hand: list[Tried] = []
    loose: list[Loose] = []
    written = bool(index["written_at"])
    manuals = _manuals(texts)
    bundle.refused.extend((path, "a manual; the outputs in it are examples") for path in sorted(manuals))
    for path in sorted(texts, key=_in_order):
        head, _slash, rest = path.partition("/")
        if path in (INDEX, ENVIRONMENT, REDACTION) or path in manuals or (written and layouts.for_people(path)):
            continue
        folder, _slash, name = rest.partition("/")
        if head == NODES and name:
            own = told.setdefault(names.get(folder, folder), _Texts())
            _of_node(own, path, texts[path], bundle, written, by_hand, names.get(folder, folder))
        elif head == CLUSTER and rest and (written or name == CLUSTER_INFO):
            bundle.cluster[path] = texts[path]
        else:
            loose += _taken_apart(path, texts[path], bundle, by_hand)
    _find_nodes(loose, told, listed, bundle)
    for name in dict.fromkeys((*listed, *sorted(told))):
        entry = listed.get(name, {})
        own = told.get(name, _Texts())
        bundle.nodes[name] = NodeTexts(
            json_object(own.pop(FACTS, "")), own, _text(entry.get("address")), _dict(entry.get("result"))
        )
    origins = {(name, text): path for name, own in told.items() for text, path in own.origins.items()}
    found = bundle._replace(remarks=remarks(bundle.cluster), origins=origins, redaction=texts.get(REDACTION, ""))
    return found._replace(tried=tuple(by_hand))


def _manuals(texts: Mapping[str, str]) -> set[str]:
    """Return the paths of manuals beside evidence; what lies alone is what somebody wants to be read."""
    told = {path for path in texts if path not in (INDEX, ENVIRONMENT, REDACTION)}
    manuals = {path for path in told if layouts.is_manual(path)}
    return manuals if manuals < told else set()


class _Texts(dict[str, str]):
    """The texts of a node by their canonical names, and the paths where those are from."""

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[str, str] = {}


def _in_order(path: str) -> tuple[bool, bool, str]:
    """Older parts of a log come first: what was the previous container's, and what runit put aside."""
    base = path.rpartition("/")[2]
    return (base == "current", "previous" not in base and not base.startswith("@"), path)


def _of_node(own: _Texts, path: str, text: str, bundle: Bundle, written: bool, by_hand: list[Tried], node: str) -> None:
    """Put what lies in a node's folder among its texts. What a run wrote is as it was; the rest is people's."""
    if written:
        _place(own, path.rpartition("/")[2] if path.count("/") == 2 else path.split("/", 2)[2], path, text, bundle)
        return
    for part in pasted.parts(pasted.cleaned(text)):
        name = (part.path or path).rpartition("/")[2]
        kind = recognise.recognise(part.text, name)
        if kind in tried.KINDS:
            by_hand.append(Tried(path, node, part.host, part.command, part.inside, kind, part.text))
        elif kind in _OF_CLUSTER and name not in (FACTS, PROBES):
            bundle.cluster[_free(bundle.cluster, path)] = part.text
        else:
            _place(own, name, path, part.text, bundle, layouts.canonical(part.path or path, kind, part.text))


def _place(own: _Texts, name: str, path: str, text: str, bundle: Bundle, canonical: str = "") -> None:
    """Put a text among those of its node, under the canonical name of what it is."""
    canonical = canonical or kinds.canonical_name(text, name)
    if canonical.endswith(".cfg") and not bundle.written_at:
        # Prompts and fences around it would be read as statements.
        text = lines.printed(text, 0)
    if not canonical:
        if not layouts.of_no_use(path) and text.strip() and path not in bundle.unrecognised:
            bundle.unrecognised.append(path)
    elif canonical not in own:
        own[canonical] = text
        own.origins[canonical] = path
    elif canonical in _OF_A_MOMENT:
        _of_another_moment(own, canonical, path, text, bundle)
    elif canonical in _IN_PIECES:
        own[canonical] = _joined(own[canonical], text)
    # The one whose name is the canonical one is it; a second one of its kind is kept under its own.
    elif name == canonical:
        own[path], own[canonical] = own[canonical], text
        own.origins[canonical] = path
    else:
        own[name] = text


def _of_another_moment(own: _Texts, canonical: str, path: str, text: str, bundle: Bundle) -> None:
    """Of two pictures of one node in one paste, or in files that somebody numbered, the later one counts, else the
    first; the other one is told of."""
    before = own.origins[canonical]
    if text == own[canonical]:
        return
    if path.partition("#")[0] == before.partition("#")[0] or _is_numbered_later(path, before):
        own[canonical], own.origins[canonical] = text, path
        path = before
    why = f"{own.origins[canonical]} tells the same of this node, of another moment, and was read"
    bundle.refused.append((path, why))


def _is_numbered_later(path: str, before: str) -> bool:
    folder, _slash, name = path.rpartition("/")
    other, _slash, earlier = before.rpartition("/")
    mine, theirs = _NUMBERED.match(name), _NUMBERED.match(earlier)
    return folder == other and mine is not None and theirs is not None and int(mine.group()) > int(theirs.group())


def _joined(first: str, second: str) -> str:
    """Return two pieces of one output; what is said twice in both stays once."""
    if second in first:
        return first
    return f"{first}{'' if first.endswith(chr(10)) else chr(10)}{second}"


def _taken_apart(path: str, text: str, bundle: Bundle, by_hand: list[Tried]) -> Iterator[Loose]:
    """Yield what may be about a node; what is about the cluster, or of no use, is put where it belongs at once."""
    found = pasted.parts(pasted.cleaned(text))
    for number, part in enumerate(found, 1):
        place = path if len(found) == 1 else f"{path}#{number}"
        name = (part.path or path).rpartition("/")[2]
        kind = "hostname" if name in ("hostname", NODENAME) else recognise.recognise(part.text, name)
        if not kind and layouts.hint(name):
            name = layouts.hint(name)
            kind = recognise.recognise(part.text, name)
        if kind in tried.KINDS:
            by_hand.append(Tried(place, "", part.host, part.command, part.inside, kind, part.text))
            continue
        canonical = layouts.canonical(part.path or path, kind, part.text) or kinds.canonical_name(part.text, name)
        canonical = NODENAME if name == NODENAME else canonical
        if kind in _OF_CLUSTER and canonical not in (FACTS, TOLD):
            bundle.cluster[place] = part.text
        elif _is_of_a_node(path, kind, canonical, part):
            # With its number: the file itself is no folder that could be called as a node.
            where = f"{path}#{number}/{part.path.lstrip('/')}" if part.path else place
            yield Loose(where, canonical, kind, part.text, part.host, part.command)
        else:
            (bundle.cluster if path.startswith(f"{CLUSTER}/") else bundle.loose)[place] = part.text
            if not (canonical or layouts.of_no_use(path)) and part.text.strip():
                bundle.unrecognised.append(place)


def _is_of_a_node(path: str, kind: str, canonical: str, part: pasted.Part) -> bool:
    """Say whether a text tells of some node, and not only of a program that any machine may have."""
    if typed_in.logs_another(part.command):
        return False
    pod = typed_in.pod(part.command) or part.inside
    if pod and not layouts.pod(pod) and pod != typed_in.SOMEWHERE:
        return False  # what a workload's pod has is not what its node has
    if path.startswith(f"{CLUSTER}/") and not (part.host or layouts.pod(part.command)):
        return False
    return kind == "hostname" or bool(canonical)


def _find_nodes(loose: list[Loose], told: dict[str, _Texts], listed: Mapping[str, Any], bundle: Bundle) -> None:
    """Put texts that lie in no node's folder among those of the node that they are about."""
    if not loose:
        return
    objects = from_bundle.fact(bundle.cluster)["objects"] if bundle.cluster else {}
    known = attribution.Known((*listed, *told), objects)
    named = [kinds.node_named(one.text, one.canonical) for one in loose]
    found = attribution.nodes(
        [one._replace(host=name or one.host) for one, name in zip(loose, named, strict=True)], known
    )
    for one, node in zip(loose, found, strict=True):
        if one.canonical:
            _place(
                told.setdefault(node, _Texts()), one.path.rpartition("/")[2], one.path, one.text, bundle, one.canonical
            )
    # A name of a machine, of which nothing else is there, tells nothing.
    idle = (one.path for one, node in zip(loose, found, strict=True) if not one.canonical and node not in told)
    bundle.unrecognised.extend(path for path in idle if path not in bundle.unrecognised)


def _free(there: Mapping[str, str], path: str) -> str:
    number, found = 1, path
    while found in there:
        number += 1
        found = f"{path}#{number}"
    return found


def _index(text: str) -> dict[str, Any]:
    found = json_object(text)
    if found.get("schema") != SCHEMA:
        return {"nodes": {}, "written_at": ""}
    nodes = {str(name): _dict(entry) for name, entry in _dict(found.get("nodes")).items()}
    return {"nodes": nodes, "written_at": _text(found.get("written_at"))}


def json_object(text: str) -> dict[str, Any]:
    """Return the object in a text of JSON, {} if it holds none."""
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
