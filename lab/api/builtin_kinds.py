# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that Kubernetes itself has, as far as they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .kinds import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable


def kind(
    group: str, version: str, plural: str, name: str, *, namespaced: bool = True, short: str = "", **more: Any
) -> Kind:
    """A kind that is served in one version; `short`: its short names with blanks between."""
    made = Kind(group, version, plural, name.lower(), name, namespaced, tuple(short.split()))
    made = made._replace(served_versions=(version,))
    return made._replace(**more)


_AGE = Column("Age")
NAME = Column("Name", format="name")


def _columns(*names: str, wide: Iterable[str] = (), age: bool = True) -> tuple[Column, ...]:
    """Columns of a built-in kind: NAME, those given ("Desired:integer"), AGE, then those only shown by `-o wide`."""
    made = [Column(*name.partition(":")[::2]) if ":" in name else Column(name) for name in names]
    extra = [Column(name, priority=1) for name in wide]
    return (NAME, *made, *([_AGE] if age else []), *extra)


def _core(plural: str, name: str, *, namespaced: bool = True, short: str = "", **more: Any) -> Kind:
    return kind("", "v1", plural, name, namespaced=namespaced, short=short, **more)


_WORKLOAD_WIDE = ("Containers", "Images", "Selector")
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_CORE = (
    _core("configmaps", "ConfigMap", short="cm", columns=_columns("Data:integer")),
    _core("endpoints", "Endpoints", short="ep", columns=_columns("Endpoints"), singular="endpoints"),
    _core(
        "events",
        "Event",
        short="ev",
        fields=_EVENT_FIELDS,
        columns=(
            Column("Last Seen"),
            Column("Type"),
            Column("Reason"),
            Column("Object"),
            Column("Subobject", priority=1),
            Column("Source", priority=1),
            Column("Message"),
            Column("First Seen", priority=1),
            Column("Count", priority=1),
            Column("Name", priority=1, format="name"),
        ),
    ),
    _core("limitranges", "LimitRange", short="limits", columns=_columns("Created At", age=False)),
    _core(
        "namespaces",
        "Namespace",
        namespaced=False,
        short="ns",
        subresources=("finalize", "status"),
        fields=("status.phase",),
        columns=_columns("Status"),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    _core(
        "nodes",
        "Node",
        namespaced=False,
        short="no",
        subresources=("status",),
        fields=("spec.unschedulable",),
        columns=(
            *_columns("Status", "Roles"),
            Column("Version"),
            *(
                Column(name, priority=1)
                for name in ("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")
            ),
        ),
    ),
    _core(
        "pods",
        "Pod",
        short="po",
        subresources=("binding", "eviction", "log", "status"),
        fields=_POD_FIELDS,
        categories=("all",),
        columns=_columns("Ready", "Status", "Restarts", wide=("IP", "Node", "Nominated Node", "Readiness Gates")),
    ),
    _core("resourcequotas", "ResourceQuota", short="quota", subresources=("status",), columns=_columns()),
    _core("secrets", "Secret", fields=("type",), columns=_columns("Type", "Data:integer")),
    _core(
        "serviceaccounts", "ServiceAccount", short="sa", subresources=("token",), columns=_columns("Secrets:integer")
    ),
    _core(
        "services",
        "Service",
        short="svc",
        subresources=("status",),
        categories=("all",),
        fields=("spec.clusterIP", "spec.type"),
        columns=_columns("Type", "Cluster-IP", "External-IP", "Port(s)", wide=("Selector",)),
    ),
)
_APPS = (
    kind("apps", "v1", "controllerrevisions", "ControllerRevision", columns=_columns("Controller", "Revision:integer")),
    kind(
        "apps",
        "v1",
        "daemonsets",
        "DaemonSet",
        short="ds",
        subresources=("status",),
        categories=("all",),
        columns=_columns(
            "Desired:integer",
            "Current:integer",
            "Ready:integer",
            "Up-to-date:integer",
            "Available:integer",
            "Node Selector",
            wide=_WORKLOAD_WIDE,
        ),
    ),
    kind(
        "apps",
        "v1",
        "deployments",
        "Deployment",
        short="deploy",
        subresources=("scale", "status"),
        categories=("all",),
        columns=_columns("Ready", "Up-to-date:integer", "Available:integer", wide=_WORKLOAD_WIDE),
    ),
    kind(
        "apps",
        "v1",
        "replicasets",
        "ReplicaSet",
        short="rs",
        subresources=("scale", "status"),
        categories=("all",),
        fields=("status.replicas",),
        columns=_columns("Desired:integer", "Current:integer", "Ready:integer", wide=_WORKLOAD_WIDE),
    ),
    kind(
        "apps",
        "v1",
        "statefulsets",
        "StatefulSet",
        short="sts",
        subresources=("scale", "status"),
        categories=("all",),
        columns=_columns("Ready", wide=("Containers", "Images")),
    ),
)
_RBAC = "rbac.authorization.k8s.io"
_OTHERS = (
    kind("coordination.k8s.io", "v1", "leases", "Lease", columns=_columns("Holder"), served_versions=("v1",)),
    kind(
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        columns=_columns("AddressType", "Ports", "Endpoints"),
    ),
    kind(
        _RBAC,
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        namespaced=False,
        columns=_columns("Role", wide=("Users", "Groups", "ServiceAccounts")),
    ),
    kind(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False, columns=_columns("Created At", age=False)),
    kind(
        _RBAC,
        "v1",
        "rolebindings",
        "RoleBinding",
        columns=_columns("Role", wide=("Users", "Groups", "ServiceAccounts")),
    ),
    kind(_RBAC, "v1", "roles", "Role", columns=_columns("Created At", age=False)),
    kind(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
        columns=_columns("Webhooks:integer"),
        categories=("api-extensions",),
    ),
    kind(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
        columns=_columns("Webhooks:integer"),
        categories=("api-extensions",),
    ),
    kind(
        "apiregistration.k8s.io",
        "v1",
        "apiservices",
        "APIService",
        namespaced=False,
        subresources=("status",),
        columns=_columns("Service", "Available"),
        categories=("api-extensions",),
    ),
    kind(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
        short="crd crds",
        subresources=("status",),
        columns=_columns("Created At", age=False),
        categories=("api-extensions",),
    ),
    kind(
        "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short="netpol", columns=_columns("Pod-Selector")
    ),
    kind(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        short="pdb",
        subresources=("status",),
        columns=_columns("Min Available", "Max Unavailable", "Allowed Disruptions:integer"),
    ),
    kind(
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
        namespaced=False,
        short="pc",
        columns=_columns("Value:integer", "Global-Default:boolean"),
    ),
)


def _review(group: str, plural: str, name: str, *, namespaced: bool = False) -> Kind:
    return kind(group, "v1", plural, name, namespaced=namespaced, verbs=("create",))


_REVIEWS = (
    _review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    _review("authentication.k8s.io", "tokenreviews", "TokenReview"),
    _review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced=True),
    _review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
)
KINDS = (*_CORE, *_APPS, *_OTHERS, *_REVIEWS)
