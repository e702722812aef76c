# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that tell nothing about whose cluster it is, and those that look like a domain and are none."""

from __future__ import annotations


def _listed(part: str) -> tuple[str, ...]:
    return tuple(part.split())


def _words(part: str) -> frozenset[str]:
    return frozenset(part.split())


# Never anybody's host, whatever place they stand in.
NO_NAMES = _words(
    "localhost none null nil unknown unset default true false yes no all any kubernetes kube-system calico-system "
    "calico-apiserver tigera-operator calico calico-node calico-typha calico-kube-controllers canal typha bird bird6 "
    "confd felix kubelet containerd docker dockerd etcd systemd kernel ip-masq kube-proxy kube-apiserver coredns pod "
    "node-role name status ready roles age version namespace linux windows darwin amd64 arm64 x86_64 eth0 ens3 lo "
    "daemonset deployment replicaset job global mesh autodetect interface stdout stderr root error warning info debug "
    "localhost.localdomain localdomain local svc cluster.local first-found can-reach host unix tcp udp http https "
    "admin user kubernetes-admin kubeconfig www api self node-0"
)
# People call their nodes so, and everybody else uses the words as well: replaced only where a node's name stands.
COMMON = _words(
    "node nodes master masters worker workers server agent agents client control controlplane control-plane primary "
    "secondary replica leader follower main backup edge core infra storage compute gpu cpu cp k8s k3s kube rancher "
    "minikube kind microk8s cluster machine vm host1 box test dev prod staging lab home nas gateway router proxy lb "
    "bastion jump build ci monitoring database db web app new old left right up down start stop one two three first "
    "second third remote peer peers local a b c d e f g x y z ubuntu debian centos fedora rhel alpine coreos flatcar "
    "raspberrypi pi demo example system network service address external internal public private"
)
# Projects' and registries' names, by their last labels: in group names, labels, images and messages everywhere.
PUBLIC = _words(
    "kubernetes.io k8s.io x-k8s.io projectcalico.org tigera.io docker.io quay.io gcr.io ghcr.io pkg.dev "
    "docker.com microsoft.com github.com github.io golang.org gopkg.in go.dev "
    "kernel.org debian.org ubuntu.com canonical.com "
    "redhat.com openshift.io fedoraproject.org cncf.io rancher.io rancher.com cattle.io coreos.com istio.io "
    "cert-manager.io metallb.io cilium.io flannel.io containerd.io helm.sh ntp.org google.com suse.com opensuse.org "
    "almalinux.org rockylinux.org centos.org freedesktop.org netfilter.org isc.org ietf.org nic.cz cluster.local "
    "fluxcd.io argoproj.io operatorframework.io alibabacloud.com oracle.com vmware.com microk8s.io snapcraft.io "
    "coreos.io etcd.io linuxfoundation.org example.com example.net example.org k3s.io rke2.io kops.k8s.io "
    "kubespray.io fluentd.org prometheus.io grafana.io jaegertracing.io hashicorp.com nginx.org bird.network.cz "
    "libvirt.org wireguard.com iana.org w3.org apache.org systemd.io linux.org sigs.k8s.io intel.com nvidia.com "
    "amazon.com eksctl.io karpenter.sh crossplane.io knative.dev json.org yaml.org gnu.org oci.org "
    "opencontainers.org ibm.com networking.v1"
)
# Below these every customer has names: the last labels stay, what is before them goes.
PROVIDERS = _listed(
    "compute.internal ec2.internal amazonaws.com azmk8s.io azurecr.io windows.net cloudapp.azure.com "
    "googleapis.com cloud.ibm.com icr.io appdomain.cloud containers.cloud.ibm.com digitalocean.com "
    "internal.cloudapp.net oraclecloud.com ocir.io oraclevcn.com google.internal c.internal"
)
# Labels below a provider's that say where, or what service, and not whose.
PLACES = _words("eks ecr dkr ec2 s3 elb compute internal privatelink hcp api blob vault node")
# What the last label of a domain may be. Endings of files, and words that end sentences, are not among them.
_GENERIC_TOP = (
    "com net org edu gov mil int biz info io dev cloud internal local localdomain lan corp home intra intranet private "
    "ai app xyz online tech site digital global group company host hosting email "
    "eu de fr uk nl es pl cz ch se fi dk ie pt ro hu gr sk si hr bg lt lv ee ua ru by kz tr il ae sa ir pk bd lk "
    "cn jp kr tw hk sg my th vn ph id nz au ca mx br ar cl co pe uy za ng ke eg ma us tv ws cc arpa test invalid onion"
)
TOPS = _words(_GENERIC_TOP)
# Among them, those that also are words and names of fields: a domain only from three labels on.
DOUBTFUL_TOPS = _words("id my us app home host group private internal local info int cc co ws test global ma ca")
# Static pods are called by these words and their node's name.
STATIC_PODS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kube-vip",
    "cloud-controller-manager",
)
# Accounts that systems and images come with.
ACCOUNTS = _words(
    "root admin administrator ubuntu debian centos core fedora rocky alma almalinux rhel redhat opc azureuser "
    "vagrant  ec2-user cloud-user cloud_user user users node kubernetes kube k8s k3s rke rancher ansible deploy "
    "docker nobody  daemon pi git ops linuxbrew runner jenkins gitlab-runner vcap photon kubo flatcar suse opensuse "
    "sles public  shared calico bird etcd chrony ntp systemd-network nonroot app service svc test demo guest "
    "default  syslog adm sudo wheel staff bin sys mail www-data messagebus _chrony gke-metadata kubernetes-admin"
)
CUT = "REDACTED"
