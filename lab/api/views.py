# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object as the client asked for it: under a served version, or as Calico's own API server shows what is kept under
crd.projectcalico.org. Pure.

Calico keeps the metadata of its v3 objects that Kubernetes would change in an annotation, which the view takes back.
Source: calico, libcalico-go/lib/backend/k8s/resources/resources.go.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .entry import encoded

if TYPE_CHECKING:
    from .entry import Entry, Object
    from .kinds import Kind

ANNOTATION = "projectcalico.org/metadata"
# Written back through the view, they are the object's own from then on.
_RESTORED = ("labels", "annotations")


def encode(entry: Entry, kind: Kind, version: str) -> bytes:
    """The whole object as JSON."""
    if kind.stored_as and ANNOTATION.encode() in entry.metadata:
        return encoded(shown(entry.object(), kind, version))
    return entry.json(kind, version)


def listed(entry: Entry, kind: Kind, version: str) -> bytes:
    """The object as an item of a list: typed lists name their kind only once."""
    return encode(entry, kind, version) if kind.custom else entry.body()


def decode(entry: Entry, kind: Kind, version: str) -> Object:
    """The object as a dict that belongs to the caller."""
    return shown(entry.object(), kind, version)


def shown(obj: Object, kind: Kind, version: str) -> Object:
    """A stored object as `kind`; changes `obj`."""
    obj["apiVersion"], obj["kind"] = kind.api_version_of(version), kind.kind
    annotations = obj["metadata"].get("annotations") or {}
    if kind.stored_as and ANNOTATION in annotations:
        text = annotations.pop(ANNOTATION)
        if not annotations:
            del obj["metadata"]["annotations"]
        obj["metadata"].update({key: value for key, value in _kept(text).items() if key in _RESTORED and value})
    return obj


def _kept(text: str) -> Object:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
