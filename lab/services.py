# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of the lab's machines as runit keeps them: directories under /etc/service/enabled with a `run` script.

BIRD runs as in the calico-node container: same arguments, same environment, restarted by runit, its output with UTC
time stamps in /var/log/calico/bird/current. A container has its own file system, so `/etc/calico/confd` is seen only
through /proc/<pid of BIRD>/root; here BIRD's own mount namespace shows the directory that lies elsewhere on the node.
"""

from __future__ import annotations

from .machine import SERVICES, File

CONTAINER_ROOT = "/opt/calico-node"
BIRD_LOG = "/var/log/calico/bird"
CONFD_LOG = "/var/log/calico/confd"
SOCKET = "/run/calico/bird.ctl"


def service(name: str, run: str, log_directory: str = "") -> list[File]:
    """A service's files; with a log directory, svlogd keeps its output there in UTC."""
    files = [File(f"{SERVICES}/{name}/run", 0o755, run)]
    if log_directory:
        log = f"#!/bin/sh\nmkdir -p {log_directory}\nexec svlogd -ttt {log_directory}\n"
        files.append(File(f"{SERVICES}/{name}/log/run", 0o755, log))
    return files


def bird(node: str) -> list[File]:
    """BIRD for IPv4, and a process in confd's place, with the environment of calico-node's container.

    Nothing is rendered by that process (`confd.py` does it from outside). It is there because on a node confd lives on
    when BIRD is stopped, and BIRD's configuration is seen through it.
    """
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME": node,
        "NODENAME": node,
        "CALICO_NETWORKING_BACKEND": "bird",
        "CLUSTER_TYPE": "k8s,bgp",
        "DATASTORE_TYPE": "kubernetes",
        "IP": "autodetect",
        "CALICO_IPV4POOL_IPIP": "Never",
        "CALICO_IPV4POOL_VXLAN": "Never",
        "FELIX_IPV6SUPPORT": "false",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
    }
    variables = " ".join(f"{key}={value}" for key, value in environment.items())
    show = f"mount --bind {CONTAINER_ROOT}/etc/calico /etc/calico"
    start = {
        "bird": "exec bird -R -s /var/run/calico/bird.ctl -d -c /etc/calico/confd/config/bird.cfg",
        # A process has the name of the file that it was started from.
        "confd": "exec /run/calico-node/confd infinity",
    }
    runs = {
        name: (
            "#!/bin/sh\n"
            "exec 2>&1\n"
            "mkdir -p /run/calico /run/calico-node\n"
            + ("cp /usr/bin/sleep /run/calico-node/confd\n" if name == "confd" else "")
            + f"exec env -i {variables} \\\n"
            f"  unshare --mount sh -c '{show} && {command}'\n"
        )
        for name, command in start.items()
    }
    return [*service("bird", runs["bird"], BIRD_LOG), *service("confd", runs["confd"])]


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
        "Subsystem sftp /usr/lib/openssh/sftp-server\n"
    )
    run = "#!/bin/sh\nexec 2>&1\nmkdir -p /run/sshd\nexec /usr/sbin/sshd -D -e\n"
    return [
        *service("sshd", run, "/var/log/sshd"),
        File("/etc/ssh/sshd_config", 0o644, configuration),
        File("/etc/ssh/ssh_host_ed25519_key", 0o600, host_key),
        File("/root/.ssh/authorized_keys", 0o600, authorised_key),
    ]
