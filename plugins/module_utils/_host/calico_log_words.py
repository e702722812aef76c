# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words by which telling lines of the logs of Calico's programs, flannel and kubelet are known, by kind.

They are those of Calico 3.20 to 3.33 (the check of rp_filter is of 3.0 to 3.19): startup.go, autodetection_methods.go
and filtered.go below node/pkg/lifecycle/startup, token_watch.go in node/pkg/cni; daemon.go, route_mgr.go,
ipip_mgr.go, int_dataplane.go and table.go below felix; client.go and resource.go below confd/pkg; sync_client.go,
discovery.go, tlsutils.go and daemon.go below typha/pkg; health.go, watchercache.go and errors.go below
libcalico-go/lib; plugin.go in cni-plugin/pkg/plugin, whose messages kubelet passes on. Flannel's (0.15 to 0.28) are
those of main.go and pkg/subnet/kube/kube.go, kubelet's those of prober.go and others. install.go in
cni-plugin/pkg/install and main.go in kube-controllers/cmd say what they wanted of the API server; setup.go in K3s'
pkg/agent/flannel passes on flannel's end; core_controller.go of the operator tells of its move,
typha_autoscaler.go there of nodes for Typha. Felix and confd pass on what iptables, ipset, nft and text/template say,
in these programs' own words. "Invalid argument" is what the kernel answers to ipset where it has no sets at all
(nfnetlink_rcv_msg() in net/netfilter/nfnetlink.c: no such subsystem).
Of a resource that the API server does not have errors.go in libcalico-go says so, and the CNI plugin passes that on.
Without a podCIDR node.go in libcalico-go's Kubernetes backend and utils.go in the CNI plugin say so.
"""

from __future__ import annotations

AUTODETECTED = "autodetected"
# Interfaces of containers, pods, services and tunnels: nodes do not know each other by an address on one of them.
ODD_INTERFACES = (
    *("br-", "cali", "cbr", "cilium", "cni", "docker", "flannel", "incusbr", "kube-bridge", "kube-ipvs"),
    *("lxcbr", "lxdbr", "mpqemubr", "nerdctl", "nodelocaldns", "podman", "tunl", "vboxnet", "veth", "virbr", "vmnet"),
    *("vxlan", "weave", "wg-v6.cali", "wireguard.cali"),
)
CHECKSYSTEM = "module as Loaded/Builtin"
LEVELS = ("[WARNING]", "[ERROR]", "[FATAL]", "[PANIC]")
# What any program of calico-node may say at level INFO and that tells something all the same.
TOLD_CALMLY = (
    "Hit error connecting to datastore",
    "Failed to perform list of current data",
    "Failed to create watcher",
    "is unauthorized",
    "will check for conflicts",
    "Using autodetected IPv",
    "Using detected IP",
    "Using stored node name",
    "Clearing out-of-date IPv",
    "already using the IPv",
    "is already in use by host",
    "Calico node failed to start",
    "Cannot pick an IPv",
    "Host MTU changed",
    "already exists for an interface other than",
    "x509: ",
    # An end of a connection tells the other one why it hangs up (Go's crypto/tls); Typha says that at level INFO.
    "remote error: tls: ",
    # What the operator, which writes JSON, says of its move.
    "error migrating resources to",
    "can not be managed by Tigera Operator",
    # etcd's client of the time before its version 3
    "etcd cluster is unavailable or misconfigured",
    "terminated",
    "panic: ",
    "fatal error: ",
    "[signal SIG",
    # What other programs print between them.
    "Couldn't load ",
    "do you need to insmod?",
    "missing kernel module?",
    "set type not supported",
    "Kernel error received: Invalid argument",
    "schedule typha pods on",
    "Cannot open session to kernel",
    "Failed to initialize nft",
    CHECKSYSTEM,
    "Kernel and userspace incompatible",
    "Kernel support protocol version",
    "iptables-legacy tables present",
    "is incompatible, use 'nft' tool",
    "modprobe: ",
    "Kernel's RPF check",
    "table full, dropping packet",
    # text/template's own words, and BIRD's for what confd did not write.
    ': executing "',
    # client-go's own lines have no level that is known here.
    'resource "secrets"',
)
# What looks like trouble and is none: Felix tries modules that many kernels rightly lack.
HARMLESS = ("attempted to modprobe", "nf_conntrack_proto_sctp")
# Calico's own IPAM (ipam.go and ipam_types.go below libcalico-go/lib/ipam, cni-plugin/pkg/ipamplugin), and host-local.
_NO_ADDRESS = (
    ("ipam", "No more free affine blocks"),
    ("ipam", "due to per host block limit"),
    ("ipam", "no configured Calico pools"),
    ("ipam", "No configured Calico pools"),
    ("ipam", "cannot find a qualified ippool"),
    ("ipam", "out of 1 requested IPv"),
    ("ipam", "IPAM allocated only 0"),
    ("ipam", "No IPs available in pools"),
    ("ipam", "no IP addresses available in range set"),
    # Of calico-node, which wants one for its tunnel device at its start (allocateip.go of earlier releases).
    ("ipam", "pools are likely exhausted"),
    # the CNI plugin's before 1.5, which was written in Python
    ("ipam", " addresses available in pool"),
    # host-local's words before 0.7 of the CNI plugins
    ("ipam", "no IP addresses available in network: "),
)
# The first that stands in a line counts.
CALICO_LINES = (
    # The operator's reasons are in others' words ("no valid IPv4 pools").
    ("migration", "error migrating resources to"),
    ("migration", "can not be managed by Tigera Operator"),
    ("autodetection", "Couldn't autodetect an IPv"),
    ("autodetection", "Unable to auto-detect"),
    ("autodetection", "Autodetection of IPv"),
    ("autodetection", "IP autodetection method"),
    ("autodetection", "no valid IPv"),
    ("autodetection", "Clearing out-of-date IPv"),
    ("autodetected", "Using autodetected IPv"),
    ("autodetected", "Using detected IP"),
    ("node_ip_conflict", "already using the IPv"),
    ("node_ip_conflict", "is already in use by host"),
    ("node_ip_conflict", "conflicting node detected"),
    ("node_ip_not_on_host", "Unable to confirm IPv"),
    ("node_ip_not_on_host", "unable to find parent interface"),
    ("node_ip_not_on_host", "Failed to find parent device"),
    ("node_ip_changed", "address has changed. This could happen"),
    ("node_ip_found_anew", "will check for conflicts"),
    ("node_ip_without_mask", "Unable to find matching host interface for IP"),
    ("nodename_missing", "stat /var/lib/calico/nodename"),
    ("nodename_stored", "Using stored node name"),
    ("unauthorized", "is unauthorized"),
    ("unauthorized", "Unauthorized"),
    ("tls", "x509: "),
    ("tls", "tls: "),
    ("tls", "peer certificate does not have required"),
    ("typha_discovery", "find any ready Typha"),
    ("typha_discovery", "Typha discovery enabled but discovery failed"),
    ("typha_discovery", "Unable to get Typha service endpoints"),
    ("typha_discovery", "Unable to get service endpoints from Kubernetes"),
    ("typha", "connect to Typha"),
    ("typha", "connect to typha endpoint"),
    ("typha", "Connection to Typha failed"),
    ("node_missing", "resource does not exist: Node("),
    ("datastore", "Unable to access datastore"),
    ("datastore", "etcd cluster is unavailable or misconfigured"),
    ("datastore", "Hit error connecting to datastore"),
    ("datastore", "Failed to read Node from datastore"),
    ("datastore", "Failed to get config from datastore"),
    ("datastore", "failed to fetch node resource"),
    ("datastore", "datastore is not ready"),
    ("datastore", "Error getting cluster information"),
    ("datastore", "Unable to set node resource configuration"),
    ("datastore", "Unable to set NetworkUnavailable"),
    ("datastore", "Failed to set NetworkUnavailable"),
    ("datastore", "Failed to perform list of current data"),
    ("datastore", "Failed to create watcher"),
    ("datastore", "Failed to connect to datastore"),
    ("datastore", "Failed to initialize datastore"),
    ("datastore", "Failed to initialize Calico datastore"),
    ("datastore", "Error initializing datastore"),
    ("datastore", "Connection to datastore has failed"),
    ("rpf_check", "Kernel's RPF check"),
    ("conntrack_full", "table full, dropping packet"),
    # ipset's and iptables' words, which Felix passes on: they say more than what Felix makes of them.
    ("ipset_incompatible", "Kernel and userspace incompatible"),
    ("ipset_incompatible", "Kernel support protocol version"),
    ("kernel_lacks", "set type not supported"),
    ("kernel_lacks", "Kernel error received: Invalid argument"),
    ("kernel_lacks", "Cannot open session to kernel"),
    ("kernel_lacks", "Couldn't load match"),
    ("kernel_lacks", "Couldn't load target"),
    ("kernel_lacks", "do you need to insmod?"),
    ("kernel_lacks", "missing kernel module?"),
    ("kernel_lacks", "Failed to initialize nft"),
    ("kernel_lacks", CHECKSYSTEM),
    ("kernel_lacks", "not found in directory /lib/modules"),
    ("kernel_lacks", "enabled but not supported by the kernel"),
    ("kernel_lacks", "list routing rules, retrying... error=address family not supported"),
    ("kernel_lacks", "list routing rules, retrying... error=operation not supported"),
    ("iptables_backend", "incompatible nft rules"),
    ("iptables_backend", "is incompatible, use 'nft' tool"),
    ("iptables_backend", "iptables-legacy tables present"),
    ("iptables_backend", "does not match the detected backend"),
    ("render", "Unable to process template"),
    ("render", "Missing template: "),
    ("render", "Cannot process template resource"),
    ("render", ': executing "'),
    ("render", "Failed to create main Calico client"),
    ("render", "Failed to load Calico client configuration"),
    ("render", "Failed to query current BGP settings"),
    ("rp_filter", "RPFilter"),
    ("rp_filter", "rp_filter"),
    ("podcidr", "does not have podCIDR"),
    ("podcidr", "no podCidr for node"),
    ("podcidr", 'Failed to parse Node PodCIDR CIDR=""'),
    ("tunnel_absent", 'interface not present ifaceRegex="^vxlan'),
    ("tunnel", "tunnel device"),
    # ipip_mgr.go of the releases that had one, of tunl0
    ("tunnel", "Failed to list interface addresses"),
    ("tunnel", "Cannot pick an IPv"),
    ("tunnel", "Failed to create VXLAN device"),
    ("tunnel", "VXLAN FDB"),
    ("mtu", "Host MTU changed"),
    ("mtu", "Configured MTU is larger"),
    ("mtu", "auto-detect host MTU"),
    ("mtu", "MTU file"),
    ("iptables", "tables-restore command"),
    ("iptables", "Failed to program iptables"),
    ("iptables", "tables-save command"),
    ("nftables", "Failed to program nftables"),
    ("ipset", "ipset"),
    ("kernel_module", "Failed to load module"),
    ("kernel_module", "modprobe: "),
    ("encapsulation_change", "Exiting for encapsulation change"),
    ("health_port", "Health endpoint failed"),
    ("health", "Reporter is not live"),
    ("health", "Reporter is not ready"),
    ("token", "Failed to update CNI token"),
    ("token", "Unable to create token for CNI kubeconfig"),
    ("typha_placing", "schedule typha pods on"),
    ("password_secret", "Can't read password"),
    ("password_secret", 'resource "secrets"'),
    ("peer_address", "PeerIP is not assigned or is malformed"),
    ("config_error", "Error from checkcmd"),
    ("config_error", "Config check failed"),
    *_NO_ADDRESS,
    ("pod_route_taken", "route (Ifindex: "),
    ("pod_setup", "Final result of CNI ADD was an error"),
    ("crash", "panic: "),
    ("crash", "fatal error: "),
    ("crash", "[signal SIG"),
    ("terminated", "Calico node failed to start"),
    ("terminated", "Terminating"),
    ("terminated", "terminated"),
    ("terminated", "Exiting"),
    ("terminated", "shutting down"),
)
# Probes of pods, registries of images and much else are dialled from a node, too: only with one of these is it the API
# server, or etcd, that a line of kubelet's is about, by its path or port, or by the plugin that asks for it.
_DIAL = "dial tcp"
_OF_THE_API = (
    *("/api/v1", "/apis/", "/api?", ":6443", "etcd", "ClusterInformation", "Multus"),
    *("network for", "etworkPlugin", '" network: ', 'plugin type="calico'),
)
# What calico-node says at its start until it says that all is well.
VERIFIED = "Datastore connection verified"
UNTIL_VERIFIED = ("Hit error connecting to datastore", "Connection to the datastore is unauthorized")
KUBELET_LINES = (
    ("calico_not_ready", "calico/node is not ready"),
    ("calico_not_ready", "calico/node check error"),
    ("calico_not_live", "is not live: "),
    ("probe_errored", "Probe errored"),
    ("probe_errored", "ExecSync"),
    ("nodename_missing", "stat /var/lib/calico/nodename"),
    ("podcidr", "no podCidr for node"),
    ("pod_route_taken", "route (Ifindex: "),
    ("node_missing", "resource does not exist: Node("),
    # K3s and RKE2 run flannel in the same process; this is the kernel's answer to the making of its device.
    ("kernel_lacks", "flannel exited: operation not supported"),
    ("unauthorized", "connection is unauthorized"),
    ("mtu", "failed to read MTU file"),
    ("cni_not_ready", "cni plugin not initialized"),
    ("cni_not_ready", "cni config uninitialized"),
    ("cni_not_ready", "network plugin is not ready"),
    ("certificate", "certificate has expired"),
    # kubelet of its own one, by which it would ask for a new one (bootstrap.go); it ends then, and starts again.
    ("certificate", "existing bootstrap client certificate"),
    ("certificate", "x509: "),
    ("unauthorized", "Unauthorized"),
    ("node_status", "Error updating node status"),
    ("node_status", "Failed to update lease"),
    ("node_status", "Failed to ensure lease exists"),
    ("node_status", "PLEG is not healthy"),
    ("node_status", "Node became not ready"),
    ("apiserver", "Failed to contact API server"),
    ("apiserver", "Unable to register node with API server"),
    ("apiserver", "dial tcp"),
    ("runtime", "Container runtime network not ready"),
    ("runtime", "container runtime is down"),
    ("start", "Failed to run kubelet"),
    ("start", "failed to run Kubelet"),
    ("apiserver", "error getting ClusterInformation"),
    *_NO_ADDRESS,
    ("pod_setup", 'plugin type="calico" failed'),
    ("pod_setup", "failed to setup network for sandbox"),
    ("calico_restarts", "calico-node"),
)
FLANNEL_LINES = (
    ("unauthorized", "Unauthorized"),
    ("tls", "x509: "),
    ("podcidr", "pod cidr not assigned"),
    ("podcidr", "specified in the flannel net config"),
    ("podcidr", "pod cidrs should be"),
    ("interface", "Failed to find any valid interface"),
    ("interface", "Failed to find interface to use"),
    ("interface", "failed to get default interface"),
    ("kernel_lacks", "operation not supported"),
    ("apiserver", "dial tcp"),
    ("apiserver", "Failed to create SubnetManager"),
    ("network_config", "etch network config"),
    ("network_config", "Error registering network"),
    ("network_config", "Error fetching backend"),
    ("kernel_module", "br_netfilter"),
    ("iptables", "iptables"),
)


def of_kubelet(text: str) -> tuple[str, str]:
    """Return of which kind what kubelet says is, and the words that say so; '' for what tells nothing."""
    for kind, words in KUBELET_LINES:
        if words in text and (words != _DIAL or any(one in text for one in _OF_THE_API)):
            return kind, words
    return "", ""
