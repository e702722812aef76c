# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DaemonSets: calico-node as Calico's manifest has it, and kube-proxy; with their pods, one per node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import pods
from ..names import CALICO_CONFIG, CALICO_NODE, CALICO_VERSION, KUBE_SYSTEM, KUBERNETES_VERSION
from ..objects import Object, fingerprint, make, owner, suffix

if TYPE_CHECKING:
    from ...topology import Plan

_NODE_IMAGE = f"docker.io/calico/node:{CALICO_VERSION}"
_CNI_IMAGE = f"docker.io/calico/cni:{CALICO_VERSION}"
_LINUX = {"kubernetes.io/os": "linux"}


def daemonsets(plan: Plan) -> list[Object]:
    """The DaemonSets of the cluster, with the status that all is well."""
    made = [calico_node(plan), _kube_proxy()]
    for each in made:
        each["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": "1"}
        each["metadata"]["generation"] = 1
    return made


def revision_and_pods(plan: Plan, daemonset: Object) -> list[Object]:
    """A DaemonSet's first ControllerRevision, and its pods, which wait for their kubelets."""
    name = daemonset["metadata"]["name"]
    made = [revision(daemonset, 1)]
    for node in plan.nodes:
        pod = pods.daemon(daemonset, node.name, f"{name}-{suffix(name, node.name)}", revision_hash(daemonset))
        pods.started(pod, node.address, node.address, ready=name != plan.topology.agent)
        made.append(pod)
    return made


def revision_hash(daemonset: Object) -> str:
    """What tells this state of the template from others: the label controller-revision-hash."""
    return fingerprint(daemonset["spec"]["template"])


def revision(daemonset: Object, number: int) -> Object:
    """The ControllerRevision that keeps the present template."""
    metadata = daemonset["metadata"]
    template = {**daemonset["spec"]["template"], "$patch": "replace"}
    made = make(
        "apps/v1",
        "ControllerRevision",
        f"{metadata['name']}-{revision_hash(daemonset)}",
        metadata["namespace"],
        labels={
            **daemonset["spec"]["template"]["metadata"]["labels"],
            "controller-revision-hash": revision_hash(daemonset),
        },
        data={"spec": {"template": template}},
        revision=number,
    )
    made["metadata"]["ownerReferences"] = [owner(daemonset)]
    return made


def _plain(name: str, value: str) -> Object:
    return {"name": name, "value": value}


def _field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def _config(name: str, key: str, settings: str = CALICO_CONFIG) -> Object:
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": settings, "key": key}}}


def _environment(plan: Plan) -> list[Object]:
    """Of calico-node's container. The lab's pools have no encapsulation but where VXLAN takes BIRD's place."""
    dual = plan.topology.dual_stack
    if plan.topology.overlay == "canal":
        return _environment_of_canal()
    return [
        _plain("DATASTORE_TYPE", "kubernetes"),
        _plain("WAIT_FOR_DATASTORE", "true"),
        _field("NODENAME", "spec.nodeName"),
        _config("CALICO_NETWORKING_BACKEND", "calico_backend"),
        _plain("CLUSTER_TYPE", "k8s,bgp"),
        _plain("IP", "autodetect"),
        *([_plain("IP6", "autodetect")] if dual else []),
        _plain("CALICO_IPV4POOL_IPIP", "Never"),
        _plain("CALICO_IPV4POOL_VXLAN", "Always" if plan.topology.overlay else "Never"),
        _plain("CALICO_IPV6POOL_VXLAN", "Never"),
        _config("FELIX_IPINIPMTU", "veth_mtu"),
        _config("FELIX_VXLANMTU", "veth_mtu"),
        _config("FELIX_WIREGUARDMTU", "veth_mtu"),
        _plain("CALICO_DISABLE_FILE_LOGGING", "true"),
        _plain("FELIX_DEFAULTENDPOINTTOHOSTACTION", "ACCEPT"),
        _plain("FELIX_IPV6SUPPORT", "true" if dual else "false"),
        _plain("FELIX_HEALTHENABLED", "true"),
    ]


def _environment_of_canal() -> list[Object]:
    """As Calico's manifest canal.yaml has it."""
    return [
        _plain("DATASTORE_TYPE", "kubernetes"),
        _plain("USE_POD_CIDR", "true"),
        _plain("WAIT_FOR_DATASTORE", "true"),
        _field("NODENAME", "spec.nodeName"),
        _plain("CALICO_NETWORKING_BACKEND", "none"),
        _plain("CLUSTER_TYPE", "k8s,canal"),
        _plain("FELIX_IPTABLESREFRESHINTERVAL", "60"),
        _plain("IP", ""),
        _plain("CALICO_DISABLE_FILE_LOGGING", "true"),
        _plain("FELIX_DEFAULTENDPOINTTOHOSTACTION", "ACCEPT"),
        _plain("FELIX_IPV6SUPPORT", "false"),
        _plain("FELIX_HEALTHENABLED", "true"),
    ]


def _flannel_container() -> Object:
    """Flannel's, beside calico-node's."""
    return {
        "name": "kube-flannel",
        "image": "docker.io/flannel/flannel:v0.24.4",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"],
        "env": [_field("POD_NAME", "metadata.name"), _field("POD_NAMESPACE", "metadata.namespace")],
        "securityContext": {"privileged": True},
        "volumeMounts": [_mount("xtables-lock", "/run/xtables.lock")],
    }


def _mount(name: str, path: str, **more: Any) -> Object:
    return {"name": name, "mountPath": path, **more}


def _init(name: str, image: str, command: list[str], environment: list[Object], mounts: list[Object]) -> Object:
    services = {"configMapRef": {"name": "kubernetes-services-endpoint", "optional": True}}
    made: Object = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": environment,
        "volumeMounts": mounts,
        "securityContext": {"privileged": True},
    }
    return {**made, "envFrom": [services]} if environment else made


def _init_containers(plan: Plan) -> list[Object]:
    node = _field("KUBERNETES_NODE_NAME", "spec.nodeName")
    canal = plan.topology.overlay == "canal"
    settings = "canal-config" if canal else CALICO_CONFIG
    upgrade = [node, _config("CALICO_NETWORKING_BACKEND", "calico_backend")]
    install = [
        _plain("CNI_CONF_NAME", "10-canal.conflist" if canal else "10-calico.conflist"),
        _config("CNI_NETWORK_CONFIG", "cni_network_config", settings),
        node,
        _config("CNI_MTU", "veth_mtu", settings),
        _plain("SLEEP", "false"),
    ]
    binaries = _mount("cni-bin-dir", "/host/opt/cni/bin")
    networks = _mount("host-local-net-dir", "/var/lib/cni/networks")
    configuration = _mount("cni-net-dir", "/host/etc/cni/net.d")
    system = _mount("sys-fs", "/sys/fs", mountPropagation="Bidirectional")
    run = _mount("var-run-calico", "/var/run/calico", mountPropagation="Bidirectional")
    ipam = _init("upgrade-ipam", _CNI_IMAGE, ["/opt/cni/bin/calico-ipam", "-upgrade"], upgrade, [networks, binaries])
    return [
        *([] if canal else [ipam]),
        _init("install-cni", _CNI_IMAGE, ["/opt/cni/bin/install"], install, [binaries, configuration]),
        _init(
            "mount-bpffs",
            _NODE_IMAGE,
            ["calico-node", "-init", "-best-effort"],
            [],
            [system, run, _mount("nodeproc", "/nodeproc", readOnly=True)],
        ),
    ]


def _calico_container(plan: Plan) -> Object:
    def probe(kind: str, **more: Any) -> Object:
        command = ["/bin/calico-node", f"-felix-{kind}", *([] if plan.topology.overlay else [f"-bird-{kind}"])]
        return {"exec": {"command": command}, "periodSeconds": 10, "timeoutSeconds": 10, **more}

    return {
        "name": CALICO_NODE,
        "image": _NODE_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"configMapRef": {"name": "kubernetes-services-endpoint", "optional": True}}],
        "env": _environment(plan),
        "securityContext": {"privileged": True},
        "resources": {"requests": {"cpu": "250m"}},
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/calico-node", "-shutdown"]}}},
        "livenessProbe": probe("live", initialDelaySeconds=10, failureThreshold=6),
        "readinessProbe": probe("ready", successThreshold=1, failureThreshold=3),
        "volumeMounts": [
            _mount("cni-net-dir", "/host/etc/cni/net.d"),
            _mount("lib-modules", "/lib/modules", readOnly=True),
            _mount("xtables-lock", "/run/xtables.lock"),
            _mount("var-run-calico", "/var/run/calico"),
            _mount("var-lib-calico", "/var/lib/calico"),
            _mount("policysync", "/var/run/nodeagent"),
            _mount("bpffs", "/sys/fs/bpf"),
            _mount("cni-log-dir", "/var/log/calico/cni", readOnly=True),
        ],
    }


def _volumes() -> list[Object]:
    places = (
        ("lib-modules", "/lib/modules", ""),
        ("var-run-calico", "/var/run/calico", "DirectoryOrCreate"),
        ("var-lib-calico", "/var/lib/calico", "DirectoryOrCreate"),
        ("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
        ("sys-fs", "/sys/fs/", "DirectoryOrCreate"),
        ("bpffs", "/sys/fs/bpf", "Directory"),
        ("nodeproc", "/proc", ""),
        ("cni-bin-dir", "/opt/cni/bin", "DirectoryOrCreate"),
        ("cni-net-dir", "/etc/cni/net.d", ""),
        ("cni-log-dir", "/var/log/calico/cni", ""),
        ("host-local-net-dir", "/var/lib/cni/networks", ""),
        ("policysync", "/var/run/nodeagent", "DirectoryOrCreate"),
    )
    return [{"name": name, "hostPath": {"path": path, "type": kind}} for name, path, kind in places]


def _daemonset(name: str, spec: Object) -> Object:
    labels = {"k8s-app": name}
    made = make("apps/v1", "DaemonSet", name, KUBE_SYSTEM, labels=labels)
    made["spec"] = {
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": spec},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    }
    return made


def calico_node(plan: Plan) -> Object:
    """The DaemonSet calico-node; Canal's has flannel's container, too."""
    tolerations = [
        {"effect": "NoSchedule", "operator": "Exists"},
        {"key": "CriticalAddonsOnly", "operator": "Exists"},
        {"effect": "NoExecute", "operator": "Exists"},
    ]
    flannel = [_flannel_container()] if plan.topology.overlay == "canal" else []
    return _daemonset(
        plan.topology.agent,
        {
            "nodeSelector": _LINUX,
            "hostNetwork": True,
            "tolerations": tolerations,
            "serviceAccountName": plan.topology.agent,
            "serviceAccount": plan.topology.agent,
            "terminationGracePeriodSeconds": 0,
            "priorityClassName": "system-node-critical",
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "initContainers": _init_containers(plan),
            "containers": [_calico_container(plan), *flannel],
            "volumes": _volumes(),
        },
    )


def _kube_proxy() -> Object:
    command = [
        "/usr/local/bin/kube-proxy",
        "--config=/var/lib/kube-proxy/config.conf",
        "--hostname-override=$(NODE_NAME)",
    ]
    container: Object = {
        "name": "kube-proxy",
        "image": f"registry.k8s.io/kube-proxy:{KUBERNETES_VERSION}",
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": [_field("NODE_NAME", "spec.nodeName")],
        "securityContext": {"privileged": True},
    }
    return _daemonset(
        "kube-proxy",
        {
            "nodeSelector": _LINUX,
            "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "serviceAccountName": "kube-proxy",
            "priorityClassName": "system-node-critical",
            "containers": [container],
        },
    )
