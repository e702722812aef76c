# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission webhooks in the way. None is ever called; one that cannot be reached refuses what it matches, if it is set
to fail. So a webhook whose service has no endpoints blocks here what it blocks in a cluster.

Source: k8s.io/apiserver, pkg/admission/plugin/webhook (rules, predicates, errors/statuserror.go, request/client);
kube-aggregator, pkg/apiserver/resolvers.go with pkg/util/proxy.go for what is said of the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .rules import selectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .entry import Object
    from .kinds import Kind
    from .store import Store

GROUP = "admissionregistration.k8s.io"
_CONFIGURATIONS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")


def check(store: Store, operation: str, kind: Kind, obj: Object) -> None:
    """Raise InternalError in a real server's words if a webhook that matches cannot be reached and must be."""
    if kind.group == GROUP:
        return
    for webhook in _all(store):
        if webhook.get("failurePolicy", "Fail") == "Fail" and _matches(store, webhook, operation, kind, obj):
            why = _unreachable(store, webhook)
            if why:
                raise errors.internal(
                    f'failed calling webhook "{webhook.get("name", "")}": failed to call webhook: {why}'
                )


def _all(store: Store) -> Iterator[Object]:
    for plural in _CONFIGURATIONS:
        for configuration in store.list(store.kinds.find(f"{plural}.{GROUP}")):
            yield from configuration.get("webhooks") or ()


def _matches(store: Store, webhook: Object, operation: str, kind: Kind, obj: Object) -> bool:
    if not any(_rule_matches(rule, operation, kind) for rule in webhook.get("rules") or ()):
        return False
    metadata = obj["metadata"]
    if not selects(webhook.get("objectSelector"), metadata.get("labels") or {}):
        return False
    selector = webhook.get("namespaceSelector")
    if kind.resource == "namespaces":
        return selects(selector, metadata.get("labels") or {})
    if not kind.namespaced or not selector:
        return True
    namespace = store.peek(store.kinds.find("namespaces"), "", metadata.get("namespace", ""))
    return selects(selector, namespace.labels if namespace is not None else {})


def _rule_matches(rule: Object, operation: str, kind: Kind) -> bool:
    def among(key: str, *values: str) -> bool:
        wanted = rule.get(key) or ()
        return "*" in wanted or any(value in wanted for value in values)

    scope = rule.get("scope", "*")
    return (
        among("operations", operation)
        and among("apiGroups", kind.group)
        and among("apiVersions", *kind.served_versions)
        and among("resources", kind.plural, "*/*", f"{kind.plural}/*")
        and scope in ("*", "Namespaced" if kind.namespaced else "Cluster")
    )


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects these labels; an empty or absent one selects everything."""
    return selectors.label_selector(selector or {})(labels)


def _unreachable(store: Store, webhook: Object) -> str:
    """Why the webhook's service cannot be called, "" if it can, or if it is no service of this cluster."""
    service = (webhook.get("clientConfig") or {}).get("service")
    if not service:
        return ""
    namespace, name = service.get("namespace", ""), service.get("name", "")
    path = "/" + str(service.get("path") or "").lstrip("/")
    seconds = webhook.get("timeoutSeconds", 10)
    post = f'Post "https://{name}.{namespace}.svc:{service.get("port", 443)}{path}?timeout={seconds}s": '
    if store.peek(store.kinds.find("services"), namespace, name) is None:
        return f'{post}service "{name}" not found'
    if not has_endpoints(store, namespace, name):
        return f'{post}no endpoints available for service "{name}"'
    return ""


def has_endpoints(store: Store, namespace: str, name: str) -> bool:
    """Whether a service has an endpoint that is ready."""
    endpoints = store.peek(store.kinds.find("endpoints"), namespace, name)
    if endpoints is not None and any(each.get("addresses") for each in endpoints.object().get("subsets") or ()):
        return True
    labels = {"kubernetes.io/service-name": name}
    for slice_ in store.list(store.kinds.find("endpointslices"), namespace, labels=labels):
        for endpoint in slice_.get("endpoints") or ():
            if endpoint.get("addresses") and (endpoint.get("conditions") or {}).get("ready") is not False:
                return True
    return False
