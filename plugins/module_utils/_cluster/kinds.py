# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for: the kinds, where the API serves them, and in pages of what size."""

from __future__ import annotations

from urllib.parse import quote

from .._record import NamedTuple

V1 = "crd.projectcalico.org"
V3 = "projectcalico.org"
OPERATOR = "operator.tigera.io"
VERSIONS = {V1: "v1", V3: "v3", OPERATOR: "v1"}

JSON = "application/json"
# What a PATCH is sent as: fields and their new values, null for those that shall go (RFC 7386).
MERGE = "application/merge-patch+json"
# A Table has a line per object instead of the object; servers that make none answer with the objects.
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
# The metadata without the object: definitions of resources are large.
NAMES = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


class Kind(NamedTuple):
    """A kind of object. `plural` is its lower-case name, `share` how much of a page of ordinary objects is asked for at
    once: objects of some kinds are large."""

    plural: str
    group: str = ""
    version: str = "v1"
    share: float = 1.0
    accept: str = JSON
    namespace: str = ""

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of all objects, of those in a namespace, or of one."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        namespace = namespace or self.namespace
        where = f"{root}/namespaces/{quote(namespace, safe='')}" if namespace else root
        return f"{where}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


NODES = Kind("nodes", share=0.5)
PODS = Kind("pods")
EVENTS = Kind("events")
NAMESPACES = Kind("namespaces")
SERVICES = Kind("services")
CONFIG_MAPS = Kind("configmaps")
SECRETS = Kind("secrets")
DAEMON_SETS = Kind("daemonsets", "apps", share=0.4)
DEPLOYMENTS = Kind("deployments", "apps", share=0.4)
LEASES = Kind("leases", "coordination.k8s.io", namespace="kube-node-lease")
ENDPOINT_SLICES = Kind("endpointslices", "discovery.k8s.io", share=0.2)
MUTATING = Kind("mutatingwebhookconfigurations", "admissionregistration.k8s.io", share=0.2)
VALIDATING = Kind("validatingwebhookconfigurations", "admissionregistration.k8s.io", share=0.2)
API_SERVICES = Kind("apiservices", "apiregistration.k8s.io")
DEFINITIONS = Kind("customresourcedefinitions", "apiextensions.k8s.io", share=0.2, accept=NAMES)
REVIEWS = Kind("subjectaccessreviews", "authorization.k8s.io")

# Calico's own, in the group that is served.
CALICO = (
    *(Kind(plural) for plural in ("ippools", "bgpconfigurations", "bgppeers", "bgpfilters", "felixconfigurations")),
    *(Kind(plural) for plural in ("hostendpoints", "globalnetworkpolicies", "blockaffinities")),
    *(Kind(plural) for plural in ("kubecontrollersconfigurations", "clusterinformations")),
    # One of a node with many peers and routes is as large as hundreds of others.
    Kind("caliconodestatuses", share=0.05),
    Kind("ipamblocks", share=0.5),
)
OF_OPERATOR = tuple(Kind(plural, OPERATOR) for plural in ("installations", "tigerastatuses"))
V3_SERVICE = "v3.projectcalico.org"

# ConfigMaps of these names carry settings of Calico, Canal or flannel, whoever installed them. The shipped role
# allows to get those and no others.
CONFIG_MAP_NAMES = (
    *("calico-config", "canal-config", "rke2-canal-config", "kube-flannel-cfg", "kubernetes-services-endpoint"),
    "bird-templates",
)


def of_group(kind: Kind, group: str) -> Kind:
    """Return one of Calico's kinds as this group serves it."""
    return kind._replace(group=group, version=VERSIONS[group])
