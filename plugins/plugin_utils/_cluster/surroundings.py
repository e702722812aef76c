# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds Calico's objects: the operator's, events, Services, ConfigMaps, secrets' names, admission webhooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import metadata
from .given import Given
from .model import ConfigMap, Event, Installation, Secret, Service, Source, TigeraStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .given import Complaints

_STATUSES = ("ok", "absent", "forbidden", "failed", "partial")
_LONGEST_VALUE = 16 * 1024
_SECRET = re.compile(r"password|passwd|secret|token|psk|private|credential", re.IGNORECASE)
OBEYED = ("default", "overlay")
_SLICE_OF = "kubernetes.io/service-name"


def installations(listed: Any, complaints: Complaints) -> Iterator[Installation]:
    """Yield the operator's Installations. It obeys the one called default, and lays the one called overlay over it."""
    found = list(metadata.unique(metadata.objects(listed, "Installation", complaints)))
    for given, name in found:
        if name not in OBEYED:
            given.complain("metadata.name", "is neither default nor overlay; the operator takes no notice of it")
    if len(found) > 1 and not any(name == OBEYED[0] for _given, name in found):
        names = ", ".join(sorted(name for _given, name in found))
        complaints.add(f"There are {len(found)} Installations ({names}), and none of them is called default.")
    for given, name in found:
        spec, status = given.part("spec"), given.part("status")
        yield Installation(
            name=name,
            spec=given.written("spec"),
            computed=status.written("computed"),
            variant=spec.text("variant") or status.text("variant"),
            conditions=metadata.conditions(status),
            meta=metadata.owned(given),
        )


def tigera_statuses(listed: Any, complaints: Complaints) -> Iterator[TigeraStatus]:
    """Yield the states of the operator's components."""
    for given, name in metadata.unique(metadata.objects(listed, "TigeraStatus", complaints)):
        yield TigeraStatus(name, metadata.conditions(given.part("status")))


def config_maps(listed: Any, complaints: Complaints) -> Iterator[ConfigMap]:
    """Yield the ConfigMaps, without values whose names look secret."""
    for given, name in metadata.objects(listed, "ConfigMap", complaints):
        data = given.part("data").raw
        kept = {
            plain.text(key): _lines(value)[:_LONGEST_VALUE]
            for key, value in data.items()
            if isinstance(value, (str, int, float)) and not _SECRET.search(str(key))
        }
        yield ConfigMap(given.part("metadata").text("namespace"), name, kept, metadata.owned(given))


def _lines(value: Any) -> str:
    """A value of several lines, each of which a terminal may show."""
    if isinstance(value, bool):
        return str(value).lower()
    return "\n".join(map(plain.text, value.split("\n"))) if isinstance(value, str) else plain.text(value)


def secrets(listed: Any) -> Iterator[Secret]:
    """Yield what is known of secrets: never a value."""
    for one in plain.mappings(listed):
        name = plain.text(one.get("name"))
        if name:
            yield Secret(
                namespace=plain.text(one.get("namespace")),
                name=name,
                exists=plain.flag(one.get("exists")),
                keys=plain.texts(one.get("keys")),
                readable=plain.flag(one.get("readable")),
                why=plain.text(one.get("why")),
            )


def sources(listed: Any) -> Iterator[Source]:
    """Yield how asking for each kind went."""
    for one in plain.mappings(listed):
        status = plain.text(one.get("status"))
        yield Source(
            source=plain.text(one.get("source")),
            status=status if status in _STATUSES else "failed",
            detail=plain.text(one.get("detail")),
            count=plain.count(one.get("count")),
        )


def events(listed: Any, complaints: Complaints) -> Iterator[Event]:
    """Yield the events, of v1 and of events.k8s.io. They need no name."""
    for number, raw in enumerate(plain.sequence(listed)):
        if isinstance(raw, dict):
            yield _event(Given(raw, f"Event number {number + 1}", complaints))
        else:
            complaints.add(f"Event number {number + 1} is no object.")


def _event(given: Given) -> Event:
    target = given.part("involvedObject" if given.has("involvedObject") else "regarding")
    series, source = given.part("series"), given.part("source" if given.has("source") else "deprecatedSource")
    kind, name = target.text("kind").lower(), target.text("name")
    first = given.time("firstTimestamp") or given.time("deprecatedFirstTimestamp") or given.time("eventTime")
    last = series.time("lastObservedTime") or given.time("lastTimestamp") or given.time("deprecatedLastTimestamp")
    counts = [one for one in (series.integer("count"), given.integer("count"), given.integer("deprecatedCount")) if one]
    node = source.text("host") or (given.text("reportingInstance") if _by_kubelet(given) else "")
    return Event(
        about=f"{kind} {name}".strip(),
        namespace=target.text("namespace") or given.part("metadata").text("namespace"),
        type=given.text("type"),
        reason=given.text("reason"),
        message=given.text("message") or given.text("note"),
        count=max(counts, default=1),
        first_at=first,
        last_at=last or first,
        node=node or (name if kind == "node" else ""),
    )


def _by_kubelet(given: Given) -> bool:
    return "kubelet" in (given.text("reportingComponent"), given.text("reportingController"))


def services(listed: Any, slices: Any, complaints: Complaints) -> Iterator[Service]:
    """Yield the Services, with the addresses behind each from its EndpointSlices."""
    behind = endpoints(slices, complaints)
    for given, name in metadata.objects(listed, "Service", complaints):
        spec = given.part("spec")
        namespace = given.part("metadata").text("namespace")
        addresses = spec.texts("clusterIPs") or tuple(filter(None, (spec.text("clusterIP"),)))
        ports = (one.integer("port") for one in spec.parts("ports"))
        yield Service(
            namespace=namespace,
            name=name,
            cluster_ips=addresses,
            ports=tuple(port for port in ports if port is not None),
            targets=behind.get((namespace, name), ()),
        )


def endpoints(slices: Any, complaints: Complaints) -> Mapping[tuple[str, str], tuple[tuple[str, int, bool, str], ...]]:
    """Return by namespace and name of a Service the addresses behind it: (address, port, ready, node)."""
    found: dict[tuple[str, str], dict[tuple[str, int, bool, str], None]] = {}
    for given, name in metadata.objects(slices, "EndpointSlice", complaints):
        meta = given.part("metadata")
        service = meta.strings("labels").get(_SLICE_OF) or metadata.controller(meta).partition("/")[2] or name
        known = found.setdefault((meta.text("namespace"), service), {})
        ports = [port for port in (one.integer("port") for one in given.parts("ports")) if port is not None]
        for endpoint in given.parts("endpoints"):
            # What is not told counts as ready.
            ready = endpoint.part("conditions").flag("ready") is not False
            for address in endpoint.texts("addresses"):
                known.update(dict.fromkeys((address, port, ready, endpoint.text("nodeName")) for port in ports or [0]))
    return {service: tuple(known) for service, known in found.items()}
