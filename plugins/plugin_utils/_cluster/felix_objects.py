# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix' configuration, host endpoints, and the policies that may apply to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import metadata
from .given import cleaned
from .model import FelixConfiguration, GlobalNetworkPolicy, HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .given import Complaints, Given


def felix_configurations(listed: Any, complaints: Complaints) -> Iterator[FelixConfiguration]:
    """Yield the FelixConfigurations. Felix obeys those called default and node.<name>."""
    for given, name in metadata.unique(metadata.objects(listed, "FelixConfiguration", complaints)):
        if name != "default" and not name.startswith("node."):
            given.complain("metadata.name", "is neither default nor node.<name>; Felix takes no notice of it")
        yield FelixConfiguration(name, given.written("spec"), metadata.owned(given))


def host_endpoints(listed: Any, complaints: Complaints) -> Iterator[HostEndpoint]:
    """Yield the HostEndpoints."""
    for given, name in metadata.unique(metadata.objects(listed, "HostEndpoint", complaints)):
        spec = given.part("spec")
        yield HostEndpoint(
            name=name,
            node=spec.text("node"),
            interface=spec.text("interfaceName"),
            expected_ips=spec.texts("expectedIPs"),
            labels=metadata.labels_of(given),
            profiles=spec.texts("profiles"),
        )


def policies(listed: Any, staged: Any, complaints: Complaints) -> Iterator[GlobalNetworkPolicy]:
    """Yield the GlobalNetworkPolicies, and those that are staged: they are never enforced."""
    for objects, kind in ((listed, "GlobalNetworkPolicy"), (staged, "StagedGlobalNetworkPolicy")):
        for given, name in metadata.unique(metadata.objects(objects, kind, complaints)):
            is_staged = kind.startswith("Staged") or str(given.raw.get("kind", "")).startswith("Staged")
            yield _policy(given, name, not is_staged)


def _policy(given: Given, name: str, enforced: bool) -> GlobalNetworkPolicy:
    spec = given.part("spec")
    ingress, egress = _rules(spec, "ingress"), _rules(spec, "egress")
    types = spec.texts("types")
    if not types:
        # What Calico takes for meant: Ingress always, unless there are rules for Egress only.
        types = tuple(
            word for word, applies in (("Ingress", bool(ingress) or not egress), ("Egress", bool(egress))) if applies
        )
    return GlobalNetworkPolicy(
        name=name,
        selector=spec.text("selector"),
        order=spec.number("order"),
        tier=spec.text("tier") or "default",
        types=types,
        ingress=ingress,
        egress=egress,
        do_not_track=spec.flag("doNotTrack") is True,
        pre_dnat=spec.flag("preDNAT") is True,
        apply_on_forward=spec.flag("applyOnForward") is True,
        enforced=enforced,
    )


def _rules(spec: Given, key: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(plain.mapping(cleaned(one.raw)) for one in spec.parts(key))
