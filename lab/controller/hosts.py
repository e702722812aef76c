# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node sees and does on a lab's machine: its addresses, its processes, its files."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

from ..bird_config import CONFIG_DIRECTORY
from ..errors import LabError
from ..machine import SERVICES
from ..node import KUBECONFIG, KUBECONFIG_TEXT
from ..services import CONTAINER_ROOT, calico_run, calico_services
from .names import CALICO_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..machine import Machine

_AVAILABLE = "/etc/service/available"
NODENAME = "/var/lib/calico/nodename"
_NETWORKS = "/etc/cni/net.d"


class Addresses:
    """A machine's interfaces at one time, as autodetection looks at them."""

    def __init__(self, machine: Machine, internal: Sequence[str]) -> None:
        self._machine = machine
        self._internal = internal
        self._links: list[dict[str, Any]] = json.loads(machine.exec(["ip", "-json", "address", "show"]).stdout or "[]")

    @property
    def held(self) -> list[str]:
        """All addresses with prefix length."""
        return [f"{each['local']}/{each['prefixlen']}" for link in self._links for each in _of(link)]

    def detect(self, method: str, family: str) -> tuple[str, str, str] | None:
        """(address with prefix length or "", interface, why); None if Calico has no such method."""
        from ansible_collections.netmedic.calico.plugins.module_utils._address import autodetect, releases

        held = [
            (link["ifname"], autodetect.Held(each["local"], each["prefixlen"], each.get("address", "")))
            for link in self._links
            for each in _of(link)
        ]
        found = autodetect.interfaces([link["ifname"] for link in self._links], held)
        version = releases.parse_version(CALICO_VERSION)
        pick = autodetect.detect(method, family, autodetect.Host(found, version, self._source, list(self._internal)))
        if not pick.address and "knows no method" in pick.why:
            return None
        return (f"{pick.address}/{pick.prefix}" if pick.address else "", pick.interface, pick.why)

    def _source(self, destination: str) -> str | None:
        done = self._machine.exec(["ip", "-json", "route", "get", destination], check=False)
        try:
            return str(json.loads(done.stdout)[0].get("prefsrc", "")) if done.returncode == 0 else ""
        except (ValueError, IndexError):
            return ""


def _of(link: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in link.get("addr_info") or [] if each.get("local")]


def stop_calico(machine: Machine, *, ipv6: bool) -> None:
    """End calico-node's processes as they end with their container: killed, so that BIRD says no farewell."""
    for name in calico_services(ipv6=ipv6):
        if machine.sv("status", name, check=False).stdout.startswith("run:"):
            # `down` would end it by TERM; after `once` runit does not start it again.
            machine.sv("once", name, check=False)
            machine.sv("kill", name, check=False)


def fresh_files(machine: Machine, node: str, environment: Mapping[str, str], *, ipv6: bool) -> None:
    """A new container's files: no configuration yet, its own environment; and the name that calico-node writes."""
    directory = machine.file(CONTAINER_ROOT + CONFIG_DIRECTORY)
    directory.mkdir(parents=True, exist_ok=True)
    for each in directory.iterdir():
        each.unlink(missing_ok=True)
    for name in calico_services(ipv6=ipv6):
        run = next(
            (path for place in (SERVICES, _AVAILABLE) if (path := machine.file(f"{place}/{name}/run")).exists()), None
        )
        if run is not None:
            staged = run.with_name("run.new")
            staged.write_text(calico_run(name, environment), encoding="utf-8")
            staged.chmod(0o755)
            staged.replace(run)
    machine.file(NODENAME).write_text(node, encoding="utf-8")
    machine.file(KUBECONFIG).write_text(KUBECONFIG_TEXT, encoding="utf-8")


def install_cni(machine: Machine, environment: Mapping[str, str]) -> None:
    """Write the pods' MTU into the plugin's configuration, as the container install-cni does before calico-node starts.

    As in Calico, cni-plugin/pkg/install: __CNI_MTU__ is replaced by CNI_MTU. All else of the file stays as it is.
    """
    path = machine.file(f"{_NETWORKS}/{environment.get('CNI_CONF_NAME', 'none')}")
    size = environment.get("CNI_MTU", "").strip()
    if not path.is_file() or not size.isdecimal():
        return
    written = json.loads(path.read_text(encoding="utf-8"))
    if written["plugins"][0].get("mtu") != int(size):
        written["plugins"][0]["mtu"] = int(size)
        path.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def start_calico(machine: Machine, *, ipv6: bool) -> None:
    """Start BIRD and confd."""
    for name in calico_services(ipv6=ipv6):
        available = machine.file(f"{_AVAILABLE}/{name}")
        if available.exists():
            # runit sees it within five seconds, and starts it.
            shutil.move(available, machine.file(f"{SERVICES}/{name}"))
    machine.sv("up", *calico_services(ipv6=ipv6), check=False)


def disable_calico(machine: Machine, *, ipv6: bool) -> None:
    """Take BIRD and confd out of the container's services, as calico-node does where its backend is another one."""
    machine.file(_AVAILABLE).mkdir(parents=True, exist_ok=True)
    for name in calico_services(ipv6=ipv6):
        enabled = machine.file(f"{SERVICES}/{name}")
        if enabled.exists():
            shutil.move(enabled, machine.file(f"{_AVAILABLE}/{name}"))


def calico_name(machine: Machine, environment: Mapping[str, str]) -> str:
    """What calico-node takes for its node's name: what it is told, else what it left on the host, else the host's.

    As in Calico, node/pkg/lifecycle/utils (DetermineNodeName).
    """
    told = environment.get("NODENAME", "").strip()
    if told:
        return told
    try:
        left = machine.file(NODENAME).read_text(encoding="utf-8").strip()
    except OSError:
        left = ""
    return left or environment.get("HOSTNAME", "").strip().lower()


def hostname(machine: Machine) -> str:
    """What a machine is called, which the container runtime puts into HOSTNAME of a container in the host's network."""
    return machine.exec(["hostname"]).stdout.strip()


def nodename_age(machine: Machine) -> float | None:
    """Seconds since calico-node wrote its name, None if it has not."""
    try:
        return max(0.0, time.time() - machine.file(NODENAME).stat().st_mtime)
    except (OSError, LabError):
        return None


def write_log(machine: Machine, directory: str, restarts: int, lines: Iterable[str]) -> None:
    """Append lines to a container's log as containerd keeps it under /var/log/pods."""
    path = machine.file(log_file(machine, (directory, restarts)))
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e9):09d}Z"
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{stamp} stdout F {line}\n" for line in lines)


def log_file(machine: Machine, log: tuple[str, int]) -> str:
    """The file of a container's log, by its directory and the number of its start; its directory is made."""
    path = f"/var/log/pods/{log[0]}/{log[1]}.log"
    machine.file(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def remove_log(machine: Machine, directory: str) -> None:
    """Remove the logs of a pod that is gone, as the kubelet does; `directory`: that of one of its containers."""
    shutil.rmtree(machine.file(f"/var/log/pods/{directory}").parent, ignore_errors=True)


def read_log(machine: Machine, directory: str) -> str:
    """A container's log without containerd's marks, the latest start's."""
    folder = machine.file(f"/var/log/pods/{directory}")
    try:
        logs = sorted(folder.iterdir(), key=lambda path: int(path.stem))
        text = logs[-1].read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError, IndexError):
        return ""
    return "".join(f"{line.split(' ', 3)[-1]}\n" for line in text.splitlines())
