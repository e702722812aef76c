# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._probe import echo, loop, reach, syn

LISTENER = """
import socket, sys, time
for address in sys.argv[1:]:
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    opened.bind((address, 179))
    opened.listen(64)
    globals()["keep" + address] = opened
print("listening", flush=True)
opened.settimeout(0.2)
while True:
    for each in [value for name, value in globals().items() if name.startswith("keep")]:
        each.settimeout(0.1)
        try:
            each.accept()
            print("accepted", flush=True)
        except OSError:
            pass
"""


def probe(targets, timeout=0.6, rate=1000.0):
    prober = syn.SynProber([syn.SynTarget(*target) for target in targets], timeout, rate)
    began = time.monotonic()
    finished = loop.run([prober], 10.0)
    return prober.results, finished, time.monotonic() - began


def ask(host, *targets, **options):
    results, finished, _seconds = host.call(lambda: probe(targets, **options))
    assert finished
    return results


def listen(wires, host, *addresses):
    process = wires.keep(
        host.start(sys.executable, "-c", LISTENER, *addresses, stdout=subprocess.PIPE, universal_newlines=True)
    )
    assert process.stdout.readline() == "listening\n"
    return process


@pytest.mark.parametrize(("source", "peer"), [("10.77.0.9", "10.77.0.10"), ("fd77::9", "fd77::a")])
def test_open_and_closed_ports_are_told_apart(wires, pair, source, peer):
    one, two = pair
    process = listen(wires, two, peer)

    results = ask(one, (peer, 179, source), (peer, 180, source), (peer, 181))

    assert [result.result for result in results] == ["open", "reset", "reset"]
    assert [result.source for result in results] == [source] * 3
    process.kill()
    assert "accepted" not in process.stdout.read()


@pytest.mark.parametrize(("source", "peer"), [("10.77.0.9", "10.77.0.10"), ("fd77::9", "fd77::a")])
def test_nothing_is_left_half_open(wires, pair, source, peer):
    """The kernel itself resets the answer, because no socket waits for it."""
    one, two = pair
    listen(wires, two, peer)

    for _repeat in range(20):
        assert ask(one, (peer, 179, source))[0].result == "open"

    assert two.half_open() == 0
    assert one.half_open() == 0


@pytest.mark.parametrize(
    ("program", "answer", "source", "peer", "kind", "code"),
    [
        ("iptables", "icmp-port-unreachable", "10.77.0.9", "10.77.0.10", 3, 3),
        ("iptables", "icmp-host-prohibited", "10.77.0.9", "10.77.0.10", 3, 10),
        ("iptables", "icmp-admin-prohibited", "10.77.0.9", "10.77.0.10", 3, 13),
        ("ip6tables", "icmp6-port-unreachable", "fd77::9", "fd77::a", 1, 4),
        ("ip6tables", "icmp6-adm-prohibited", "fd77::9", "fd77::a", 1, 1),
    ],
)
def test_a_rejection_comes_with_sender_type_and_code(needs, pair, program, answer, source, peer, kind, code):
    needs(program)
    one, two = pair
    two.run(program, "-A", "INPUT", "-p", "tcp", "--dport", "179", "-j", "REJECT", "--reject-with", answer)

    (result,) = ask(one, (peer, 179, source))

    assert (result.result, result.sender, result.icmp_type, result.icmp_code) == ("rejected", peer, kind, code)


def test_a_reset_by_a_rule_is_a_reset(needs, pair):
    needs("iptables")
    one, two = pair
    two.run("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "179", "-j", "REJECT", "--reject-with", "tcp-reset")

    assert ask(one, ("10.77.0.10", 179, "10.77.0.9"))[0].result == "reset"


def test_a_router_between_that_rejects_is_named(wires, needs):
    needs("iptables")
    one, router, two = (wires.host(name) for name in ("one", "rt", "two"))
    wires.join(one, router, ("10.77.1.9", "10.77.1.254", 24))
    wires.join(router, two, ("10.77.2.254", "10.77.2.10", 24))
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    one.run("ip", "route", "add", "default", "via", "10.77.1.254")
    two.run("ip", "route", "add", "default", "via", "10.77.2.254")
    router.run("iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "179", "-j", "REJECT")

    (result,) = ask(one, ("10.77.2.10", 179, "10.77.1.9"))

    assert (result.result, result.sender, result.icmp_type, result.icmp_code) == ("rejected", "10.77.1.254", 3, 3)


@pytest.mark.parametrize(
    ("program", "source", "peer"), [("iptables", "10.77.0.9", "10.77.0.10"), ("ip6tables", "fd77::9", "fd77::a")]
)
def test_a_dropped_syn_is_silent_and_a_rule_of_our_own_an_error(needs, pair, program, source, peer):
    needs(program)
    one, two = pair
    two.run(program, "-A", "INPUT", "-p", "tcp", "--dport", "179", "-j", "DROP")
    assert ask(one, (peer, 179, source))[0].result == "silent"

    one.run(program, "-A", "OUTPUT", "-p", "tcp", "--dport", "179", "-j", "DROP")
    (result,) = ask(one, (peer, 179, source))

    assert result.result == "error"
    assert "OUTPUT" in result.detail


@pytest.mark.parametrize(
    ("route", "says"),
    [([], "no route"), (["unreachable"], "unreachable"), (["prohibit"], "prohibited"), (["blackhole"], "blackhole")],
)
def test_what_does_not_leave_this_host_is_an_error_that_says_why(pair, route, says):
    one, _two = pair
    if route:
        one.run("ip", "route", "add", *route, "192.0.2.0/24")

    (result,) = ask(one, ("192.0.2.1", 179, "10.77.0.9"))

    assert result.result == "error"
    assert says in result.detail


def test_a_source_address_that_is_not_ours_is_an_error_and_spoils_no_other_target(wires, pair):
    one, two = pair
    listen(wires, two, "10.77.0.10")

    wrong, right = ask(one, ("10.77.0.10", 180, "10.77.0.99"), ("10.77.0.10", 179, "10.77.0.9"))

    assert wrong.result == "error"
    assert "10.77.0.99 is not on this host" in wrong.detail
    assert right.result == "open"


def test_the_source_address_may_be_left_to_the_kernel(wires, pair):
    """It may then be another one for each peer, and for some there is none."""
    one, _two = pair
    third = wires.host("third")
    wires.join(one, third, ("10.88.0.9", "10.88.0.10", 24))

    results = ask(one, ("10.77.0.10", 179), ("10.88.0.10", 179), ("192.0.2.1", 179), ("fd77::a", 179))

    assert [(result.result, result.source) for result in results] == [
        ("reset", "10.77.0.9"),
        ("reset", "10.88.0.9"),
        ("error", ""),
        ("reset", "fd77::9"),
    ]
    assert "no route" in results[2].detail


def test_a_dead_neighbour_is_told_from_a_silent_one_once_arp_has_given_up(pair):
    one, _two = pair

    (result,) = ask(one, ("10.77.0.77", 179, "10.77.0.9"), timeout=4.0)

    assert (result.result, result.sender) == ("error", "10.77.0.9")
    assert "ARP" in result.detail


SIGNED_LISTENER = """
import socket, struct, sys, time
opened = socket.socket()
key = struct.pack("=HH4s120s", socket.AF_INET, 0, socket.inet_aton(sys.argv[2]), b"")
opened.setsockopt(socket.IPPROTO_TCP, 14, key + struct.pack("=BBHI80s", 0, 0, 6, 0, b"secret"))
opened.bind((sys.argv[1], 179))
opened.listen(4)
print("listening", flush=True)
time.sleep(60)
"""


def test_a_listener_with_a_password_for_us_is_silent_and_counts(wires, pair):
    """Why peers with a password get no probe: the count would speak of a password mismatch that is none."""
    one, two = pair
    listener = two.start(
        sys.executable,
        "-c",
        SIGNED_LISTENER,
        "10.77.0.10",
        "10.77.0.9",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    wires.keep(listener)
    if listener.stdout.readline() != "listening\n":
        pytest.skip(f"no TCP MD5 in this kernel: {listener.stderr.read()[-100:]}")
    before = md5_not_found(two)

    assert ask(one, ("10.77.0.10", 179, "10.77.0.9"))[0].result == "silent"

    assert md5_not_found(two) > before


def md5_not_found(host):
    names, values = [
        line.split() for line in host.run("cat", "/proc/net/netstat").splitlines() if line.startswith("TcpExt:")
    ]
    return int(values[names.index("TCPMD5NotFound")])


def test_a_thousand_silent_targets_are_probed_in_one_go(needs, pair):
    """It takes 2.5 s by the clock of test_loop; a busy machine may need longer."""
    needs("iptables")
    one, two = pair
    one.run("ip", "route", "add", "10.78.0.0/16", "via", "10.77.0.10")
    two.run("ip", "route", "add", "local", "10.78.0.0/16", "dev", "lo")
    two.run("iptables", "-A", "INPUT", "-p", "tcp", "--dport", "179", "-j", "DROP")
    targets = [(f"10.78.{number // 250}.{number % 250 + 1}", 179, "10.77.0.9") for number in range(1000)]

    results, finished, seconds = one.call(lambda: probe(targets, timeout=1.0))

    assert finished
    assert Counter(result.result for result in results) == {"silent": 1000}
    assert 2.4 < seconds < 9.0


def test_the_rate_is_kept(needs, pair):
    needs("iptables")
    one, two = pair
    two.run("iptables", "-A", "INPUT", "-p", "tcp", "-j", "DROP")
    targets = [("10.77.0.10", port, "10.77.0.9") for port in range(1000, 1050)]

    _results, finished, seconds = one.call(lambda: probe(targets, timeout=0.2, rate=100.0))

    assert finished
    assert seconds > 2 * 50 / 100.0 - 0.2  # each target is asked twice


def test_answers_end_the_wait(pair):
    one, _two = pair
    targets = [("10.77.0.10", port, "10.77.0.9") for port in range(1000, 1500)]

    results, finished, seconds = one.call(lambda: probe(targets, timeout=9.0, rate=100000.0))

    assert finished
    assert Counter(result.result for result in results) == {"reset": 500}
    assert seconds < 4.0


def test_without_the_privilege_there_is_a_sentence_and_no_crash(pair):
    one, _two = pair

    def look():
        sources = Sources()
        seen = reach.look([reach.Target("10.77.0.10", 179, "10.77.0.9")], None, None, sources, reach.Manner())
        return seen, sources.as_list()

    seen, sources = one.call(look, user=65534)

    assert seen.probes == []
    assert seen.reachability == [{"peer": "10.77.0.10", "echo": "not_tried"}]
    assert {entry["source"]: entry["status"] for entry in sources} == {"echoes": "failed", "probes": "failed"}
    assert "CAP_NET_RAW" in sources[0]["detail"]


def test_a_probe_leaves_one_tracked_connection_that_ends_by_itself(needs, wires, pair):
    needs("iptables")
    one, two = pair
    one.run("iptables", "-A", "OUTPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
    if not one.run("cat", "/proc/net/nf_conntrack", check=False) and one.run("ls", "/proc/net").find("conntrack") < 0:
        pytest.skip("this kernel does not list tracked connections")
    listen(wires, two, "10.77.0.10")

    assert ask(one, ("10.77.0.10", 179, "10.77.0.9"))[0].result == "open"

    tracked = [line for line in one.run("cat", "/proc/net/nf_conntrack").splitlines() if "dport=179" in line]
    assert len(tracked) == 1
    assert " CLOSE " in tracked[0]
    assert int(tracked[0].split()[4]) <= 10


def echoes(targets, timeout):
    prober = echo.EchoProber(targets, timeout, 1000.0)
    assert loop.run([prober], 5.0)
    return prober.results


def test_echoes_are_answered_silent_or_unreachable(needs, pair):
    needs("iptables")
    one, two = pair
    two.run("ip", "addr", "add", "10.77.0.11/24", "dev", "two-one")
    two.run("iptables", "-A", "INPUT", "-d", "10.77.0.11", "-j", "REJECT", "--reject-with", "icmp-host-prohibited")
    targets = [
        ("10.77.0.10", "10.77.0.9"),
        ("10.77.0.10", "10.77.0.99"),
        ("10.77.0.77", ""),
        ("10.77.0.11", ""),
        ("192.0.2.1", ""),
        ("fd77::a", "fd77::9"),
        ("fd77::77", ""),
    ]

    # The first two name one peer from two addresses; only the last such is matched.
    results = one.call(echoes, targets[1:], 0.5)

    assert results == ["answered", "silent", "unreachable", "unreachable", "answered", "silent"]


def test_all_that_is_known_of_a_peer_comes_together(pair):
    one, _two = pair
    one.run("ip", "route", "add", "blackhole", "198.51.100.0/24")

    def look():
        from ansible_collections.netmedic.calico.plugins.module_utils._host import links, netlink

        with netlink.Netlink() as connection:
            peers = ("10.77.0.10", "10.77.0.77", "10.77.0.9", "192.0.2.1", "198.51.100.1", "nonsense")
            targets = [reach.Target(peer, 179, "10.77.0.9", peer == "10.77.0.77") for peer in peers]
            return reach.look(targets, connection, links.read(connection), Sources(), reach.Manner(0.5))

    seen = one.call(look)

    assert {probe["peer"]: probe["result"] for probe in seen.probes} == {
        "10.77.0.10": "reset",
        "10.77.0.9": "reset",
        "192.0.2.1": "error",
        "198.51.100.1": "error",
        "10.77.0.77": "not_tried",
    }
    found = {entry.pop("peer"): entry for entry in seen.reachability}
    way = {"route": "one-two", "source": "10.77.0.9", "on_link": True}
    assert found["10.77.0.10"] == dict(way, neighbour="reachable", echo="answered")
    assert found["10.77.0.77"]["neighbour"] in ("incomplete", "failed")
    assert found["10.77.0.77"]["echo"] == "silent"
    assert found["10.77.0.9"]["route_kind"] == "local"
    assert found["192.0.2.1"] == {"route_kind": "none", "echo": "unreachable"}
    assert found["198.51.100.1"] == {"route_kind": "blackhole", "echo": "unreachable"}
