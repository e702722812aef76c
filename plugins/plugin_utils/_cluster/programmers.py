# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which program puts routes to other nodes' pods into the kernel, by encapsulation: BIRD, Felix, both, or none.

Up to 3.30 that was fixed. Since 3.31 FelixConfiguration.programClusterRoutes, and since 3.32 the field of the same name
in BGPConfiguration, say it; in 3.33 their defaults changed, so that Felix programs IPIP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import effective

if TYPE_CHECKING:
    from .model import Cluster

BIRD, FELIX, BOTH, NOBODY, OTHERS, UNKNOWN = "bird", "felix", "both", "nobody", "others", "unknown"
NO_ENCAPSULATION, IPIP, VXLAN, WIREGUARD = "none", "ipip", "vxlan", "wireguard"
_COVERED = {
    "enabled": (IPIP, NO_ENCAPSULATION),
    "enabledipiponly": (IPIP,),
    "enablednoencaponly": (NO_ENCAPSULATION,),
    "disabled": (),
}
_FELIX_SINCE, _BGP_SINCE, _CHANGED_IN = (3, 31, 0), (3, 32, 0), (3, 33, 0)


class Programmers(NamedTuple):
    """Who programs the routes of each encapsulation (one of the words above), and what says so."""

    by_encapsulation: dict[str, str]
    why: str


def read(cluster: Cluster | None, backend: str, release: tuple[int, int, int] | None) -> Programmers:
    """Return who programs routes with this backend (bird, vxlan, none, unknown) and release (None: not known)."""
    if backend == "none":
        others = dict.fromkeys((NO_ENCAPSULATION, IPIP, VXLAN), OTHERS)
        return Programmers({**others, WIREGUARD: FELIX}, "With the backend none, others than Calico route to pods.")
    found = {VXLAN: FELIX, WIREGUARD: FELIX}
    felix, felix_why = _felix(cluster, release)
    bird, bird_why = _bird(cluster, backend, release)
    for encapsulation in (NO_ENCAPSULATION, IPIP):
        found[encapsulation] = _of(_says(bird, encapsulation), _says(felix, encapsulation))
    return Programmers(found, f"{bird_why} {felix_why}")


def _says(covered: tuple[str, ...] | None, encapsulation: str) -> bool | None:
    return None if covered is None else encapsulation in covered


def _of(bird: bool | None, felix: bool | None) -> str:
    if bird is None or felix is None:
        return UNKNOWN
    if bird and felix:
        return BOTH
    return BIRD if bird else FELIX if felix else NOBODY


def _felix(cluster: Cluster | None, release: tuple[int, int, int] | None) -> tuple[tuple[str, ...] | None, str]:
    told = effective.felix(cluster, "programClusterRoutes") if cluster else effective.Value("", "", known=False)
    covered = _COVERED.get(told.value.lower())
    if told.value and covered is not None and (release is None or release >= _FELIX_SINCE):
        return covered, f"{told.place} has programClusterRoutes: {told.value} for Felix."
    if release is None:
        return None, "Which release runs is not known, and with it Felix' part."
    if release >= _CHANGED_IN:
        return (IPIP,), "Since 3.33 Felix programs IPIP unless told otherwise."
    return (), "Before 3.33 Felix programs neither IPIP nor routes without encapsulation unless told to."


def _bird(
    cluster: Cluster | None, backend: str, release: tuple[int, int, int] | None
) -> tuple[tuple[str, ...] | None, str]:
    if backend == "vxlan":
        return (), "With the backend vxlan no BIRD runs."
    if backend != "bird":
        return None, "Whether BIRD runs is not known."
    default = cluster.bgp_configurations.get("default") if cluster else None
    told = default.program_cluster_routes if default else ""
    covered = _COVERED.get(told.lower())
    if told and covered is not None and (release is None or release >= _BGP_SINCE):
        return covered, f"BGPConfiguration default has programClusterRoutes: {told} for BIRD."
    if release is None:
        return None, "Which release runs is not known, and with it BIRD's part."
    if release >= _CHANGED_IN:
        return (NO_ENCAPSULATION,), "Since 3.33 BIRD programs routes without encapsulation only, unless told otherwise."
    return (NO_ENCAPSULATION, IPIP), "Before 3.33 BIRD programs IPIP and routes without encapsulation."
