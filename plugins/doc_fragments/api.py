# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules reach the Kubernetes API. The options themselves are in module_utils/_cluster/options.py."""

from __future__ import annotations


class ModuleDocFragment:
    """What all modules have in common that ask the API."""

    DOCUMENTATION = r"""
notes:
  - If neither O(kubeconfig) nor O(host) is given, what C(KUBECONFIG) names is used, else C(~/.kube/config), else the
    service account of the pod in which it runs, else the kubeconfig which kubeadm, RKE2, k3s or MicroK8s left on a
    node of the control plane.
requirements:
  - "python >= 3.7"
  - "kubernetes >= 29 (Python library), or kubectl"
options:
  kubeconfig:
    description:
      - Path of the kubeconfig.
      - If not set, the value of the environment variable E(K8S_AUTH_KUBECONFIG) is used.
    type: path
  context:
    description:
      - Name of the context in the kubeconfig to use instead of the current one.
      - If not set, the value of the environment variable E(K8S_AUTH_CONTEXT) is used.
    type: str
  host:
    description:
      - URL of the API server, if there is no kubeconfig.
      - If not set, the value of the environment variable E(K8S_AUTH_HOST) is used.
    type: str
  api_key:
    description:
      - A token to authenticate with.
      - It cannot be used with C(kubectl), because it would show in the list of processes.
      - If not set, the value of the environment variable E(K8S_AUTH_API_KEY) is used.
    type: str
  ca_cert:
    description:
      - Path of the certificate of the CA that signed the API server's certificate.
      - If not set, the value of the environment variable E(K8S_AUTH_SSL_CA_CERT) is used.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the API server's certificate. If not given, it is as the kubeconfig says.
      - If not set, the value of the environment variable E(K8S_AUTH_VERIFY_SSL) is used.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of a proxy to go through. If not given, C(HTTPS_PROXY) and C(NO_PROXY) count.
      - It cannot be used with C(kubectl); there C(HTTPS_PROXY) counts.
      - If not set, the value of the environment variable E(K8S_AUTH_PROXY) is used.
    type: str
  timeout:
    description: Seconds after which a request that is not answered is given up. All requests together may take ten
      times as long, and not less than a minute.
    type: float
    default: 30.0
  kubectl:
    description: Path of the C(kubectl) to use, or V(auto) to look for it.
    type: str
    default: auto
  via:
    description:
      - How to get at the API.
      - V(client) is the Python library C(kubernetes), V(kubectl) the program, V(in-cluster) the service account of the
        pod in which the module runs.
      - V(auto) takes the library if it is there.
    type: str
    choices: [auto, client, kubectl, in-cluster]
    default: auto
"""
