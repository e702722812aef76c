# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a host that stand in Calico's way: forwarding, reverse path filters, rules in both backends of iptables,
a network manager that takes pods' interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..machine import SERVICES
from . import pairs, standins
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

# --- forwarding -------------------------------------------------------------------------------------------------------


def _stop_forwarding(case: Case) -> None:
    case.run(["sysctl", "-w", "net.ipv4.ip_forward=0"])


def _forward(case: Case) -> None:
    case.try_run(["sysctl", "-w", "net.ipv4.ip_forward=1"])


def _forwards(case: Case) -> str:
    peer = case.lab.machine(case.peers[0].name)
    done = peer.exec(["ping", "-c1", "-W1", case.node.pod_address], check=False)
    return f"{peer.name} still reaches the pod of {case.target}" if done.returncode == 0 else ""


FORWARDING_OFF = Fault(
    id="ip_forward_off",
    description="the host no longer forwards IPv4: its pods are cut off, its sessions stay",
    inject=_stop_forwarding,
    heal=_forward,
    missing=_forwards,
    default=listener,
    variants=(Variant("sysctl", "net.ipv4.ip_forward=0, as `sysctl --system` sets it from a file"),),
    breaks_sessions=False,
)

# --- reverse path filters ---------------------------------------------------------------------------------------------

_EVERYWHERE = "net.ipv4.conf.all.rp_filter"
# felix/dataplane/linux/int_dataplane.go of Felix 3.17
_REFUSAL = (
    "%t [FATAL][846] felix/int_dataplane.go 1018: Kernel's RPF check is set to 'loose'.  This would allow endpoints to "
    "spoof their IP address.  Calico requires net.ipv4.conf.all.rp_filter to be set to 0 or 1. If you require loose "
    "RPF and you are not concerned about spoofing, this check can be disabled by setting the IgnoreLooseRPF "
    "configuration parameter to 'true'."
)


def _loosen(case: Case) -> None:
    case.undo["rp_filter"] = case.machine.exec(["sysctl", "-n", _EVERYWHERE]).stdout.strip()
    case.run(["sysctl", "-w", f"{_EVERYWHERE}=2"])
    standins.felix_says(case, case.target, _REFUSAL)


def _tighten(case: Case) -> None:
    case.try_run(["sysctl", "-w", f"{_EVERYWHERE}={case.undo.get('rp_filter', 0)}"])
    standins.forget_log(case)


def _made(_case: Case) -> str:
    return ""


LOOSE = Fault(
    id="rp_filter_loose",
    description="rp_filter is loose for all interfaces, and an old Felix says that it does not start with that",
    inject=_loosen,
    heal=_tighten,
    missing=_made,
    default=listener,
    variants=(Variant("all", f"{_EVERYWHERE}=2; Felix' words are those of 3.17"),),
    breaks_sessions=False,
)

_SECOND = "eth0b"


def _caller(case: Case) -> Node:
    """The peer whose packets shall be dropped."""
    return case.peers[-1]


def _answer_elsewhere(case: Case) -> None:
    """A second interface on the same link, by which alone the way to one peer leads; addresses stay on the first."""
    peer, own = _caller(case), case.node
    for name in ("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.arp_ignore"):
        case.undo[name] = case.machine.exec(["sysctl", "-n", name]).stdout.strip()
    case.run(["sysctl", "-w", "net.ipv4.conf.all.arp_ignore=1"])
    case.run(["ip", "link", "add", "link", "eth0", "name", _SECOND, "type", "macvlan", "mode", "bridge"])
    case.run(["ip", "link", "set", _SECOND, "up"])
    # Known beforehand, so that the peer does not learn the new interface's link address from a question.
    case.run(["ip", "neighbour", "replace", peer.address, "lladdr", peer.mac, "dev", _SECOND, "nud", "permanent"])
    case.run(["ip", "route", "add", f"{peer.address}/32", "dev", _SECOND, "src", own.address])
    case.run(["sysctl", "-w", f"{_EVERYWHERE}=1"])
    pairs.reset(case.lab, pairs.between(case.node, [peer]))


def _answer_here(case: Case) -> None:
    case.try_run(["ip", "link", "delete", _SECOND])
    for name in ("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.arp_ignore"):
        case.try_run(["sysctl", "-w", f"{name}={case.undo.get(name) or 0}"])


def _not_dropped(case: Case) -> str:
    peer = _caller(case)
    return pairs.not_down(case, pairs.between(case.node, [peer])) or pairs.not_up(
        case, pairs.between(case.node, [each for each in case.peers if each != peer])
    )


STRICT = Fault(
    id="rp_filter_strict",
    description="the host's way to one peer (the last node) leads by a second interface, and rp_filter is strict",
    inject=_answer_elsewhere,
    heal=_answer_here,
    missing=_not_dropped,
    default=listener,
    variants=(Variant("second-nic", "a macvlan on the same link; what the peer sends is dropped by the kernel"),),
)

# --- both backends of iptables ----------------------------------------------------------------------------------------

_LEGACY, _NFT = "iptables-legacy", "iptables-nft"
_CALICO = (
    "-N cali-FORWARD",
    "-A cali-FORWARD -m mark --mark 0x10000/0x10000 -j ACCEPT",
    "-A FORWARD -m comment --comment cali:wUHhoiAYhphO9Mso -j cali-FORWARD",
)
_PROXY = (
    "-N KUBE-FORWARD",
    "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
    "-A FORWARD -j KUBE-FORWARD",
)


def _spread(case: Case) -> None:
    calico, proxy = (_LEGACY, _NFT) if case.variant == "calico-legacy" else (_NFT, _LEGACY)
    for program, rules in ((calico, _CALICO), (proxy, _PROXY)):
        for rule in rules:
            case.run([program, *rule.split()])


def _gather(case: Case) -> None:
    for program in (_LEGACY, _NFT):
        for chain in ("FORWARD", "cali-FORWARD", "KUBE-FORWARD"):
            case.try_run([program, "-F", chain])
        for chain in ("cali-FORWARD", "KUBE-FORWARD"):
            case.try_run([program, "-X", chain])


BACKENDS = Fault(
    id="iptables_backend_mismatch",
    description="Calico's rules are in one backend of iptables, kube-proxy's in the other one",
    inject=_spread,
    heal=_gather,
    missing=_made,
    default=listener,
    variants=(
        Variant("calico-nft", "Calico in nft, kube-proxy in legacy"),
        Variant("calico-legacy", "Calico in legacy, kube-proxy in nft"),
    ),
    breaks_sessions=False,
)

# --- systemd-networkd -------------------------------------------------------------------------------------------------

_UNIT = "/etc/systemd/network/10-vmware.network"
# Without a device of its own in [Match] such a file takes every interface; here it may not take the lab's own.
_MATCH = "[Match]\nName=cali*\n\n[Network]\nDHCP=ipv4\n"
_SERVICE = f"{SERVICES}/systemd-networkd"
# There is no udev: with a /sys that cannot be written to networkd does not wait for it. runit stands in for systemd;
# the hangup by which it has a service read its files anew ends networkd, which is started again and reads them so.
_RUN = """\
#!/bin/sh
exec >/run/networkd.log 2>&1
exec unshare --mount sh -c 'mount -o remount,ro,bind /sys && exec /lib/systemd/systemd-networkd'
"""


def _manage(case: Case) -> None:
    file = case.machine.file(_UNIT)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_MATCH, encoding="utf-8")
    case.run(["mkdir", "-p", "/run/systemd"])
    staged = case.machine.file("/etc/service/.systemd-networkd/run")
    staged.parent.mkdir(exist_ok=True)
    staged.write_text(_RUN, encoding="utf-8")
    staged.chmod(0o755)
    # Whole at once: runit looks every five seconds.
    staged.parent.rename(case.machine.file(_SERVICE))


def _leave(case: Case) -> None:
    case.try_run(["sv", "exit", _SERVICE])
    case.try_run(["rm", "-rf", _SERVICE, _UNIT, "/run/systemd/netif", "/run/networkd.log"])


def _not_managed(case: Case) -> str:
    states = case.machine.exec(["sh", "-c", "cat /run/systemd/netif/links/*"], check=False).stdout
    return "" if _UNIT in states else f"{case.target}'s networkd has no interface in its hands"


NETWORKD = Fault(
    id="host_network_manager_interference",
    description="systemd-networkd asks for addresses on pods' interfaces",
    inject=_manage,
    heal=_leave,
    missing=_not_managed,
    default=listener,
    variants=(Variant("networkd", "the real one, with a .network file that takes cali*"),),
    breaks_sessions=False,
)
