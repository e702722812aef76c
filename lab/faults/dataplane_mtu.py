# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MTU that somebody set and that the underlay does not carry."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from .. import waiting
from ..topology import MTU
from . import objects
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..machine import Machine

_FILE = "/etc/cni/net.d/10-calico.conflist"
_JUMBO = 9000
_CNI, _MAP = "cni", "config-map"
_HEADERS = 28
_ROLLED_OUT_WITHIN = 90.0
_SETTINGS = "/api/v1/namespaces/kube-system/configmaps/calico-config"
_DAEMONSET = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"


def _set(case: Case) -> None:
    if case.variant == _MAP:
        objects.edit(case, _SETTINGS, {"data": {"veth_mtu": str(_JUMBO)}})
        # As `kubectl rollout restart` does; until then no node knows of it.
        now = {"kubectl.kubernetes.io/restartedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        objects.edit(case, _DAEMONSET, {"spec": {"template": {"metadata": {"annotations": now}}}})
        return
    _pods(case, _JUMBO)


def _unset(case: Case) -> None:
    objects.restore(case)
    if case.variant == _CNI:
        _pods(case, 0)
    else:
        waiting.until(lambda: _not_everywhere(case, 0), "calico-node to be rolled out", _ROLLED_OUT_WITHIN)


def _pods(case: Case, mtu: int) -> None:
    """Write the MTU for pods into the plugin's configuration, and give it to the pod as the plugin would."""
    written = json.loads(case.machine.exec(["cat", _FILE]).stdout)
    written["plugins"][0]["mtu"] = mtu
    case.machine.exec(["sh", "-c", f"cat > {_FILE}"], text_input=json.dumps(written, indent=2) + "\n")
    for command in (
        ["ip", "link", "set", case.node.workload, "mtu", str(mtu or MTU)],
        ["ip", "-n", "pod", "link", "set", "eth0", "mtu", str(mtu or MTU)],
    ):
        case.try_run(command)


def _missing(case: Case) -> str:
    if case.variant == _MAP:
        return _not_everywhere(case, _JUMBO)
    size = str(_JUMBO - _HEADERS)
    ping = ["ip", "netns", "exec", "pod", "ping", "-c1", "-W1", "-M", "do", "-s", size, case.peers[0].pod_address]
    done = case.machine.exec(ping, check=False)
    return "packets of the pod's size still pass" if done.returncode == 0 else ""


def _not_everywhere(case: Case, mtu: int) -> str:
    """Why not every node has the new calico-node and its MTU, or '' if each has."""
    told = case.lab.api().get(_DAEMONSET)
    status, number = told.get("status") or {}, len(case.lab.nodes)
    is_rolled_out = status.get("observedGeneration") == told["metadata"].get("generation") and number == min(
        status.get(name, 0) for name in ("updatedNumberScheduled", "numberAvailable")
    )
    without = [node.name for node in case.lab.nodes if _written(case.lab.machine(node.name)) != mtu]
    return "" if is_rolled_out and not without else "calico-node is still rolled out"


def _written(machine: Machine) -> int:
    """The MTU in the plugin's configuration."""
    return int(json.loads(machine.file(_FILE).read_text(encoding="utf-8"))["plugins"][0]["mtu"])


MISCONFIGURED = Fault(
    id="mtu_misconfigured_value",
    description=f"an MTU of {_JUMBO} is set where the interfaces carry {MTU}",
    inject=_set,
    heal=_unset,
    missing=_missing,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_CNI, "in the CNI configuration of the node, and at its pod"),
        Variant(_MAP, "in the ConfigMap calico-config, for all nodes"),
    ),
    breaks_sessions=False,
)
