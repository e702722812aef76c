# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what the API told is enough to decide by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Given


def missing(given: Given, *kinds: str) -> str:
    """The sentence that says why the API's objects do not suffice, '' if these kinds of them were all read."""
    cluster = given.evidence.cluster
    if cluster is None:
        return "the Kubernetes API was not asked; set collect_kubeconfig if this host has no kubeconfig"
    if not cluster.reached:
        return f"the Kubernetes API told nothing: {cluster.why or 'it was not reached'}"
    for kind in kinds:
        source = cluster.source(kind)
        if source is None or not cluster.read(kind):
            why = source.detail if source is not None and source.detail else "they were not read"
            return f"the API's {kind} are not known, without which nothing is changed: {why.rstrip('.')}"
    return ""
