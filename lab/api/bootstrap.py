# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in every cluster before anybody creates anything: namespaces, the roles that clients need to look around,
APIServices, and the CustomResourceDefinitions of the custom kinds that are served.

Source of the roles: kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .metadata import now

if TYPE_CHECKING:
    from .entry import Object
    from .kinds import Kind
    from .store import Store

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
CALICO_API_SERVER = ("calico-apiserver", "calico-api")
_RBAC = "rbac.authorization.k8s.io"
_BOOTSTRAPPING = {
    "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
}
_INFORMATION = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", *_INFORMATION[:3], "/openapi", "/openapi/*", *_INFORMATION[3:]]
_REVIEWS = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
_ROLES: dict[str, list[Object]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "system:discovery": [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": _INFORMATION, "verbs": ["get"]}],
    "system:basic-user": [
        {"apiGroups": ["authorization.k8s.io"], "resources": _REVIEWS, "verbs": ["create"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ],
}
_GROUPS = {
    "cluster-admin": ["system:masters"],
    "system:discovery": ["system:authenticated"],
    "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
    "system:basic-user": ["system:authenticated"],
}


def fill(store: Store) -> None:
    """Create what is not there yet."""
    for name in NAMESPACES:
        _ensure(store, "namespaces", {"metadata": {"name": name}})
        _ensure(store, "serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
    for name, rules in _ROLES.items():
        metadata = {"name": name, **_BOOTSTRAPPING}
        _ensure(store, f"clusterroles.{_RBAC}", {"metadata": metadata, "rules": rules})
        subjects = [{"apiGroup": _RBAC, "kind": "Group", "name": group} for group in _GROUPS[name]]
        reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
        binding = {"metadata": metadata, "roleRef": reference, "subjects": subjects}
        _ensure(store, f"clusterrolebindings.{_RBAC}", binding)
    for kind in store.kinds:
        if kind.custom and not kind.stored_as:
            _ensure(store, "customresourcedefinitions.apiextensions.k8s.io", definition(kind))
    for group, versions in store.kinds.groups().items():
        view = any(kind.stored_as for kind in store.kinds if kind.group == group)
        for version in versions:
            _ensure(store, "apiservices.apiregistration.k8s.io", api_service(group, version, view))


def _ensure(store: Store, name: str, obj: Object) -> None:
    kind = store.kinds.find(name)
    namespace = obj["metadata"].get("namespace", "")
    if store.peek(kind, namespace, obj["metadata"]["name"]) is None:
        store.create(kind, namespace, obj)


def definition(kind: Kind) -> Object:
    """The CustomResourceDefinition of a custom kind: its names; the schemas are kept elsewhere."""
    names: Object = {
        "kind": kind.kind,
        "listKind": kind.list_kind,
        "plural": kind.plural,
        "singular": kind.singular,
        **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
    }
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions: list[Object] = [
        {"name": version, "served": True, "storage": version == kind.version, "schema": schema}
        for version in kind.served_versions
    ]
    for each in versions:
        if "status" in kind.subresources:
            each["subresources"] = {"status": {}}
    met = [("NamesAccepted", "NoConflicts", "no conflicts found")]
    met.append(("Established", "InitialNamesAccepted", "the initial names have been accepted"))
    conditions = [
        {"lastTransitionTime": now(), "message": text, "reason": reason, "status": "True", "type": name}
        for name, reason, text in met
    ]
    return {
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": versions,
        },
        "status": {"acceptedNames": names, "conditions": conditions, "storedVersions": [kind.version]},
    }


def api_service(group: str, version: str, view: bool) -> Object:
    """The APIService of a group and version: local, or Calico's API server behind a service."""
    spec: Object = {"groupPriorityMinimum": 18000 if not group else 1000, "version": version, "versionPriority": 15}
    if group:
        spec["group"] = group
    reason, message = "Local", "Local APIServices are always available"
    if view:
        spec["service"] = {"namespace": CALICO_API_SERVER[0], "name": CALICO_API_SERVER[1], "port": 443}
        reason, message = "Passed", "all checks passed"
    condition = {
        "lastTransitionTime": now(),
        "message": message,
        "reason": reason,
        "status": "True",
        "type": "Available",
    }
    return {"metadata": {"name": f"{version}.{group}"}, "spec": spec, "status": {"conditions": [condition]}}
