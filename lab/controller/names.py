# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that several files of the controller use: where Calico is installed and in which version."""

from __future__ import annotations

KUBE_SYSTEM = "kube-system"
CALICO_NODE = "calico-node"
CALICO_CONFIG = "calico-config"
CALICO_GROUP = "crd.projectcalico.org"
CALICO_V1 = f"{CALICO_GROUP}/v1"
RBAC = "rbac.authorization.k8s.io"
RBAC_V1 = f"{RBAC}/v1"
CALICO_VERSION = "v3.29.4"
KUBERNETES_VERSION = "v1.29.3"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
SERVICE_CIDR = "10.96.0.0/12"
PREFIX = "projectcalico.org/"
