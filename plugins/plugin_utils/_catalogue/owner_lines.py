# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to type so that a setting changes now, and what to change at its owner so that it lasts."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from .._cluster import owners
from . import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._cluster.owners import Owner

LASTS = "so that it lasts"
_RKE2_FOLDER = "/var/lib/rancher/rke2/server/manifests"
_OF_CHART = "installation."


def patch_installation(name: str, installation: Mapping[str, Any]) -> str:
    """Change fields of the operator's Installation, below spec."""
    spec = shlex.quote(json.dumps({"spec": installation}))
    return f"kubectl patch installation {commands.word(name, 'NAME')} --type merge -p {spec}"


def where_unknown(plain: list[str], installation: Mapping[str, Any]) -> list[str]:
    """Both ways, where nothing tells who installed Calico: the operator would put the DaemonSet back."""
    theirs = patch_installation("default", installation)
    return [
        *(f"{line}   # unless the operator runs (kubectl get installation)" for line in plain),
        f"{theirs}   # where the operator runs",
    ]


def lines(owner: Owner, plain: list[str], installation: Mapping[str, Any] | None, value: str) -> list[str]:
    """The commands for a setting that an installer would put back: those that help now come first."""
    if not owner.allowed:
        return [f"ask {owner.name} to change {_to(owner.path, value)}   # {owner.why}"]
    if owner.kind == owners.INSTALLATION and installation:
        return [patch_installation(owner.name, installation)]
    if owner.kind == owners.INSTALLATION:
        return [f"kubectl edit installation {commands.word(owner.name, 'NAME')}   # {_to(owner.path, value)}"]
    by_operator = _OF_CHART in owner.path
    now = ([patch_installation("default", installation)] if installation else []) if by_operator else plain
    return [*now, *_lasting(owner, installation, value)]


def _to(path: str, value: str) -> str:
    return f"{path}: {value}" if value else path


def _lasting(owner: Owner, installation: Mapping[str, Any] | None, value: str) -> list[str]:
    path = owner.path.partition(": ")[2] or owner.path
    if installation and path.startswith(_OF_CHART):
        path, value = "installation", json.dumps(installation)
    name = commands.word(owner.name, "NAME")
    if owner.kind == owners.HELM_CHART_CONFIG:
        space = commands.word(owner.namespace, "kube-system")
        there = f"{LASTS}, in spec.valuesContent: {_to(path, value)} (if there is none yet, in {_RKE2_FOLDER})"
        return [f"kubectl edit helmchartconfig -n {space} {name}   # {there}"]
    if owner.kind == owners.HELM and path == "installation":
        values = shlex.quote(f"{path}={value}")
        upgrade = f"helm upgrade {name} CHART -n NAMESPACE --reuse-values --set-json {values}"
        return [f"{upgrade}   # {LASTS}; CHART, NAMESPACE: as helm list -A shows them"]
    if owner.kind == owners.HELM:
        look = f"helm get values {name} -n NAMESPACE"
        return [f"{look}   # {LASTS}, helm upgrade with {_to(path, value)}; NAMESPACE: as helm list -A shows it"]
    if owner.kind == owners.KOPS:
        return [f"kops edit cluster   # {LASTS}: {_to(owner.path, value)}; then kops update cluster --yes"]
    if owner.kind == owners.MICROK8S:
        return [f"sudoedit {name}   # {LASTS}, on each node of the control plane: {_to(owner.path, value)}"]
    return [f"in {owner.kind}'s {owner.name}: {_to(owner.path, value)}   # {LASTS}. {owner.reverted or owner.why}"]
