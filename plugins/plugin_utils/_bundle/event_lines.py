# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubelets say in events, as lines of their logs.

Somebody who has a pod that does not start shows its events, and seldom kubelet's log, in which the same words stand. A
live run reads that log on the node itself.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._facts.host_logs import KUBE_CONTROLLERS
from ...module_utils._host.calico_log import KUBELET
from ...module_utils._host.calico_log_words import of_kubelet
from ...module_utils._host.log_lines import LONGEST_TEXT, shown
from .._evidence import plain
from . import tried_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Facts = dict[str, Any]

# Those of a plugin that cannot set a pod's network up. What probes say is read elsewhere.
_KINDS = (
    "nodename_missing",
    "node_missing",
    "podcidr",
    "unauthorized",
    "mtu",
    "certificate",
    "apiserver",
    "ipam",
    "pod_setup",
)
_OF_THE_PLUGIN = ("SandBox", "Sandbox", "sandbox", "NetworkNotReady")
_PLUGINS = re.compile(r'plugin type="([\w.-]{1,64})"')
_PLACED = re.compile(r"Successfully assigned \S{1,320} to (\S{1,253})")
# Where the plugin's own words begin, the most telling first: what stands before them is left out in long messages.
_BEGINS = (
    "Assigned 0 out of",
    "cannot allocate new block",
    "no configured Calico pools",
    "resource does not exist: ",
    *("x509: ", "dial tcp ", "connection is un", "stat /var/lib/calico", "failed to read MTU", "error "),
    *('plugin type="calico', "etworkPlugin cni failed"),
)
# What kube-controllers tells its probe (kube-controllers/cmd/kube-controllers/main.go).
_OF_CONTROLLERS = ("Error initializing datastore: ", "Error verifying datastore: ", "Error reaching apiserver: ")
# Multus' words for what the plugin that it called answered (CmdAdd() in pkg/multus/multus.go), of the network that
# Calico's manifests and operator write.
_DELEGATED = 'error adding container to network "k8s-pod-network": '
_MOST, _HEAD = 40, 60


def add(facts: dict[str, Facts], cluster: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Facts]:
    """Return the nodes' facts with what their kubelets say in events; `cluster` is the fact calico_cluster, `texts` are
    those about the cluster, of which lists of pods tell where a pod is that is not Calico's."""
    objects = plain.mapping(cluster.get("objects"))
    events = plain.mappings(objects.get("events"))
    pods = {
        plain.text(plain.mapping(one.get("metadata")).get("name")): plain.text(
            plain.mapping(one.get("spec")).get("nodeName")
        )
        for one in plain.mappings(objects.get("pods"))
    }
    told = list(_told(events, pods))
    listed = _listed(texts) if any(not one.node for one in told) else {}
    only = next(iter(facts), plain.UNNAMED) if len(facts) < 2 else ""
    placed = {match.group(1) for one in events if (match := _PLACED.search(plain.text(one.get("message"))))}
    found = dict(facts)
    at = max(map(_taken, facts.values()), default="") or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for one in told:
        there, ready = listed.get(one.pod, ("", False))
        if ready and not one.node:
            continue  # it has got over it
        name = one.node or there or (placed.pop() if len(placed) == 1 else only)
        # Addresses run out for all nodes alike: of which pod's node it is told decides nothing.
        if one.entry["kind"] == "ipam" and name == only and not one.node and not there:
            name = plain.UNNAMED
        if name:
            found[name] = _with(found.get(name, {}), one.entry, at)
    return found


def _listed(texts: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
    """Return by the pods' names where lists of pods have them, and whether they are ready there."""
    found: dict[str, tuple[str, bool]] = {}
    for path, text in texts.items():
        for plural, one in tried_by_hand.objects(path, text):
            if plural == "pods":
                status = plain.mapping(one.get("status"))
                ready = any(
                    each.get("type") == "Ready" and each.get("status") == "True"
                    for each in plain.mappings(status.get("conditions"))
                )
                name = plain.text(plain.mapping(one.get("metadata")).get("name"))
                found[name] = (plain.text(plain.mapping(one.get("spec")).get("nodeName")), ready)
    return found


class _Told(NamedTuple):
    """The line of an event, the pod it is about, and the node where that is ('' if not told)."""

    node: str
    pod: str
    entry: Facts


def _told(events: Iterable[Mapping[str, Any]], pods: Mapping[str, str]) -> Iterator[_Told]:
    """Yield what each event says that tells of the CNI plugin."""
    for one in list(events)[:_MOST]:
        message = " ".join(plain.text(one.get("message")).split())
        reason = plain.text(one.get("reason"))
        if any(words in message for words in _OF_CONTROLLERS):
            node = plain.text(plain.mapping(one.get("source")).get("host"))
            text = (
                f"{message[:_HEAD]}… {message[begins:]}" if (begins := message.find("dial tcp ")) > _HEAD else message
            )
            entry = {"at": None, "component": KUBE_CONTROLLERS, "kind": "datastore", "text": shown(text)}
            yield _Told(node, "", entry)
            continue
        kind = of_kubelet(message)[0]
        told = any(word in reason or word in message for word in _OF_THE_PLUGIN)
        if told and kind in _KINDS and _is_calicos(_PLUGINS.findall(message), message):
            about = plain.text(plain.mapping(one.get("involvedObject")).get("name"))
            node = plain.text(plain.mapping(one.get("source")).get("host")) or pods.get(about, "")
            count = plain.count(one.get("count")) or 1
            begins = next((at for words in _BEGINS if (at := message.find(words)) > _HEAD), 0)
            if begins and len(message) > LONGEST_TEXT:
                message = f"{message[:_HEAD]}… {message[begins:]}"
            entry = {"at": None, "component": KUBELET, "kind": kind, "text": shown(message)}
            yield _Told(node, about, {**entry, "count": count} if count > 1 else entry)


def _is_calicos(plugins: Sequence[str], message: str) -> bool:
    """Say whether it is not another plugin that failed: several may be chained, or call one another."""
    return not plugins or any(name.startswith("calico") for name in plugins) or _DELEGATED in message


def _taken(facts: Facts) -> str:
    return plain.text(plain.mapping(facts.get("calico_node")).get("taken_at"))


def _with(facts: Facts, entry: Facts, at: str) -> Facts:
    """Return a node's facts with one more line of its logs; those of a node of which nothing else is known are of the
    moment `at`."""
    about = plain.mapping(facts.get("calico_node"))
    host = plain.mapping(about.get("host"))
    log = [*plain.sequence(host.get("log")), entry]
    return {**facts, "calico_node": {"taken_at": at, **about, "host": {**host, "log": log}}}
