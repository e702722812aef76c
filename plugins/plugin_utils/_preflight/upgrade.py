# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster can be upgraded to the release that is planned: what runs, by whom, and what would be stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import words
from .._cluster import versions
from . import intent, release_steps, told, upgrade_images, upgrade_state, upgrade_words
from .finding import seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .intent import Intent
    from .model import Scene


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What stands against the upgrade; nothing where none is planned."""
    plan = intent.read(scene.planned)
    if plan.target is None:
        return []
    cluster = scene.evidence.cluster
    running = versions.read(cluster, scene.evidence.nodes)
    found = [*_steps(plan, running), *_mixed(running)]
    if cluster is None or not cluster.reached:
        why = cluster.why if cluster is not None else "it was not asked"
        return [*found, _cannot_tell(why)]
    found += [
        *upgrade_images.images(cluster),
        *upgrade_images.probes(cluster, plan),
        *upgrade_images.planned_probes(plan),
        *upgrade_state.rollout(cluster),
        *upgrade_state.operator(cluster, plan),
        *upgrade_state.owners(cluster, plan),
        *upgrade_state.migration(scene, cluster, plan),
        *upgrade_state.datastore(cluster),
        *upgrade_state.nodes(scene, cluster),
    ]
    return found


def _cannot_tell(why: str) -> dict[str, Any]:
    return upgrade_words.obstacle(
        "minor",
        f"Whether the cluster is ready for the upgrade cannot be said without the Kubernetes API: {why.rstrip('.')}.",
        "Let the check ask the API (preflight_api).",
        ("ansible-playbook netmedic.calico.preflight -i INVENTORY -e preflight_api=true",),
        fault="preflight.upgrade_unknown",
        title="The upgrade could not be judged",
        missing=[
            {
                "node": "",
                "source": "Kubernetes API",
                "how": "kubectl get daemonsets,deployments -A",
                "would_tell": "by what Calico is run, its images, probes, and whether its pods are ready",
            }
        ],
    )


def _steps(plan: Intent, running: versions.Versions) -> Iterator[dict[str, Any]]:
    target, least, most = plan.target, versions.oldest(running), versions.newest(running)
    if target is None:
        return
    if least is None or most is None:
        yield upgrade_words.obstacle(
            "minor",
            f"Which release of Calico runs is not known, and so not what a step to {plan.target_written} brings.",
            "Find out which images run.",
            ("kubectl get pods -A -o jsonpath='{..image}' -l 'k8s-app in (calico-node,canal)'",),
            fault="preflight.upgrade_unknown",
        )
        return
    now, then = intent.shown(least), intent.shown(target)
    if target[:2] < most[:2] or (target[:2] == most[:2] and target < most):
        yield upgrade_words.obstacle(
            "major" if target[:2] < most[:2] else "minor",
            f"{then} is older than {intent.shown(most)}, which runs: Calico's releases are not made to go back.",
            "Choose a later release. Objects in the datastore may have fields that the older one does not know.",
        )
        return
    passed, brought = release_steps.skipped(least, target), release_steps.between(least, target)
    if passed or brought:
        over = f", passing over {words.listed(passed)}" if passed else ""
        known = f": {'; '.join(brought)}" if brought else ""
        yield upgrade_words.obstacle(
            "info",
            f"The step from {now} to {then}{over} brings what each release in between has changed{known}.",
            "Read the release notes of all of them, and apply the CRDs of the new release before its images.",
            ("kubectl apply --server-side --force-conflicts -f crds.yaml   # of the new release",),
            title="What the step between releases brings",
        )


def _mixed(running: versions.Versions) -> Iterator[dict[str, Any]]:
    if not running.mixed:
        return
    by_release: dict[str, list[str]] = {}
    for name, release in sorted(running.nodes.items()):
        by_release.setdefault(release, []).append(name)
    few = min(by_release, key=lambda one: len(by_release[one]))
    shown = "; ".join(f"{release} on {words.listed(names)}" for release, names in sorted(by_release.items()))
    yield upgrade_words.obstacle(
        "major",
        f"Nodes run different releases of Calico: {shown}.",
        "Finish the earlier upgrade first: find out why pods on these nodes were not replaced.",
        ("kubectl get pods -A -o wide -l 'k8s-app in (calico-node,canal)'",),
        nodes=by_release[few],
        evidence=[seen(name, "calico-node", running.nodes[name]) for name in by_release[few][: told.MOST_SEEN]],
    )
