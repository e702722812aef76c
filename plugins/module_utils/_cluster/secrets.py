# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that BGPConfiguration and BGPPeer name: are they there, which keys have they, may calico-node read them.

Of a secret that may be read the keys' names are kept and the values dropped on the spot; nothing is logged or said that
was in one. calico-node looks for them in its own namespace (confd/pkg/backends/calico/secret_watcher.go), and lists and
watches each by its name.
"""

from __future__ import annotations

from . import problems
from .kinds import REVIEWS, SECRETS
from .problems import ApiError
from .shapes import LONGEST_NAME, mapping, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .asking import Asker

VERBS = ("get", "list", "watch")
# Where a manifest puts Calico, and where the operator does: the move from one to the other leaves secrets behind.
_HOMES = ("kube-system", "calico-system")
_MOST = 200
_OPTIONAL = (
    "whether it exists was not asked, for this account may not get it. A Role with get on secrets of this name would "
    "allow that; it is not needed otherwise"
)


def named(configurations: Iterable[dict[str, Any]], peers: Iterable[dict[str, Any]]) -> list[str]:
    """Return the names of the secrets that these objects refer to, each once."""
    found: dict[str, None] = {}
    for objects, field in ((configurations, "nodeMeshPassword"), (peers, "password")):
        for one in objects:
            reference = mapping(mapping(mapping(mapping(one).get("spec")).get(field)).get("secretKeyRef"))
            name = word(reference.get("name"))
            if name:
                found[name] = None
    return [name for name in found if _is_name(name)][:_MOST]


def _is_name(name: str) -> bool:
    """Say whether this can be a secret's name; whatever is in a path goes to the API as it is."""
    return len(name) < LONGEST_NAME and name.replace("-", "").replace(".", "").isalnum() and name.isascii()


def look(asker: Asker, namespace: str, name: str, account: str) -> dict[str, Any]:
    """Return what is known about one secret, for the service account of calico-node in this namespace."""
    exists, keys, unknown = _keys(asker, namespace, name)
    readable, why = _readable(asker, namespace, name, account)
    return {
        "namespace": namespace,
        "name": name,
        "exists": exists,
        "keys": keys,
        "readable": readable,
        "why": "; ".join(one for one in (unknown, why) if one),
    }


def left_behind(asker: Asker, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those secrets that are not where calico-node looks, and are in the other one of Calico's usual homes."""
    made = []
    for name in dict.fromkeys(one["name"] for one in found if one["exists"] is False):
        asked = {one["namespace"] for one in found if one["name"] == name}
        for namespace in _HOMES:
            exists, keys, _why = (None, [], "") if namespace in asked else _keys(asker, namespace, name)
            if exists:
                made.append(
                    {"namespace": namespace, "name": name, "exists": True, "keys": keys, "readable": None, "why": ""}
                )
    return made


def _keys(asker: Asker, namespace: str, name: str) -> tuple[bool | None, list[str], str]:
    try:
        data = mapping(asker.get(SECRETS.path(namespace, name)).get("data"))
        return True, sorted(word(key)[:LONGEST_NAME] for key in data), ""
    except ApiError as problem:
        if problem.kind == problems.ABSENT:
            return False, [], ""
        return None, [], _OPTIONAL if problem.kind == problems.FORBIDDEN else problem.sentence


def _readable(asker: Asker, namespace: str, name: str, account: str) -> tuple[bool | None, str]:
    if not account:
        return None, "the service account of calico-node is not known"
    try:
        denied = [verb for verb in VERBS if not _may(asker, namespace, name, account, verb)]
    except ApiError as problem:
        return None, f"whether calico-node may read it could not be asked: {problem.sentence}"
    if denied:
        return False, f"the service account {account} in {namespace} may not {', '.join(denied)} it"
    return True, ""


def _may(asker: Asker, namespace: str, name: str, account: str, verb: str) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
            "resourceAttributes": {"namespace": namespace, "verb": verb, "resource": "secrets", "name": name},
        },
    }
    return mapping(asker.post(REVIEWS.path(), review).get("status")).get("allowed") is True
