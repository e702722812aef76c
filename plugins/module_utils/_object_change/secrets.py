# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that calico-node reads: copied to where it looks for them, and made readable for it.

Values go from one answer of the API into the next request, and nowhere else: no argument, result, difference, record,
sentence or log has one, nor anything that is computed from one.
"""

from __future__ import annotations

from .._cluster import problems
from .._cluster.problems import ApiError
from .._cluster.secrets import VERBS
from .._cluster.shapes import mapping, word
from .deciding import creation
from .resources import refused
from .settling import Transition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .._cluster.asking import Asker
    from .resources import Ref, Resources

    Change = dict[str, Any]
    Found = Union[dict[str, Any], None]

COPY, ALLOW = "copy_secret", "allow_secret"
_RBAC = "rbac.authorization.k8s.io"


def copy(asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    """Return the copying of some keys of a secret, with its type and nothing else of it."""
    source, ref = (
        resources.ref("v1", "Secret", change[name]["namespace"], change[name]["name"]) for name in ("from", "to")
    )
    keys = [str(key) for key in change["keys"]]

    def decide(found: Found) -> Found:
        origin = _read(asker, source)
        values = mapping(origin.get("data"))
        lacking = sorted(key for key in keys if key not in values)
        if lacking:
            raise refused(f"{source.label} has no key {', '.join(lacking)}.")
        wanted = {key: values[key] for key in keys}
        if found is None:
            return _made(ref, word(origin.get("type")) or "Opaque", wanted)
        there = mapping(found.get("data"))
        others = sorted(key for key in keys if key in there and there[key] != wanted[key])
        if others and not change.get("irreversible"):
            raise refused(
                f"{ref.label} is there already and has other values for {', '.join(others)}, which could not be put "
                "back, as no value is kept. Say irreversible: true if they shall be replaced all the same."
            )
        return {**found, "data": {**there, **wanted}}

    return [Transition(ref, COPY, decide, despite_owner=bool(change.get("despite_owner")), secret=True)]


def _read(asker: Asker, source: Ref) -> dict[str, Any]:
    try:
        return asker.get(source.path)
    except ApiError as problem:
        if problem.kind == problems.ABSENT:
            raise refused(f"{source.label}, which was to be copied, is gone.") from None
        raise


def _made(ref: Ref, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}


def allow(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    """Return the Role that lets a service account get, list and watch one secret, and its RoleBinding."""
    namespace, secret, account = change["namespace"], change["name"], change["service_account"]
    metadata = {"name": f"{account}-{secret}", "namespace": namespace}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": list(VERBS)}]
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    role = {"apiGroup": _RBAC, "kind": "Role", "name": metadata["name"]}
    made = []
    for kind, rest in (("Role", {"rules": rules}), ("RoleBinding", {"roleRef": role, "subjects": subjects})):
        ref = resources.ref(f"{_RBAC}/v1", kind, namespace, metadata["name"])
        whole = {"apiVersion": ref.api_version, "kind": kind, "metadata": dict(metadata), **rest}
        made.append(Transition(ref, ALLOW, creation(ref, whole), own=True))
    return made
