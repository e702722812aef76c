# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a host's listener and tells of it, as calico_preflight."""

from __future__ import annotations

import os
import tempfile

from .._host import detached
from . import hold, marks, plan
from .agent import Agent, remove
from .ears import Ears

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .._host.processes import ProcessTable

SCHEMA = 1
_FOLDERS = ("/run", "/var/run")
# Programs that want the ports for themselves, be it only a moment later.
CALICO = ("calico-node", "bird", "bird6", "calico-typha", "flanneld", "runsvdir")
_CNI = ("/etc/cni/net.d/10-calico.conflist", "/etc/cni/net.d/10-canal.conflist", "/var/lib/calico/nodename")


def listen(
    ways: plan.Ways, seconds: float, processes: ProcessTable, root: str = "", proc_root: str = "/proc"
) -> dict[str, Any]:
    """Start the listener; return calico_preflight. Without one, `problem` says why.

    Where there is a trace of Calico no port is held: its BIRD, started in this very moment, could not have it. The
    probes are heard all the same, and the kernel's reset shows that they came.
    """
    token = marks.new_token()
    leave = calico_is_here(processes, root)
    facts: dict[str, Any] = {"schema": SCHEMA, "calico": leave}
    try:
        ears = Ears(token, ways)
    except PermissionError:
        return dict(facts, problem="Raw sockets need root (the capability CAP_NET_RAW), which this process lacks.")
    except OSError as error:
        return dict(facts, problem=f"Raw sockets cannot be opened: {error.strerror or error}.")
    holder = hold.Holder(ways, marks.of_token(token), leave)
    folder = ""
    try:
        folder = tempfile.mkdtemp(prefix="netmedic-preflight-", dir=_folder())
        keep = {each.fileno() for each in (*ears.every(), *holder.sockets)}
        pid = detached.start(lambda: Agent(ears, holder, folder, seconds).run(), keep)
    except OSError as error:
        if folder:
            remove(folder)
        return dict(facts, problem=f"The listener cannot be started: {error.strerror or error}.")
    finally:
        ports = holder.ports
        ears.close()
        holder.close()
    facts.update({"pid": pid, "folder": folder, "token": token, "seconds": int(seconds)})
    told = hold.told(ports, processes, proc_root)
    facts.update({"ports": told} if told else {})
    facts.update({"problems": ears.problems} if ears.problems else {})
    return facts


def calico_is_here(processes: ProcessTable, root: str = "") -> bool:
    """Say whether something on this host is Calico's or Canal's and may want the ports."""
    return bool(processes.named(*CALICO)) or any(os.path.exists(root + path) for path in _CNI)


def from_options(options: Mapping[str, Any], processes: ProcessTable) -> dict[str, Any]:
    """Start the listener that a module's options ask for."""
    ways = plan.Ways(options["tcp_ports"], options["udp_ports"], options["ipip"])
    return listen(ways, float(options["listen_seconds"]), processes)


def _folder() -> str | None:
    return next((one for one in _FOLDERS if os.path.isdir(one) and os.access(one, os.W_OK)), None)
