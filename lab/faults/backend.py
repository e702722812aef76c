# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installations without BIRD by design: the backend is vxlan. No fault in itself; a probe that asks for BIRD is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api_client import CALICO
from . import cluster, standins
from .model import Case, Fault, Variant
from .standins import FELIX

if TYPE_CHECKING:
    from .cluster import Object

_POOL = f"{CALICO}/ippools/default-ipv4-ippool"


def _switch(case: Case) -> None:
    """As Calico's manifest calico-vxlan.yaml has it."""
    cluster.patch(case, cluster.CALICO_CONFIG, {"data": {"calico_backend": "vxlan"}})
    cluster.patch(case, _POOL, {"spec": {"vxlanMode": "Always"}})
    _restart_all(case)
    for node in case.lab.nodes:
        # What runs of calico-node then is Felix; the stand-in has its environment.
        machine = case.lab.machine(node.name)
        standins.felix(case, machine, {"CALICO_NETWORKING_BACKEND": "vxlan"})


def _switch_with_probes(case: Case) -> None:
    cluster.set_template(case, _ask_felix_only)
    _switch(case)


def _ask_felix_only(spec: Object) -> None:
    container = spec["containers"][0]
    for probe in ("readinessProbe", "livenessProbe"):
        command = container[probe]["exec"]["command"]
        container[probe]["exec"]["command"] = [each for each in command if "bird" not in each]


def _restart_all(case: Case) -> None:
    for node in case.lab.nodes:
        cluster.restart_pod(case, node.name)


def _switch_back(case: Case) -> None:
    for node in case.lab.nodes:
        standins.stop(case, case.lab.machine(node.name), FELIX)
    cluster.undo(case)
    _restart_all(case)


def _still_birds(case: Case) -> str:
    for node in case.lab.nodes:
        if case.lab.machine(node.name).exec(["pgrep", "-x", "-f", "runsv bird"], check=False).stdout.strip():
            return f"BIRD is still supervised on {node.name}"
    return next(filter(None, (cluster.pod_missing(case, node.name) for node in case.lab.nodes)), "")


def _not_asked(case: Case) -> str:
    events = case.lab.api().get("/api/v1/namespaces/kube-system/events")["items"]
    asked = any(each["reason"] == "Unhealthy" and "BIRD" in each["message"] for each in events)
    return _still_birds(case) or ("" if asked else "no probe has failed yet")


BIRD_NOT_EXPECTED = Fault(
    id="bird_not_expected",
    description="the backend is vxlan: calico-node runs no BIRD, by design (a stand-in for Felix)",
    inject=_switch_with_probes,
    heal=_switch_back,
    missing=_still_birds,
    default=None,
    ghost="calico-config",
    variants=(Variant("vxlan", "calico_backend: vxlan, and probes that ask for Felix only"),),
)

PROBE_WITHOUT_BIRD = Fault(
    id="bird_probe_without_bird",
    description="the backend is vxlan, and the readiness probe still asks for BIRD (a stand-in for Felix)",
    inject=_switch,
    heal=_switch_back,
    missing=_not_asked,
    default=None,
    ghost="calico-config",
    variants=(Variant("vxlan", "calico_backend: vxlan with the probes of calico.yaml"),),
)
