# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings of a host's network are to be changed: what its facts say is wrong, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._address.releases import parse_version
from ...module_utils._host.kernel_features import NEEDS
from .._catalogue import host_words
from .._evidence import host_state, plain
from .._evidence.host_state import ALL
from . import host_managers
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .model import Given

    Change = dict[str, Any]

# From this release on Felix does not look at the host's reverse path filter, from that on it switches the offload off.
_NO_RPF_CHECK, _SWITCHES_OFF = (3, 20, 0), (3, 28, 0)
_MENDED = (5, 7)
_LEAST_TRACKED, _MOST_TRACKED = 1 << 17, 1 << 21
_CONNTRACK = "net.netfilter.nf_conntrack_max"
_MODULE_LINES = ("kernel_module", "kernel_lacks")
_WORKLOAD = "cali"
_BGP = 179
# Programs that speak BGP, and the service that starts them.
_SPEAKERS = {
    "bgpd": "frr",
    "bird": "bird",
    "bird6": "bird6",
    "gobgpd": "gobgpd",
    "exabgp": "exabgp",
}
_MARK = "# netmedic.calico host_network\n"


class Host(NamedTuple):
    """The host that is to be changed: its facts, and what of them most parts need, read."""

    name: str
    facts: Mapping[str, Any]
    options: Mapping[str, Any]
    state: host_state.HostState
    release: tuple[int, int, int] | None


def changes(given: Given) -> Decision:
    """Settings, files and services of the host, from its facts; in `says` also what is left to a person."""
    if not given.own:
        return refuse(f"{given.host} told no facts: {given.missing.get(given.host, 'they were not gathered')}")
    wanted = plain.texts(given.options.get("parts")) or tuple(_PARTS)
    unknown = [name for name in wanted if name not in _PARTS]
    if unknown:
        return refuse(f"{unknown[0]!r} is no part of the host's network; there are {', '.join(_PARTS)}")
    release = parse_version(host_words.release_of(given.evidence, given.evidence.nodes.get(given.host)))
    host = Host(given.host, given.own, given.options, host_state.read(given.own), release)
    made: list[Change] = []
    says: list[str] = []
    for name, decide in _PARTS.items():
        if name in wanted:
            for one in decide(host):
                (says if isinstance(one, str) else made).append(one)
    # The last of two about the same thing would be refused; they say the same.
    unique = [one for number, one in enumerate(made) if one not in made[:number]]
    return Decision(unique, says)


def _both(key: str, value: object) -> Iterator[Change]:
    """Now, and at the next boot."""
    yield {"kind": "sysctl", "key": key, "value": str(value)}
    yield {"kind": "saved_sysctl", "key": key, "value": str(value)}


def _of_interface(family: str, interface: str, name: str) -> str:
    """The key of an interface's setting; dots of the interface's own name need the form with slashes (sysctl.d(5))."""
    mark = "/" if "." in interface else "."
    return mark.join(("net", family, "conf", interface, name))


def _forwarding(host: Host) -> Iterator[Change | str]:
    for family, interfaces in host.state.forwarding_off.items():
        if ALL in interfaces:
            # It is passed on to every interface.
            yield from _both("net.ipv4.ip_forward" if family == "ipv4" else "net.ipv6.conf.all.forwarding", 1)
            if family == "ipv6":
                yield (
                    "With IPv6 forwarding the kernel takes no routes from router advertisements by interfaces whose "
                    "accept_ra is 1; set it to 2 where the default route comes that way."
                )
            continue
        for name in interfaces:
            key = _of_interface(family, name, "forwarding")
            # What Felix makes it sets itself when it makes it.
            yield from ([{"kind": "sysctl", "key": key, "value": "1"}] if name.startswith(_WORKLOAD) else _both(key, 1))


def _reverse_path(host: Host) -> Iterator[Change | str]:
    """Loose on those interfaces that are named; for an old Felix not loose for all of them."""
    for name in plain.texts(host.options.get("loose_interfaces")):
        # The greater of an interface's value and that of "all" counts: nothing else has to be changed.
        yield from _both(_of_interface("ipv4", name, "rp_filter"), 2)
    told = host.release
    refuses = _log(host, "rpf_check") or (told is not None and told < _NO_RPF_CHECK)
    if ALL in host.state.loose and refuses:
        yield from _both("net.ipv4.conf.all.rp_filter", host.options.get("rp_filter_all") or 0)
    if host.state.strict and host.state.reverse_path_dropped.grew and not host.options.get("loose_interfaces"):
        yield (
            f"The reverse path filter of {host.name} drops packets. Name the interfaces by which they come in "
            "(host_network_loose_interfaces), or make both directions use one interface."
        )


def _modules(host: Host) -> Iterator[Change | str]:
    found = [*plain.texts(host.options.get("modules")), *modules_named(host.facts)]
    for name in dict.fromkeys(found):
        if name not in host.state.kernel_missing:
            yield from loaded(name)
    if host.state.kernel_missing:
        yield (
            f"The running kernel of {host.name} has no module to load for {', '.join(host.state.kernel_missing)}: "
            "install the package with its extra modules, or boot a kernel whose modules are installed."
        )


def modules_named(facts: Mapping[str, Any]) -> list[str]:
    """Modules that Calico needs and of which its programs say that they are not there."""
    lines = [_text(line) for line in _lines(facts, *_MODULE_LINES)]
    return [name for name in NEEDS if any(re.search(rf"\b{name}\b", line) for line in lines)]


def loaded(name: str) -> Iterator[Change]:
    """A module now and at the next boot."""
    yield {"kind": "module", "module": name}
    path = f"/etc/modules-load.d/netmedic-calico-{name}.conf"
    yield {"kind": "file", "path": path, "content": f"{_MARK}{name}\n", "folder": True}


def _connection_tracking(host: Host) -> Iterator[Change | str]:
    tracking = host.state.tracking
    asked = plain.integer(host.options.get("conntrack_max"))
    if not asked and not (tracking.full and tracking.most):
        return
    most = asked or max(2 * (tracking.most or 0), _LEAST_TRACKED)
    if not asked and most > _MOST_TRACKED:
        yield (
            f"The connection tracking table of {host.name} is full with {tracking.entries} entries. It is not made "
            "larger unseen: find who opens so many connections, or set host_network_conntrack_max."
        )
        return
    if tracking.most is not None and most <= tracking.most and not (asked and asked == tracking.most):
        yield f"{_CONNTRACK} of {host.name} is {tracking.most} already; it is not made smaller."
        return
    yield {"kind": "sysctl", "key": _CONNTRACK, "value": str(most)}
    # Before the module is there the key is not, and what sets it at boot passes it over.
    yield {
        "kind": "file",
        "path": "/etc/modules-load.d/netmedic-calico-nf_conntrack.conf",
        "content": f"{_MARK}nf_conntrack\n",
        "folder": True,
    }
    yield {"kind": "saved_sysctl", "key": _CONNTRACK, "value": str(most)}
    yield f"kube-proxy sets {_CONNTRACK}, too, when it starts (conntrack.maxPerCore, conntrack.min)."


def _managers(host: Host) -> Iterator[Change | str]:
    for name, manager in host.state.managers.items():
        yield from host_managers.left_alone(name, manager, bool(host.options.get("reload", True)))


def _checksums(host: Host) -> Iterator[Change | str]:
    told = plain.mapping(plain.mapping(host.facts.get("calico_node")).get("host"))
    devices = sorted(plain.texts(told.get("checksum_offload")))
    how = host.options.get("checksum_offload") or "auto"
    if not devices or how == "leave" or (how == "auto" and not _needs_it(host)):
        return
    for name in devices:
        yield {"kind": "offload", "device": name, "value": "off"}
    content = f"{_MARK}[Match]\nOriginalName={' '.join(devices)}\n\n[Link]\nTransmitChecksumOffload=no\n"
    yield {"kind": "file", "path": "/etc/systemd/network/10-netmedic-calico.link", "content": content, "folder": True}


def _needs_it(host: Host) -> bool:
    """An old kernel, and a Felix that does not see to it; what is not known counts as new."""
    kernel = re.match(r"(\d+)\.(\d+)", plain.text(plain.mapping(host.facts.get("calico_node")).get("kernel")))
    told = host.release
    old = kernel is not None and tuple(map(int, kernel.groups())) < _MENDED
    return old and told is not None and told < _SWITCHES_OFF


def _daemons(host: Host) -> Iterator[Change | str]:
    """Who else listens where Calico's BIRD does."""
    bgp = plain.mapping(host.facts.get("calico_bgp"))
    known = {plain.mapping(one).get("pid") for one in plain.mapping(bgp.get("daemons")).values()} - {None}
    seen = set()
    for item in plain.mappings(bgp.get("listeners")):
        process, pid = plain.text(item.get("process")), plain.integer(item.get("pid"))
        if not process or pid is None or pid in known or pid in seen or not known or item.get("port") != _BGP:
            continue
        seen.add(pid)
        service = _SPEAKERS.get(process, "")
        if item.get("container") or not service:
            yield f"{process} (process {pid}) listens on port {_BGP} of {host.name}; no service is known to stop it by."
        elif host.options.get("stop_daemons"):
            yield {"kind": "service", "service": service, "run": "stopped", "enabled": False}
        else:
            yield (
                f"{process} (process {pid}) listens on port {_BGP} of {host.name}, which is Calico's. To have the "
                f"service {service} stopped and disabled set host_network_stop_daemons=true."
            )


def _log(host: Host, kind: str) -> list[Mapping[str, Any]]:
    return _lines(host.facts, kind)


def _lines(facts: Mapping[str, Any], *kinds: str) -> list[Mapping[str, Any]]:
    host = plain.mapping(plain.mapping(facts.get("calico_node")).get("host"))
    return [line for line in plain.mappings(host.get("log")) if line.get("kind") in kinds]


def _text(line: Mapping[str, Any]) -> str:
    return plain.text(line.get("text"))


_PARTS: dict[str, Callable[[Host], Iterator[Any]]] = {
    "forwarding": _forwarding,
    "rp_filter": _reverse_path,
    "kernel_modules": _modules,
    "conntrack": _connection_tracking,
    "network_managers": _managers,
    "checksum_offload": _checksums,
    "daemons": _daemons,
}
