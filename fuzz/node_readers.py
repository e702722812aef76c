# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the readers are called that ask a kernel or a daemon, or read several files: somebody answers them who says
whatever the fuzzer wants."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fuzz.readers import NOW, _plain, titled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PEERS = ("10.200.0.10", "fd00:200::10")
_UNTIL = 1e12


# --- the kernel ---


class Kernel:
    """Stands in for netlink.Netlink: every question is answered with the same messages."""

    def __init__(self, data: bytes) -> None:
        from ansible_collections.netmedic.calico.plugins.module_utils._host import netlink

        self._messages = [(kind, body) for kind, _flags, _sequence, body in netlink.split(data)]
        # What is cut short comes, too, for a length that lies does not end a message.
        self._messages.append((16, data[:64]))

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def dump(self, kind: int, _body: bytes = b"") -> list[tuple[int, bytes]]:
        """Return the messages, those of an unknown kind as what was asked for."""
        new = {18: 16, 22: 20, 26: 24, 30: 28, 34: 32, 82: 80}.get(kind, kind)
        return [(one if one == new else new, body) for one, body in self._messages]

    def ask(self, _kind: int, bodies: Sequence[bytes]) -> list[bytes | int]:
        """Return one message for each question, and an error where there are none left."""
        told: list[bytes | int] = [body for _kind, body in self._messages]
        return [told[number] if number < len(told) else 101 for number in range(len(bodies))]


def kernel(data: bytes) -> Any:
    """Let the kernel tell of interfaces, addresses, neighbours, routes and settings."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import (
        forwarding,
        links,
        neighbours,
        other_routes,
        route_table,
        routes,
        rules,
        tunnels,
    )

    told: Any = Kernel(data)
    network = links.read(told)
    names = {number: link.name for number, link in network.links.items()}
    found: list[Any] = [network.addresses, neighbours.states(told, _PEERS), forwarding.read(told, names, "/dev/null")]
    found.append(routes.look_up(told, _PEERS, network))
    for family in ("ipv4", "ipv6"):
        found.append(route_table.summary(route_table.read(told, family, network), network, _PEERS))
        found += [rules.read(told, family), routes.has_rules(told, family), other_routes.read(told, family, network)]
    found += [tunnels.vxlan(told, link) for link in list(network.links.values())[:4]]
    return found


def kernel_sockets(data: bytes) -> Any:
    """Let the kernel tell of TCP sockets."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import kernel_modules, tcp_diag

    there = _replaced(kernel_modules, present=lambda *_names: True)
    with _replaced(tcp_diag, Netlink=lambda **_options: Kernel(data)), there:
        return tcp_diag.read({179})


def kernel_chains(data: bytes) -> Any:
    """Let the kernel tell of nf_tables' chains, and which of their rules iptables-save cannot show."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_foreign, nft_kernel

    bodies = [body for _kind, body in Kernel(data).dump(0)]
    with _replaced(nft_kernel, dump=lambda *_question: bodies):
        return nft_kernel.base_chains(), nft_foreign.foreign_rules("ip", "filter", "INPUT")


@contextmanager
def _replaced(module: Any, **others: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in others}
    try:
        for name, other in others.items():
            setattr(module, name, other)
        yield
    finally:
        for name, other in before.items():
            setattr(module, name, other)


def wireguard_peers(data: bytes) -> Any:
    """Let the kernel tell of a WireGuard device's peers."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import wireguard

    return [wireguard.parse(body) for _kind, body in Kernel(data).dump(0)]


def flannel(data: bytes) -> Any:
    """Read flannel's settings and its log."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log, overlay

    text = _plain(data)
    return overlay._networks(text), calico_log.parse_flannel(text, NOW)


def probe_answer(data: bytes) -> Any:
    """Read a TCP header that came back, and what an error message of netlink's says."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import netlink
    from ansible_collections.netmedic.calico.plugins.module_utils._probe import transport

    return transport.parse_tcp(data), netlink.errno_of(data)


# --- daemons ---


class Ntpd:
    """Stands in for a socket to ntpd: each packet it sends stands after two bytes of its length."""

    def __init__(self, data: bytes) -> None:
        self._packets: list[bytes] = []
        while data:
            length = struct.unpack(">H", data[:2].rjust(2, b"\0"))[0] & 0x3FF
            self._packets.append(data[2 : 2 + length])
            data = data[2 + length :]
        self._packets.reverse()
        self._question = b""

    def settimeout(self, _seconds: float) -> None:
        """Nobody waits here."""

    def send(self, packet: bytes) -> None:
        """Take a question."""
        self._question = packet

    def recv(self, _most: int) -> bytes:
        """Return the next packet, with the question's own number in it. Raises OSError if there are no more."""
        if not self._packets:
            raise TimeoutError("nothing more")
        packet = bytearray(self._packets.pop())
        packet[2:4] = self._question[2:4]
        return bytes(packet)


def ntpd_answer(data: bytes) -> Any:
    """Let ntpd answer over its port."""
    from ansible_collections.netmedic.calico.plugins.module_utils._clock import ntp_control, ntpd

    told: Any = Ntpd(data)
    try:
        report = ntp_control._report(told, _UNTIL)
    except OSError:
        return None
    return report, ntpd._described(report.variables, report.sources, report.reachable)


# --- files ---


def cni_mtu(data: bytes) -> Any:
    """Read the MTU in a CNI configuration, and where it breaks off."""
    from ansible_collections.netmedic.calico.plugins.module_utils._facts import mtu
    from ansible_collections.netmedic.calico.plugins.module_utils._host import cni

    return mtu.parse_cni(_plain(data)), cni.unread_of(_plain(data))


def kubeconfig_certificate(data: bytes) -> Any:
    """Take the certificate out of a kubeconfig and read it."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import certificates, x509

    return x509.parse_pem(certificates._embedded(_plain(data)))


def hosts_file(data: bytes) -> Any:
    """Look a name up in /etc/hosts."""
    from ansible_collections.netmedic.calico.plugins.module_utils._facts import addresses

    return addresses.in_hosts("node-1", _plain(data))


def ini_exclusion(data: bytes) -> Any:
    """Ask what NetworkManager's settings, and networkd's, leave out."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import network_managers

    text = _plain(data)
    return network_managers.excluded(text[:4096], "cali0123456789a"), network_managers.takes_ours(text)


def ufw_boot(data: bytes) -> Any:
    """Put the rules together that ufw loads at boot; every file of its is the same text."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import iptables_save, ufw

    def read(_path: str) -> str:
        return _plain(data)

    made = [ufw.boot_rules(read, family) for family in ("ipv4", "ipv6")]
    return ufw.is_enabled(read), [len(iptables_save.parse(text).tables) for text in made]


def firewalld_folder(data: bytes) -> Any:
    """Read firewalld's folders: each "==> path <==" begins a file, any other text is every file."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import firewalld_files, nft_script

    text = _plain(data)
    files = titled(text)

    def read(path: str) -> str:
        # A service that is another's text again would make much out of little, which no folder does.
        return files.get(path.lstrip("/"), "") if files or "/services/" in path else text

    def names(folder: str) -> list[str]:
        start = folder.lstrip("/") + "/"
        return [path[len(start) :] for path in files if path.startswith(start)] if files else ["a.xml", "b.xml"]

    script = firewalld_files.Configuration(read, names).script()
    return len(script), nft_script.parse(script, lambda _pattern: []).problems


def kernel_configuration(data: bytes) -> Any:
    """Look into a kernel's configuration, packed or not."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import kernel_features

    with _replaced(kernel_features, read_bytes=lambda path, limit: data[:limit] if path.endswith(("gz", "s")) else b""):
        return kernel_features.missing(["vxlan", "ip_set"], "6.1.0", "/dev/null", "/dev/null")


def address_method(data: bytes) -> Any:
    """Re-run what IP_AUTODETECTION_METHOD says."""
    from ansible_collections.netmedic.calico.plugins.module_utils._address import autodetect

    held = [("eth0", autodetect.Held("10.200.0.9", 24)), ("docker0", autodetect.Held("fd00:200::9", 64))]
    host = autodetect.Host(autodetect.interfaces(["lo", "eth0", "docker0", "cali0123456789a"], held))
    return [autodetect.detect(_plain(data), family, host) for family in ("ipv4", "ipv6")]


def tunnels_of_text(data: bytes) -> Any:
    """Read how `ip -d link` says that VXLAN devices are set up."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import tunnels

    return tunnels.vxlans(_plain(data))


def messages_of_probes(data: bytes) -> Any:
    """Read what probes say in events, and the lines of a log one by one."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kubectl_events, log

    return list(kubectl_events.messages(_plain(data))), list(log.entries(_plain(data)))


def sysctl_settings(data: bytes) -> Any:
    """Read what sysctl prints and ask it for forwarding."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import forwarding
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import sysctl

    settings = forwarding.from_sysctl(sysctl.parse(_plain(data)).value)
    return settings, [
        (forwarding.not_forwarding(one, one), forwarding.filtering(one, one)) for one in settings.values()
    ]


# --- what the script for nodes without Python prints ---

MARK = "-" + "0123456789abcdef" * 2


def script_output(data: bytes) -> Any:
    """Cut the script's output and put the node's facts together from it."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node

    output = script.cut(_plain(data), MARK, {"peers": list(_PEERS)})
    return output, sorted(node.facts(output.texts, "node-1", NOW))


def told(data: bytes) -> Any:
    """Read raw-node.txt and files.txt, the one out of which processes are made and the one with files."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node_told, told_files

    text = _plain(data)
    table = node_told.process_table(node_told.Told(text), {"processes.txt": text})
    files = told_files.ToldFiles(text)
    seen = [(one.pid, one.comm, one.argv, one.state, one.ppid, one.container) for one in table]
    return seen, files.left_out, files.names("/etc"), len(files.matching("/etc/*")), files.leads_to("/etc/a")


def without_secrets(data: bytes) -> Any:
    """Cut the secrets out of a text."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import redact

    text = _plain(data)
    return len(redact.redacted("bird.cfg", text)), len(redact.redacted("files.txt", text))


def speaker_log(data: bytes) -> Any:
    """The log of another speaker on the node."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import speaker_log as reader

    return reader.facts({"speaker.log": data.decode("utf-8", "replace")})


def bird_kept(data: bytes) -> Any:
    """The log of a BIRD that reads its configuration anew."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import bird_kept as reader

    return reader.facts({"bird.log": data.decode("utf-8", "replace")})


def bgp_capture(data: bytes) -> Any:
    """A capture, as far as it is about BGP."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import bgp_capture as reader
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import tcpdump

    return reader.conversations(tcpdump.parse(data.decode("utf-8", "replace")).value.packets)


def packet_log(data: bytes) -> Any:
    """A kernel's log, as far as it tells of packets that were stopped."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import packet_log as reader

    texts = {"dmesg.log": data.decode("utf-8", "replace")}
    return reader.facts(texts), reader.of_pods(texts)
