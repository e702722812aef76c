# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MTU that somebody set and that the underlay does not carry."""

from __future__ import annotations

import json

from ..topology import MTU
from . import objects
from .model import Case, Fault, Variant, listener

_FILE = "/etc/cni/net.d/10-calico.conflist"
_JUMBO = 9000
_CNI, _MAP = "cni", "config-map"
_HEADERS = 28
_SETTINGS = "/api/v1/namespaces/kube-system/configmaps/calico-config"


def _set(case: Case) -> None:
    if case.variant == _MAP:
        objects.edit(case, _SETTINGS, {"data": {"veth_mtu": str(_JUMBO)}})
        return
    _pods(case, _JUMBO)


def _unset(case: Case) -> None:
    objects.restore(case)
    if case.variant == _CNI:
        _pods(case, 0)


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
        found = case.lab.api().get(_SETTINGS)
        return "" if found["data"].get("veth_mtu") == str(_JUMBO) else "the ConfigMap does not say so yet"
    size = str(_JUMBO - _HEADERS)
    ping = ["ip", "netns", "exec", "pod", "ping", "-c1", "-W1", "-M", "do", "-s", size, case.peers[0].pod_address]
    done = case.machine.exec(ping, check=False)
    return "packets of the pod's size still pass" if done.returncode == 0 else ""


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
