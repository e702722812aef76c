# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API tells of itself: /version, /api, /apis and the lists of resources. Pure.

The aggregated discovery that newer clients ask for first is not offered; they fall back to this one.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .entry import Object
    from .kinds import Kind

VERSION = "v1.29.3+netmedic.lab"


class Sub(NamedTuple):
    """A subresource: the kind of its bodies, that kind's group and version ("" is its parent's), its verbs."""

    kind: str
    group: str = ""
    version: str = ""
    verbs: tuple[str, ...] = ("get", "patch", "update")


SUBRESOURCES = {
    "binding": Sub("Binding", verbs=("create",)),
    "eviction": Sub("Eviction", "policy", "v1", ("create",)),
    "finalize": Sub("", verbs=("update",)),
    "log": Sub("", verbs=("get",)),
    "scale": Sub("Scale", "autoscaling", "v1"),
    "status": Sub(""),
    "token": Sub("TokenRequest", "authentication.k8s.io", "v1", ("create",)),
}


def version() -> Object:
    """/version. The version says that this is no Kubernetes."""
    major, minor = VERSION[1:].split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none: an emulator in Python",
        "compiler": "none",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> Object:
    """/api"""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group(name: str, versions: Iterable[str]) -> Object:
    """An APIGroup as /apis lists it."""
    found = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def groups(found: Iterable[tuple[str, Iterable[str]]]) -> Object:
    """/apis"""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(*each) for each in found if each[0]]}


def one_group(name: str, versions: Iterable[str]) -> Object:
    """/apis/<group>"""
    return {"kind": "APIGroup", "apiVersion": "v1", **group(name, versions)}


def resources(group_version: str, kinds: Iterable[Kind]) -> Object:
    """/api/v1 or /apis/<group>/<version>"""
    listed = [entry for kind in sorted(kinds, key=lambda each: each.plural) for entry in _resource(kind)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _resource(kind: Kind) -> Iterable[Object]:
    own: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        own["shortNames"] = list(kind.short_names)
    if kind.categories:
        own["categories"] = list(kind.categories)
    if "list" in kind.verbs:
        digest = hashlib.sha256(f"{kind.api_version}/{kind.kind}".encode()).digest()
        own["storageVersionHash"] = base64.b64encode(digest[:8]).decode()
    yield own
    for name in kind.subresources:
        sub = SUBRESOURCES[name]
        found: Object = {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": sub.kind or kind.kind,
            "verbs": list(sub.verbs),
        }
        if sub.group:
            found.update(group=sub.group, version=sub.version)
        yield found
