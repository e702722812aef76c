# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix and Typha refuse each other's certificates. Both are stand-ins with real TLS (see `standins_tls`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import waiting
from . import cluster, standins, standins_tls, typha
from .model import Case, Fault, Variant, listener
from .standins_tls import Authority

if TYPE_CHECKING:
    from ..topology import Node

_SERVER_NAME, _CLIENT_AUTHORITY = "server-name", "client-authority"
# What the operator calls Typha; a manifest's Felix is told to expect another name.
_OPERATORS_NAME = "typha-server"
_SERVICE = "calico-typha"
_LIMIT = 20.0


def _host(case: Case) -> Node:
    """Typha's host: the target, or another node where the target's own certificate is the wrong one."""
    return case.node if case.variant == _SERVER_NAME else case.peers[-1]


def _refuse(case: Case) -> None:
    from ..controller.kubelet import log_directory  # which needs `lab`, which needs the faults

    host = _host(case)
    typha.install(case, host.name)
    waiting.until(lambda: typha.not_ready(case), "Typha's pod", _LIMIT)
    authority = Authority.made("typha-ca")
    name = _OPERATORS_NAME if case.variant == _SERVER_NAME else standins_tls.SERVER
    machine = case.lab.machine(host.name)
    log = case.undo["typha_log"] = log_directory(typha.pods(case)[0], "calico-typha")
    standins_tls.typha(case, machine, standins_tls.put(machine, "typha", name, authority, authority), log)
    for node in case.lab.nodes:
        wrong = case.variant == _CLIENT_AUTHORITY and node.name == case.target
        signer = Authority.made("typha-ca") if wrong else authority
        here = case.lab.machine(node.name)
        files = standins_tls.put(here, "felix", standins_tls.CLIENT, signer, authority)
        standins_tls.felix(case, here, host.address, files, _SERVICE)


def _heal(case: Case) -> None:
    for node in case.lab.nodes:
        standins.stop(case, case.lab.machine(node.name), standins.FELIX)
    host = case.lab.machine(_host(case).name)
    standins.stop(case, host, standins.TYPHA)
    standins.forget_log(case)
    standins.forget(host, case.undo.get("typha_log", ""))
    for node in case.lab.nodes:
        case.try_run(["rm", "-rf", standins_tls.FOLDER], case.lab.machine(node.name))
    cluster.undo(case)


def _missing(case: Case) -> str:
    """Every Felix has met Typha, and either stays connected or has said why not."""
    for node in case.lab.nodes:
        refused = case.variant == _SERVER_NAME or node.name == case.target
        text = _said(case, node)
        if refused and "tls: " not in text and "does not have required" not in text:
            return f"Felix on {node.name} has met no Typha yet"
        if not refused and not _connected(case, node):
            return f"Felix on {node.name} is not connected to Typha yet"
    return typha.not_ready(case)


def _said(case: Case, node: Node) -> str:
    directory = case.undo.get("logs", {}).get(node.name, "")
    done = case.lab.machine(node.name).exec(["sh", "-c", f"cat /var/log/pods/{directory}/*.log"], check=False)
    return done.stdout


def _connected(case: Case, node: Node) -> bool:
    wanted = f":{standins_tls.PORT:04X} 01"
    with open(f"/proc/{case.lab.machine(node.name).process.pid}/net/tcp", encoding="ascii") as file:
        return any(wanted in line for line in file)


MISMATCH = Fault(
    id="typha_tls_mismatch",
    description="Felix and Typha refuse each other's certificates (stand-ins for both, with real TLS)",
    inject=_refuse,
    heal=_heal,
    missing=_missing,
    default=listener,
    variants=(
        Variant(_SERVER_NAME, f"Typha, on the target, is called {_OPERATORS_NAME}; every Felix expects another name"),
        Variant(_CLIENT_AUTHORITY, "the certificate of the target's Felix is signed by an authority of before"),
    ),
    breaks_sessions=False,
)
