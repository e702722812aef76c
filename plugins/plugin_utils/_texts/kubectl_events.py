# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl get events` (columns of all releases), `kubectl events`, and the section Events of `kubectl describe`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from . import columns, lines, readiness, words
from .parsed import Parsed, Problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COUNTED = re.compile(r"(.{1,40}?) \(x(\d{1,9}) over (.{1,40})\)$")
_DESCRIBED = re.compile(r"\s*(?:Type\s+Reason\s+(?:Age|First)|FirstSeen\s+LastSeen\s+Count\s)")
# A row of a description without its head, and glued together as web pages do it.
_BARE = re.compile(
    r"\s*(?P<TYPE>Normal|Warning)\s+(?P<REASON>[A-Z]\w{2,60})\s+"
    r"(?P<AGE>\d{1,6}[smhdy]\w{0,12}(?: \(x\d+ over \w+\))?)\s+"
    r"(?P<FROM>[a-z][\w-]{2,60}(?:, ?[\w.-]{1,253})?)(?:\s+(?P<MESSAGE>.*))?$"
)
_AGE, _AGES = re.compile(r"(\d{1,6})([smhdy])"), re.compile(r"(?:\d{1,6}[smhdy]){1,3}$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 31536000}
# Probes ask every ten seconds.
_LONGER_AGO = 300
_RULER = re.compile(r"\s*-{3,}[\s-]*$")
_TYPES = ("Normal", "Warning")
# Why kubelet does not call its node Ready (pkg/kubelet/status/setters.go): it stands in events, conditions and logs.
NO_NETWORK = "reason:NetworkPluginNotReady message:"
# What kubelet says of a pod that gets no network, without the columns before it (pkg/kubelet/kuberuntime), and what
# client-go puts before a message that stands for many (EventAggregatorByReasonMessageFunc() in tools/record).
SANDBOX = re.compile(r"\W{0,3}(?:combined from similar events\): )?Failed (?:to )?create pod sandbox: \S")


class Event(NamedTuple):
    """One event; what was not printed is ''. `last_seen` and `first_seen` are ages as printed, `object` "pod/NAME" (in
    lower case, '' in a description), `times` how often, `node` the node of the kubelet that speaks where the source
    names it, `not_ready` what calico-node's probes say in it, `source` the program that speaks."""

    namespace: str
    type: str
    reason: str
    object: str
    node: str
    last_seen: str
    first_seen: str
    times: int
    message: str
    not_ready: tuple[readiness.NotReady, ...]
    source: str = ""


def parse(text: str) -> Parsed[tuple[Event, ...]]:
    """Return the events in the order printed. The further lines of a message belong to it."""
    problems = Problems()
    found: list[Event] = []
    head: columns.Head | None = None
    for number, raw in lines.numbered(text):
        line = raw.expandtabs(8)
        if not line.strip() or _RULER.match(line) or line.strip() == "Events:":
            continue
        new_head = _head(line)
        if new_head is not None:
            head = new_head
            continue
        cells = columns.cells(head, line) if head is not None else None
        bare = _BARE.match(line) if head is None else None
        if cells is not None and _is_event(cells):
            found.append(_event(cells))
        elif bare is not None:
            found.append(_event({**bare.groupdict(), "MESSAGE": bare.group("MESSAGE") or ""}))
        elif found and (head is not None or (_is_cut(found[-1]) and readiness.read(line))):
            found[-1] = _longer(found[-1], line)
        elif readiness.read(line) or NO_NETWORK in line or SANDBOX.match(line):
            found.append(_made({"MESSAGE": line.strip()}))
        else:
            problems.add(number, raw, "no event")
    return Parsed(tuple(found), problems.found())


def current(events: Iterable[Event], *, of_one: bool = False) -> list[Event]:
    """Return the events without what a readiness probe said before it said something else: the latest answer of a probe
    is how it is. Where ages are not told, or are about the same, all stay. of_one: all are about one object, which is
    not told with each."""
    found = list(events)
    newest: dict[tuple[str, str], int] = {}
    told = ((number, one) for number, one in enumerate(found) if (one.object or of_one) and _is_readiness(one))
    ages = {number: age for number, one in told if (age := _seconds(one.last_seen)) >= 0}
    for number, age in ages.items():
        key = (found[number].namespace, found[number].object)
        newest[key] = min(age, newest.get(key, age))
    return [
        one
        for number, one in enumerate(found)
        if number not in ages or ages[number] <= newest[(one.namespace, one.object)] + _LONGER_AGO
    ]


def _is_readiness(one: Event) -> bool:
    return one.message.lstrip().startswith("Readiness probe failed")


def _is_cut(one: Event) -> bool:
    """Say whether a probe's answer, of which a log line of calico-node's comes first, is still to come."""
    return one.type in _TYPES and "probe failed: " in one.message and not one.not_ready


def _seconds(age: str) -> int:
    """Return an age as kubectl prints it ("51m", "3h12m", "2d") in seconds, -1 if it is none."""
    parts = _AGE.findall(age) if _AGES.match(age) else []
    return sum(int(number) * _SECONDS[unit] for number, unit in parts) if parts else -1


def messages(text: str) -> Iterator[readiness.NotReady]:
    """Yield all that probes say anywhere in a text."""
    for _number, line in lines.numbered(text):
        yield from readiness.read(line)


def _head(line: str) -> columns.Head | None:
    if _DESCRIBED.match(line):
        found = [(match.group(), match.start()) for match in re.finditer(r"\S+", line)]
        return columns.Head([name.upper() for name, _start in found], [start for _name, start in found])
    head = columns.head_of(line)
    return head if head is not None and {"REASON", "MESSAGE"}.issubset(head.names) else None


def _is_event(cells: dict[str, str]) -> bool:
    return cells.get("TYPE", "Normal") in _TYPES and bool(cells.get("REASON"))


def _event(cells: dict[str, str]) -> Event:
    cells = {name: columns.shown(value) for name, value in cells.items()}
    return _made(cells)


def _made(cells: dict[str, str]) -> Event:
    kind = cells.get("KIND", "")
    target = cells.get("OBJECT", "") or (f"{kind}/{cells.get('NAME', '')}" if kind else "")
    source = cells.get("SOURCE", "") or cells.get("FROM", "")
    last = cells.get("LAST-SEEN") or cells.get("LASTSEEN") or cells.get("AGE", "")
    first = cells.get("FIRST-SEEN") or cells.get("FIRSTSEEN", "")
    count = words.number(cells.get("COUNT", "")) or 1
    counted = _COUNTED.match(last)
    if counted is not None:
        last, first, count = counted.group(1), counted.group(3), int(counted.group(2))
    message = cells.get("MESSAGE", "")
    name, _comma, node = source.partition(",")
    return Event(
        namespace=cells.get("NAMESPACE", ""),
        type=cells.get("TYPE", ""),
        reason=cells.get("REASON", ""),
        object=target.lower() if "/" in target else target,
        node=node.strip() if name == "kubelet" else "",
        last_seen=last,
        first_seen=first,
        times=count,
        message=message[:2000],
        not_ready=tuple(readiness.read(message)),
        source=name.strip(),
    )


def _longer(event: Event, line: str) -> Event:
    if len(event.message) >= 2000:
        return event
    message = f"{event.message}\n{line.strip()}"[:2000]
    return event._replace(message=message, not_ready=tuple(readiness.read(message)))
