# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secret with the BGP password is not where calico-node looks, or may not be read: the password is not used.

All nodes fail alike, so their sessions go on, unsigned.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from ..errors import LabError
from ..services import CONFD_LOG
from . import objects, pairs
from .model import Case, Fault, Variant, listener
from .password import RIGHT

if TYPE_CHECKING:
    from pathlib import Path

    from ..machine import Machine

NAME, KEY = "bgp-passwords", "mesh"
_MISSING, _OTHER_KEY, _NAMESPACE, _RBAC = "missing", "other-key", "other-namespace", "rbac"
_ROLE = "bgp-password-reader"
_HOME = "kube-system"
_SAID = "Can't read password"


def _misplace(case: Case) -> None:
    if case.variant != _MISSING:
        space = "default" if case.variant == _NAMESPACE else _HOME
        key = "password" if case.variant == _OTHER_KEY else KEY
        data = {key: base64.b64encode(RIGHT.encode()).decode()}
        objects.create(case, f"/api/v1/namespaces/{space}/secrets", _named("v1", "Secret", NAME, space, data=data))
    if case.variant != _RBAC:
        _allow(case)
    reference = {"secretKeyRef": {"name": NAME, "key": KEY}}
    objects.configure(case, "BGPConfiguration", "default", {"nodeMeshPassword": reference})
    objects.follow(case.lab)


def _allow(case: Case) -> None:
    """What an administrator has to grant calico-node: neither Calico's manifest nor its operator does."""
    group = objects.RBAC.split("/")[2]
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [NAME], "verbs": ["get", "list", "watch"]}
    role = _named(f"{group}/v1", "Role", _ROLE, rules=[rule])
    account = {"kind": "ServiceAccount", "name": "calico-node", "namespace": _HOME}
    reference = {"apiGroup": group, "kind": "Role", "name": _ROLE}
    binding = _named(f"{group}/v1", "RoleBinding", _ROLE, subjects=[account], roleRef=reference)
    objects.create(case, f"{objects.RBAC}/namespaces/{_HOME}/roles", role)
    objects.create(case, f"{objects.RBAC}/namespaces/{_HOME}/rolebindings", binding)


def _named(version: str, kind: str, name: str, space: str = _HOME, **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": space}, **more}


def _not_said(case: Case) -> str:
    if _SAID not in _log(case, case.target):
        return f"confd on {case.target} does not complain yet"
    return pairs.not_up(case, [*pairs.between(case.node, case.peers), *pairs.all_but(case.lab, case.node)])


def _log(case: Case, node: str) -> str:
    return case.lab.machine(node).file(f"{CONFD_LOG}/current").read_text(encoding="utf-8")


def _give_back(case: Case) -> None:
    objects.restore(case)
    # What confd said in the past would be taken for news for an hour.
    for node in case.lab.nodes:
        try:
            for path in _logs(case.lab.machine(node.name)):
                path.write_text(without(_SAID, path.read_text(encoding="utf-8")), encoding="utf-8")
        except (OSError, LabError):
            continue


def _logs(machine: Machine) -> list[Path]:
    """confd's own log, and those of calico-node's container."""
    return [machine.file(f"{CONFD_LOG}/current"), *machine.file("/var/log/pods").glob("*/calico-node/*.log")]


def without(words: str, text: str) -> str:
    """A text without the lines that have these words."""
    return re.sub(rf"^.*{re.escape(words)}.*\n?", "", text, flags=re.MULTILINE)


UNREADABLE = Fault(
    id="bgp_password_secret_unreadable",
    description="BGPConfiguration default asks for a password, and calico-node cannot read its Secret",
    inject=_misplace,
    heal=_give_back,
    missing=_not_said,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_MISSING, "there is no such Secret"),
        Variant(_OTHER_KEY, "the Secret has another key"),
        Variant(_NAMESPACE, "the Secret is in namespace default"),
        Variant(_RBAC, "no Role allows calico-node to read Secrets"),
    ),
    breaks_sessions=False,
)
