# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix of pairs says: findings on what is blocked, and the matrix itself for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._preflight.plan import PROCESS
from . import blocked, rules, sizes
from . import ways as all_ways
from .finding import finding, seen
from .reach import TAKEN, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Host, Scene

_CALICO = ("bird", "bird6", "calico-node", "calico-typha", "calico-felix", "flanneld", "runsvdir")
_MOST_TROUBLES = 2000


def findings(scene: Scene) -> list[dict[str, Any]]:
    """All that the probes have found."""
    reach = Reach.of(scene)
    return [
        *_not_taking_part(scene),
        *_ports(scene),
        *_other_runs(scene),
        *rules.with_rules(scene, reach, blocked.findings(reach)),
        *blocked.rewritten(reach),
        *sizes.findings(reach),
        *_not_heard(reach),
    ]


def told(scene: Scene) -> dict[str, Any]:
    """The matrix as the report has it: the hosts, what was probed, how many pairs there are and are open on each way,
    and what is not open, each with prober, listener, way and state."""
    reach = Reach.of(scene)
    pairs = {way: sum(reach.expected(name, way).bit_count() for name in reach.names) for way in reach.every_way}
    open_pairs = dict(pairs)
    troubles: list[dict[str, Any]] = []
    for prober, listener, way, verdict in reach.troubles():
        open_pairs[way] -= 1
        if len(troubles) < _MOST_TROUBLES:
            entry = {"from": prober, "to": listener, "way": way, "state": verdict.state}
            troubles.append({**entry, **({"place": verdict.place} if verdict.place else {})})
    for prober, listener, _one in reach.sizes():
        troubles.append({"from": prober, "to": listener, "way": all_ways.MTU, "state": "blocked", "place": "network"})
    return {
        "hosts": reach.names,
        "addresses": {host.name: list(host.addresses) for host in reach.hosts},
        "ways": {way: {"called": all_ways.called(way), "pairs": pairs[way], "open": open_pairs[way]} for way in pairs},
        "troubles": troubles,
    }


def _not_taking_part(scene: Scene) -> Iterator[dict[str, Any]]:
    """Hosts of which no pair could be probed, and why."""
    for host in scene.hosts.values():
        why = host.why or (str(host.listened.get("problem") or "") if host.listened else _without_listener(scene, host))
        if not why and not host.addresses:
            why = "no address is known by which the others were to reach it; give one in preflight_addresses"
        if not why:
            continue
        yield finding(
            "preflight.host_not_probed",
            "major",
            [host.name],
            f"{host.name} took no part in the probes: {why.rstrip('.')}.",
            "See that no --limit leaves the host out, that Ansible reaches it as root and that it has Python 3.7 or "
            "later, and run preflight again.",
            [f"ansible {host.name} -m ansible.builtin.ping --become"],
            title="A host could not be looked at",
            means="Whether the others reach it, and it them, is not known. A gate that does not know is not passed.",
            verify="The host is in the matrix.",
        )


def _without_listener(scene: Scene, host: Host) -> str:
    node = scene.evidence.nodes.get(host.name)
    if node is not None and node.without_python:
        return "it has no Python 3.7 or later, which the listener and the probes need"
    return "its listener was not started"


def _not_heard(reach: Reach) -> Iterator[dict[str, Any]]:
    """Hosts that listen and have not probed."""
    silent = [name for name in reach.names if len(reach.names) > 1 and not reach.was_asked(name)]
    for name in silent:
        problems = reach.hosts[reach.names.index(name)].probed
        why = str(problems.get("msg") or "; ".join(map(str, problems.get("problems") or ())) or "it did not answer")
        yield finding(
            "preflight.host_not_probed",
            "major",
            [name],
            f"{name} listened and has not probed the others: {' '.join(why.split()).rstrip('.')}.",
            "Run preflight again.",
            title="A host could not be looked at",
            means="What it reaches is not known.",
            verify="The host is in the matrix.",
        )


def _ports(scene: Scene) -> Iterator[dict[str, Any]]:
    """Ports that Calico will want and another program has."""
    for host in scene.hosts.values():
        for one in host.listened.get("ports") or ():
            process = str(one.get("process") or "")
            if process == PROCESS:
                continue
            # A port that nobody's process has is the kernel's: a VXLAN device, as Calico's own would be.
            if one.get("state") != TAKEN or process in _CALICO or not process or one.get("ipv6"):
                continue
            yield _taken(host.name, str(one["protocol"]), int(one["port"]), process, int(one.get("pid") or 0))


def _other_runs(scene: Scene) -> Iterator[dict[str, Any]]:
    """Hosts on which the listener of another run has the ports."""
    for host in scene.hosts.values():
        ports = host.listened.get("ports") or ()
        pids = sorted({int(one.get("pid") or 0) for one in ports if one.get("process") == PROCESS})
        if pids:
            yield finding(
                "preflight.other_run",
                "minor",
                [host.name],
                f"On {host.name} another run of preflight listens (pid {pids[0]}).",
                "Let that run end. If it was killed, its listener ends by itself, after minutes at most; then run "
                "preflight again to see whether another program wants the ports.",
                [f"ps -o pid,etime,comm -p {pids[0]}"],
                evidence=[seen(host.name, "listener", f"{PROCESS} (pid {pids[0]}) has ports that Calico needs")],
                title="Another run of preflight is at work",
                means="The other run's listener has the ports, so that this one cannot have them. The probes work.",
                verify="Preflight has the ports itself.",
            )


def _taken(name: str, protocol: str, port: int, process: str, pid: int) -> dict[str, Any]:
    way = all_ways.called(f"{protocol}{port}")
    fault = "port179_conflict" if (protocol, port) == ("tcp", 179) else "preflight.port_taken"
    more = (
        {}
        if fault == "port179_conflict"
        else {
            "title": "Another program has a port that Calico needs",
            "means": "Calico's own program cannot have the port, and will not start or not work.",
            "verify": "Nothing but Calico listens there.",
        }
    )
    return finding(
        fault,
        "major",
        [name],
        f"On {name} the program {process} (pid {pid}) has {way}, which Calico needs.",
        "Stop that program for good, or give it or Calico another port.",
        [f"ss -Hlnp{protocol[0]} 'sport = :{port}'"],
        where={"node": name, "process": process, "pid": pid, "port": port},
        evidence=[seen(name, "listener", f"{process} (pid {pid}) has {protocol} port {port}")],
        **more,
    )
