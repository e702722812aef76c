# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the controller share: the store by names of kinds, the lab, the events, the log."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from ..api.errors import ApiError, NotFound
from ..lab import Lab
from .objects import Object, make, now, suffix

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..api.kinds import Kind
    from ..api.store import Event, Store
    from ..state import State


class Context:
    """The store and the lab. Kinds are named by plural; "bgppeers" is Calico's in whichever group is stored."""

    def __init__(self, state: State, store: Store) -> None:
        self.state = state
        self.store = store
        self.lab = Lab(state)
        # The environment of the calico-node containers that run, by node.
        self.environments: dict[str, dict[str, str]] = {}
        self.ended = threading.Event()
        self._versions: dict[str, int] = {}
        store.subscribe(self._told)

    def _told(self, event: Event) -> None:
        self._versions[event.entry.kind.plural] = event.entry.version

    def version(self, plural: str) -> int:
        """The version of the last change to an object of this kind since the start; 0 if there was none."""
        return self._versions.get(plural, 0)

    def kind(self, plural: str) -> Kind:
        """The stored kind of this plural; KeyError if it is not served."""
        return self.store.kinds.storage(self.store.kinds.find(plural))

    def list(self, plural: str, namespace: str = "", **labels: str) -> list[Object]:
        """All objects, or those with these labels; none if the kind is not served."""
        try:
            kind = self.kind(plural)
        except KeyError:
            return []
        wanted = {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
        return self.store.list(kind, namespace, labels=wanted)

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """An object, None if there is none."""
        try:
            return self.store.get(self.kind(plural), namespace, name)
        except NotFound:
            return None

    def create(self, plural: str, obj: Object, manager: str) -> Object:
        """Create an object, admitted like everybody's; ApiError."""
        return self.store.create(self.kind(plural), obj["metadata"].get("namespace", ""), obj, manager=manager)

    def change(
        self, plural: str, obj: Object, change: Callable[[Object], None], manager: str, status: bool = False
    ) -> None:
        """Edit an object that may have gone meanwhile."""
        metadata = obj["metadata"]
        try:
            self.store.mutate(
                self.kind(plural),
                metadata.get("namespace", ""),
                metadata["name"],
                change,
                subresource="status" if status else "",
                manager=manager,
            )
        except NotFound:
            return
        except ApiError as error:
            self.say(f"{manager} cannot change {plural} {metadata['name']}: {error}")

    def update(self, plural: str, obj: Object, fields: Object, manager: str, status: bool = False) -> None:
        """Replace some of the top fields of an object."""
        self.change(plural, obj, lambda found: found.update(fields), manager, status)

    def delete(self, plural: str, obj: Object, grace_seconds: int | None = None) -> None:
        """Delete this very object; one that has gone is no error."""
        metadata = obj["metadata"]
        try:
            self.store.delete(
                self.kind(plural),
                metadata.get("namespace", ""),
                metadata["name"],
                uid=metadata.get("uid", ""),
                grace_seconds=grace_seconds,
            )
        except NotFound:
            return
        except ApiError as error:
            self.say(f"cannot delete {plural} {metadata['name']}: {error}")

    def event(
        self, about: Object, kind: str, reason: str, message: str, component: str, host: str = "", field: str = ""
    ) -> None:
        """Record an event; the same again counts up, as the recorder of Kubernetes' clients does."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        involved = {
            "kind": about["kind"],
            "name": metadata["name"],
            "uid": metadata["name"] if about["kind"] == "Node" else metadata.get("uid", ""),
            "apiVersion": about["apiVersion"],
            **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
            **({"fieldPath": field} if field else {}),
        }
        name = f"{metadata['name']}.{suffix(involved, kind, reason, message, component, length=16)}"
        found = self.get("events", namespace, name)
        if found is not None:
            self.change("events", found, _counted, component)
            return
        source = {"component": component, **({"host": host} if host else {})}
        made = make("v1", "Event", name, namespace, involvedObject=involved, reason=reason, message=message, type=kind)
        made.update({"source": source, "count": 1, "firstTimestamp": now(), "lastTimestamp": now()})
        made.update({"eventTime": None, "reportingComponent": component, "reportingInstance": host})
        try:
            self.create("events", made, component)
        except ApiError as error:
            self.say(f"no event: {error}")

    @staticmethod
    def say(message: str) -> None:
        """A line in the daemon's log."""
        print(f"{time.strftime('%H:%M:%S')} controller: {message}", file=sys.stderr, flush=True)


def _counted(event: Object) -> None:
    event["count"] = int(event.get("count") or 1) + 1
    event["lastTimestamp"] = now()
