# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installations without BIRD by design: the backend is vxlan. No fault in itself; a probe that asks for BIRD is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cluster
from .model import Case, Fault, Variant

if TYPE_CHECKING:
    from .cluster import Object


def _ask_for_bird(case: Case) -> None:
    """As one who takes calico.yaml and changes nothing but the backend."""
    cluster.set_template(case, _with_bird)
    _restart_all(case)


def _with_bird(spec: Object) -> None:
    container = spec["containers"][0]
    for kind in ("readiness", "liveness"):
        container[f"{kind}Probe"]["exec"]["command"].append(f"-bird-{'live' if kind == 'liveness' else 'ready'}")


def _restart_all(case: Case) -> None:
    for node in case.lab.nodes:
        cluster.restart_pod(case, node.name)


def _ask_no_more(case: Case) -> None:
    cluster.undo(case)
    _restart_all(case)


def _nothing(_case: Case) -> None:
    """The topology is what is to be seen."""


def _birds(case: Case) -> str:
    for node in case.lab.nodes:
        if case.lab.machine(node.name).exec(["pgrep", "-x", "bird"], check=False).stdout.strip():
            return f"BIRD runs on {node.name}"
    return next(filter(None, (cluster.pod_missing(case, node.name) for node in case.lab.nodes)), "")


def _not_asked(case: Case) -> str:
    events = case.lab.api().get("/api/v1/namespaces/kube-system/events")["items"]
    asked = any(each["reason"] == "Unhealthy" and "BIRD" in each["message"] for each in events)
    return _birds(case) or ("" if asked else "no probe has failed yet")


BIRD_NOT_EXPECTED = Fault(
    id="bird_not_expected",
    description="the backend is vxlan: calico-node runs no BIRD, by design; nothing is changed",
    inject=_nothing,
    heal=_nothing,
    missing=_birds,
    default=None,
    ghost="calico-config",
    variants=(Variant("vxlan", "calico_backend: vxlan, and probes that ask for Felix only", "vxlan"),),
    breaks_sessions=False,
)

PROBE_WITHOUT_BIRD = Fault(
    id="bird_probe_without_bird",
    description="the backend is vxlan, and the readiness probe still asks for BIRD",
    inject=_ask_for_bird,
    heal=_ask_no_more,
    missing=_not_asked,
    default=None,
    ghost="calico-config",
    variants=(Variant("vxlan", "calico_backend: vxlan with the probes of calico.yaml", "vxlan"),),
    breaks_sessions=False,
)
