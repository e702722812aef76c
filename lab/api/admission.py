# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new state of an object goes through before it is stored: webhooks, namespaces, defaults, rules, schemas.

Source: k8s.io/apiserver, pkg/admission/plugin/namespace/lifecycle; kubernetes, pkg/apis/*/validation for what may not
change.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from . import defaults, errors, webhooks

if TYPE_CHECKING:
    from .entry import Object
    from .kinds import Kind
    from .rules.validation import Schemas
    from .store import Store

SERVICE_NETWORK = "10.96.0.0/16"


class Admission:
    """Judges every write to one store. Called while the store is locked."""

    def __init__(self, store: Store, schemas: Schemas | None) -> None:
        self._store = store
        self._schemas = schemas

    def __call__(self, kind: Kind, new: Object, old: Object | None) -> Object:
        """The object to be stored; ApiError if it is refused."""
        if old is None:
            self._check_namespace(kind, new)
        defaults.fill(kind, new)
        if kind.resource == "services":
            self._assign_address(new)
        if self._schemas is not None:
            new, causes = self._schemas.check(kind, new, old)
            if causes:
                raise errors.invalid(kind, new["metadata"]["name"], causes)
        webhooks.check(self._store, "CREATE" if old is None else "UPDATE", kind, new)
        return new

    def _check_namespace(self, kind: Kind, new: Object) -> None:
        if not kind.namespaced:
            return
        name = new["metadata"]["namespace"]
        namespaces = self._store.kinds.find("namespaces")
        found = self._store.peek(namespaces, "", name)
        if found is None:
            raise errors.not_found(namespaces, name)
        if found.terminating:
            why = f"unable to create new content in namespace {name} because it is being terminated"
            message = f"namespace {name} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
            raise errors.forbidden(kind, new["metadata"]["name"], why, [cause])

    def _assign_address(self, service: Object) -> None:
        """A service without an address gets the next free one."""
        spec = service["spec"]
        if not isinstance(spec, dict) or spec.get("clusterIP") or spec.get("type") == "ExternalName":
            return
        kind = self._store.kinds.find("services")
        taken = {each.fields.get("spec.clusterIP") for each in self._store.entries(kind)[0]}
        hosts = ipaddress.ip_network(SERVICE_NETWORK).hosts()
        free = next((str(address) for address in hosts if str(address) not in taken), "")
        spec.update(clusterIP=free, clusterIPs=[free])
