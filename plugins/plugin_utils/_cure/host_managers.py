# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells NetworkManager and systemd-networkd to leave Calico's interfaces and routes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.host_state import Manager

    Change = dict[str, Any]

NETWORK_MANAGER, NETWORKD = "NetworkManager", "systemd-networkd"
INTERFACES = ("cali*", "tunl*", "vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali")
_MARK = "# netmedic.calico host_network\n"
_NM_FILE = "/etc/NetworkManager/conf.d/zz-netmedic-calico.conf"
# "+=" adds to what other files name.
_NM = f"{_MARK}[keyfile]\nunmanaged-devices+={';'.join(f'interface-name:{name}' for name in INTERFACES)}\n"
# The first file that matches an interface is the one that counts, by name.
_UNIT_FILE = "/etc/systemd/network/00-netmedic-calico.network"
_UNIT = f"{_MARK}[Match]\nName={' '.join(INTERFACES)}\n\n[Link]\nUnmanaged=yes\n"
_ROUTES_FILE = "/etc/systemd/networkd.conf.d/zz-netmedic-calico.conf"
_ROUTES = f"{_MARK}[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"


def left_alone(name: str, manager: Manager, reload: bool) -> Iterator[Change | str]:
    """The files and the order to read them, for what the manager has of Calico's, or may take."""
    made = []
    if name == NETWORK_MANAGER and (manager.managed or manager.not_excluded):
        made = [_file(_NM_FILE, _NM)]
    elif name == NETWORKD:
        made += [_file(_UNIT_FILE, _UNIT)] if manager.managed or manager.files else []
        made += [_file(_ROUTES_FILE, _ROUTES)] if manager.removes_foreign_routes else []
    yield from made
    if made and reload:
        yield {"kind": "service", "service": name, "run": "reloaded", "if_changed": True}
    elif made:
        yield f"{name} takes notice of that when it reads its configuration anew."
    if name == NETWORKD and manager.removes_foreign_routes:
        yield f"{name} reads ManageForeignRoutes when it starts, which is when it removes routes; it needs no restart."


def _file(path: str, content: str) -> Change:
    return {"kind": "file", "path": path, "content": content, "folder": True}
