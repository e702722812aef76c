# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which admission webhooks are asked when one of Calico's pods is made or changed, and whether anybody answers them.

A webhook with failurePolicy Fail and no endpoint keeps calico-node from being made, and then nothing else starts.
"""

from __future__ import annotations

from .shapes import mapping, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Place = tuple[str, Mapping[str, str], Mapping[str, str]]

_OPERATIONS = ("CREATE", "UPDATE", "*")


def matching(configuration: dict[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """Return a configuration with those webhooks only that are asked about pods in one of these places, {} if none is.

    A place is a namespace with its labels, and labels of pods there. Conditions in CEL are not evaluated: such a
    webhook counts as asked.
    """
    where = list(places)
    asked = [
        one
        for one in sequence(configuration.get("webhooks"))
        if isinstance(one, dict) and is_about_pods(one) and any(_selects(one, place) for place in where)
    ]
    return dict(configuration, webhooks=asked) if asked else {}


def is_about_pods(webhook: dict[str, Any]) -> bool:
    """Say whether one of the rules is about pods being made or changed."""
    return any(_is_for_pods(mapping(rule)) for rule in sequence(webhook.get("rules")))


def _is_for_pods(rule: dict[str, Any]) -> bool:
    resources = [one for one in sequence(rule.get("resources")) if isinstance(one, str)]
    return (
        any(one in ("", "*") for one in sequence(rule.get("apiGroups")))
        and any(one in ("v1", "*") for one in sequence(rule.get("apiVersions")))
        and any(one in ("pods", "*", "*/*") for one in resources)
        and any(one in _OPERATIONS for one in sequence(rule.get("operations")))
        and rule.get("scope") in (None, "", "*", "Namespaced")
    )


def _selects(webhook: dict[str, Any], place: Place) -> bool:
    namespace, labels, of_pods = place
    named = {"kubernetes.io/metadata.name": namespace, **labels}
    return selects(webhook.get("namespaceSelector"), named) and selects(webhook.get("objectSelector"), of_pods)


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Say whether a selector of Kubernetes selects these labels. None selects all; an operator that is not known does
    not keep it from selecting."""
    chosen = mapping(selector)
    wanted = mapping(chosen.get("matchLabels"))
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(mapping(one), labels) for one in sequence(chosen.get("matchExpressions")))


def _holds(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = word(expression.get("key")), sequence(expression.get("values"))
    there = labels.get(key)
    operator = expression.get("operator")
    if operator == "In":
        return there in values
    if operator == "NotIn":
        return there is None or there not in values
    if operator == "Exists":
        return there is not None
    if operator == "DoesNotExist":
        return there is None
    return True


def services(configurations: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the Services (namespace and name) that these configurations' webhooks are asked through."""
    found: dict[tuple[str, str], None] = {}
    for service in _services(configurations):
        found[word(service.get("namespace")), word(service.get("name"))] = None
    return [one for one in found if all(one)]


def note_ready(configurations: Iterable[dict[str, Any]], ready: Mapping[tuple[str, str], int]) -> None:
    """Note with each webhook's Service how many endpoints of it are ready, where that is known."""
    for service in _services(configurations):
        count = ready.get((word(service.get("namespace")), word(service.get("name"))))
        if count is not None:
            service["endpointsReady"] = count


def _services(configurations: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for configuration in configurations:
        for webhook in sequence(configuration.get("webhooks")):
            service = mapping(mapping(webhook).get("clientConfig")).get("service")
            if isinstance(service, dict):
                yield service


def count_ready(slices: Iterable[dict[str, Any]]) -> int:
    """Return how many endpoints of a Service's EndpointSlices are ready; one that does not say is."""
    return sum(
        mapping(mapping(endpoint).get("conditions")).get("ready") is not False
        for one in slices
        for endpoint in sequence(one.get("endpoints"))
    )
