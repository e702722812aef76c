# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the nodes are reached: keys, SSH configuration and the Ansible inventory, all in the state directory.

Real SSH, but not over the mesh's network: a fault there must not cut off the diagnosis. `connect` enters a node's
network namespace, connects to 127.0.0.1:22 and hands the open socket to ssh (ProxyUseFdpass), so no process stays in
between.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .state import State
    from .topology import Node

# Read at every connection, by name of address: plain sh and one nsenter, because 50 nodes share two cores.
_CONNECT = """\
#!/bin/sh
# Connect to the SSH port of a lab node: connect NODE-OR-ADDRESS
here='{directory}'
node="$here/nodes/$1"
[ -d "$node" ] || node="$here/addresses/$1"
if read -r pid started 2>/dev/null <"$node/pid" && [ "$started" ] && read -r stat 2>/dev/null <"/proc/$pid/stat"; then
  set -- "$1" ${{stat##*) }}
  shift 20
  if [ "$1" = "$started" ]; then
    exec nsenter -t "$pid" -n -m -r nc -F 127.0.0.1 22
  fi
fi
echo "this node of the lab in $here is not running" >&2
exit 1
"""

_SSH_CONFIG = """\
# Generated for the lab in {directory}: ssh -F {directory}/ssh_config node-1
Host *
  User root
  IdentityFile {directory}/id_ed25519
  IdentitiesOnly yes
  ProxyCommand {directory}/connect %h
  ProxyUseFdpass yes
  HostKeyAlias lab
  UserKnownHostsFile {directory}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  PreferredAuthentications publickey
  LogLevel ERROR
"""


def create(state: State, nodes: Iterable[Node]) -> None:
    """Write keys, `connect`, `ssh_config`, `known_hosts`, the address links and `inventory.yml`."""
    nodes = list(nodes)
    directory = str(state.directory)
    for name in ("id_ed25519", "ssh_host_ed25519_key"):
        _key(state, name)
    state.write_text("known_hosts", "lab " + state.path("ssh_host_ed25519_key.pub").read_text(encoding="ascii"))
    state.write_text("connect", _CONNECT.format(directory=directory), mode=0o700)
    state.write_text("ssh_config", _SSH_CONFIG.format(directory=directory))
    state.write_text("inventory.yml", inventory(directory, nodes), mode=0o644)
    for node in nodes:
        link = state.path("addresses", node.address)
        with suppress(FileExistsError):
            link.symlink_to(f"../nodes/{node.name}")


def inventory(directory: str, nodes: Iterable[Node]) -> str:
    """The Ansible inventory as YAML."""
    hosts = "".join(f"    {node.name}: {{ansible_host: {node.address}}}\n" for node in nodes)
    return f"""\
# Generated for the lab in {directory}
all:
  hosts:
{hosts}  vars:
    ansible_user: root
    ansible_python_interpreter: /usr/bin/python3
    ansible_pipelining: true
    ansible_ssh_common_args: -F {directory}/ssh_config
    ansible_control_path_dir: {directory}/cp
    collect_kubeconfig: {directory}/kubeconfig-netmedic
"""


def keys(state: State) -> tuple[str, str]:
    """(public key that may log in, private host key) as text for a node's files."""
    return (
        state.path("id_ed25519.pub").read_text(encoding="ascii"),
        state.path("ssh_host_ed25519_key").read_text(encoding="ascii"),
    )


def _key(state: State, name: str) -> None:
    path = state.path(name)
    path.unlink(missing_ok=True)
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "netmedic.calico lab", "-f", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise LabError(f"ssh-keygen failed: {done.stderr.strip()}")
