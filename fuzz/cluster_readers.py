# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the readers of what the API told are called: objects, tables and descriptions that somebody saved, and facts."""

from __future__ import annotations

import json
from typing import Any

# Each setting whose owner is looked for in another way.
SETTINGS = (
    "autodetection_ipv4",
    "backend",
    "mtu",
    "pools",
    "bgp_configuration/asNumber",
    "bgp_peer/p",
    "felix/ipipMTU",
)
# A text is told by its content; a name decides where that does not.
_NAMES = ("objects.yaml", "nodes.txt", "pods.txt", "events.txt", "describe-pod-a.txt", "calicoctl-get-nodes.txt")


def objects_of_bundle(data: bytes) -> Any:
    """Read a text as one of a bundle's cluster/ files, and all that follows from it."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import from_bundle

    text = data.decode("utf-8", "replace")
    fact = from_bundle.fact({f"cluster/{_NAMES[len(data) % len(_NAMES)]}": text}, text)
    return json.dumps(fact), _concluded(fact)


def tables(data: bytes) -> Any:
    """Read a text as each of the tables and descriptions."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import tables as cluster_tables

    text = data.decode("utf-8", "replace")
    return [sum(1 for _one in read(text)) for read in cluster_tables.READERS.values()]


def objects_of_calico(data: bytes) -> Any:
    """Read a text as objects, whatever it begins with."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import from_bundle

    text = f"apiVersion: v1\nkind: List\nitems:\n- kind: BGPPeer\n{data.decode('utf-8', 'replace')}"
    return _concluded(from_bundle.fact({"cluster/objects.yaml": text}))


def cluster_fact(data: bytes) -> Any:
    """Read a fact calico_cluster."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = None
    return _concluded(told)


def _concluded(fact: Any) -> Any:
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import flavour, objects, owners

    cluster = objects.read(fact)
    found = flavour.summary(flavour.flavour(cluster, {}))
    return len(cluster.malformed), found["bgp_expected"], [owners.owner_of(cluster, one).kind for one in SETTINGS]


def written_value(data: bytes) -> Any:
    """Read a word as each of the values that have a form of their own."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import values, versions

    text = data.decode("utf-8", "replace")
    return (
        values.as_number(text),
        values.address_and_port(text),
        values.address_of_node(text),
        values.network(text),
        values.moment(text),
        versions.release(text),
        versions.of_image(text),
    )
