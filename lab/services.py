# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of the lab's machines as runit keeps them: directories under /etc/service/enabled with a `run` script.

BIRD runs as in the calico-node container: same arguments, same environment, restarted by runit, its output with UTC
time stamps in /var/log/calico/bird/current. A container has its own file system, so `/etc/calico/confd` is seen only
through /proc/<pid of BIRD>/root; here BIRD's own mount namespace shows the directory that lies elsewhere on the node.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .machine import SERVICES, File

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER_ROOT = "/opt/calico-node"
BIRD_LOG = "/var/log/calico/bird"
CONFD_LOG = "/var/log/calico/confd"
SOCKET = "/run/calico/bird.ctl"
SOCKETS = {"ipv4": SOCKET, "ipv6": "/run/calico/bird6.ctl"}


def service(name: str, run: str, log_directory: str = "") -> list[File]:
    """A service's files; with a log directory, svlogd keeps its output there in UTC."""
    files = [File(f"{SERVICES}/{name}/run", 0o755, run)]
    if log_directory:
        log = f"#!/bin/sh\nmkdir -p {log_directory}\nexec svlogd -ttt {log_directory}\n"
        files.append(File(f"{SERVICES}/{name}/log/run", 0o755, log))
    return files


def bird(environment: Mapping[str, str], *, ipv6: bool = False) -> list[File]:
    """BIRD for IPv4 (and for IPv6), and a process in confd's place, with the environment of calico-node's container.

    Nothing is rendered by that process (`confd.py` does it from outside). It is there because on a node confd lives on
    when BIRD is stopped, and BIRD's configuration is seen through it.
    """
    files = []
    for name in calico_services(ipv6=ipv6):
        log = {"bird": BIRD_LOG, "bird6": f"{BIRD_LOG}6"}.get(name, "")
        files += service(name, calico_run(name, environment), log)
    return files


def felix(environment: Mapping[str, str]) -> list[File]:
    """A process in Felix' place where calico-node runs no BIRD; what Felix writes, the lab's controller does."""
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    run = (
        "#!/bin/sh\nexec 2>&1\nmkdir -p /run/calico-node\ncp /usr/bin/sleep /run/calico-node/calico-felix\n"
        f"exec env -i {variables} /run/calico-node/calico-felix infinity\n"
    )
    return service("felix", run)


def calico_services(*, ipv6: bool) -> tuple[str, ...]:
    """The services of calico-node's container that the lab runs."""
    return ("bird", "bird6", "confd") if ipv6 else ("bird", "confd")


def calico_run(name: str, environment: Mapping[str, str]) -> str:
    """The `run` script of a service of calico-node's container."""
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
    show = f"mount --bind {CONTAINER_ROOT}/etc/calico /etc/calico"
    start = {
        "bird": "exec bird -R -s /var/run/calico/bird.ctl -d -c /etc/calico/confd/config/bird.cfg",
        "bird6": "exec bird6 -R -s /var/run/calico/bird6.ctl -d -c /etc/calico/confd/config/bird6.cfg",
        # A process has the name of the file that it was started from.
        "confd": "exec /run/calico-node/confd infinity",
    }
    return (
        "#!/bin/sh\n"
        "exec 2>&1\n"
        "mkdir -p /run/calico /run/calico-node\n"
        + ("cp /usr/bin/sleep /run/calico-node/confd\n" if name == "confd" else "")
        + f"exec env -i {variables} \\\n"
        f"  unshare --mount sh -c '{show} && {start[name]}'\n"
    )


def router(configuration: str) -> list[File]:
    """BIRD as a router outside the cluster runs it."""
    run = "#!/bin/sh\nexec 2>&1\nmkdir -p /run/bird\nexec bird -d -s /run/bird/bird.ctl -c /etc/bird/bird.conf\n"
    return [*service("bird", run, "/var/log/bird"), File("/etc/bird/bird.conf", 0o640, configuration)]


def chrony(configuration: str) -> list[File]:
    """chronyd that never touches the clock (`-x`): all machines share the host's."""
    run = "#!/bin/sh\nexec 2>&1\nexec chronyd -x -d -f /etc/chrony/chrony.conf\n"
    return [*service("chronyd", run, "/var/log/chrony"), File("/etc/chrony/chrony.conf", 0o644, configuration)]


def ssh(authorised_key: str, host_key: str) -> list[File]:
    """sshd on port 22, key login for root only."""
    configuration = (
        "HostKey /etc/ssh/ssh_host_ed25519_key\n"
        "PermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\n"
        "UsePAM no\n"
        "UseDNS no\n"
        "PrintMotd no\n"
        "MaxStartups 100:30:200\n"
        # What shifts the clock (faults/clock_skew.py) shall leave the one alone that only ever counts.
        "SetEnv FAKETIME_DONT_FAKE_MONOTONIC=1\n"
        "Subsystem sftp /usr/lib/openssh/sftp-server\n"
    )
    run = "#!/bin/sh\nexec 2>&1\nmkdir -p /run/sshd\nexec /usr/sbin/sshd -D -e\n"
    return [
        *service("sshd", run, "/var/log/sshd"),
        File("/etc/ssh/sshd_config", 0o644, configuration),
        File("/etc/ssh/ssh_host_ed25519_key", 0o600, host_key),
        File("/root/.ssh/authorized_keys", 0o600, authorised_key),
    ]
