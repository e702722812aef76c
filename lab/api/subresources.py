# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a part of an object: scale, eviction, binding, tokens, finalizers of namespaces, logs.

Source: kubernetes, pkg/registry/core/pod/storage (eviction.go, storage.go), pkg/registry/core/serviceaccount/storage,
pkg/registry/apps/*/storage, pkg/registry/core/namespace/storage.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import disruption, errors, negotiation, views, writing
from .calls import Response, answer, text
from .identity import ISSUER
from .metadata import stamp
from .rules import patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import Object
    from .target import Target

_SHORTEST_TOKEN = 600
_HOUR = 3600
_SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def handler(verb: str, name: str) -> Callable[[Target], Response] | None:
    """What answers this verb on this subresource, None if nothing does."""
    return _HANDLERS.get((verb, name))


# scale


def _scale(obj: Object) -> Object:
    """A Scale of a workload."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    status = obj.get("status") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in kept if key in obj["metadata"]},
        "spec": {"replicas": (obj.get("spec") or {}).get("replicas", 0)},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def _get_scale(target: Target) -> Response:
    return answer(_scale(target.store.get(target.stored, target.namespace, target.route.name)))


def _rescaled(target: Target, change: Callable[[Object], Object]) -> Response:
    def scaled(obj: Object) -> None:
        wanted = change(_scale(obj))
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            words = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise errors.invalid(target.kind, target.route.name, [("FieldValueInvalid", words, "spec.replicas")])
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != obj["metadata"]["resourceVersion"]:
            raise errors.conflict(target.kind, target.route.name)
        obj["spec"]["replicas"] = replicas

    made = target.store.mutate(
        target.stored,
        target.namespace,
        target.route.name,
        scaled,
        manager=target.manager,
        dry_run=writing.dry_run(target),
    )
    return answer(_scale(made))


def _put_scale(target: Target) -> Response:
    body = target.body()
    return _rescaled(target, lambda _scale: body)


def _patch_scale(target: Target) -> Response:
    content_type = target.request.headers.get("content-type", "")
    wanted = patches.decode(content_type, target.request.body)
    if patches.plain(content_type) == patches.STRATEGIC:
        content_type = patches.MERGE  # a Scale has no lists, so both mean the same
    return _rescaled(target, lambda scale: patches.apply(content_type, scale, wanted, target.kind))


# pods


def _evict(target: Target) -> Response:
    eviction = negotiation.read(target.request.body, target.request.headers.get("content-type", ""))
    name = (eviction.get("metadata") or {}).get("name", target.route.name)
    if name != target.route.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    wish = writing.wish(eviction.get("deleteOptions") or {}, target.request)
    dry_run = writing.dry_run(target) or "All" in ((eviction.get("deleteOptions") or {}).get("dryRun") or ())
    with target.store.lock:
        disruption.check(target.store, target.store.get(target.stored, target.namespace, name))
        target.store.discard(target.stored, target.namespace, name, wish, dry_run=dry_run)
    return answer({**_SUCCESS, "code": 201}, 201)


def _bind(target: Target) -> Response:
    node = (target.body().get("target") or {}).get("name", "")

    def bound(pod: Object) -> None:
        if pod["spec"].get("nodeName"):
            why = f'pod {pod["metadata"]["name"]} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise errors.conflict(target.kind, target.route.name, why)
        pod["spec"]["nodeName"] = node

    target.store.mutate(target.stored, target.namespace, target.route.name, bound, dry_run=writing.dry_run(target))
    return answer({**_SUCCESS, "code": 201}, 201)


def _log(target: Target) -> Response:
    """What the lab's controller has to say; by default nothing."""
    pod = target.store.get(target.stored, target.namespace, target.route.name)
    return text(target.api.log(pod, target.request.param("container")))


# the rest


def _issue(target: Target) -> Response:
    account = target.store.get(target.stored, target.namespace, target.route.name)
    spec: dict[str, Any] = target.body().get("spec") or {}
    seconds = spec.get("expirationSeconds") or _HOUR
    if not isinstance(seconds, int) or seconds < _SHORTEST_TOKEN:
        words = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        details = {"causes": [{"reason": "FieldValueInvalid", "message": words, "field": "spec.expirationSeconds"}]}
        message = (
            f'TokenRequest.authentication.k8s.io "{target.route.name}" is invalid: spec.expirationSeconds: {words}'
        )
        raise errors.Invalid(422, "Invalid", message, details)
    audiences = tuple(spec.get("audiences") or (ISSUER,))
    uid = account["metadata"]["uid"]
    token = target.api.tokens.issue(target.namespace, target.route.name, uid, seconds, audiences)
    return answer(
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": target.route.name, "namespace": target.namespace},
            "spec": {"audiences": list(audiences), "expirationSeconds": seconds, "boundObjectRef": None},
            "status": {"token": token, "expirationTimestamp": stamp(time.time() + seconds)},
        },
        201,
    )


def _finalize(target: Target) -> Response:
    wanted = (target.body().get("spec") or {}).get("finalizers")

    def finalized(obj: Object) -> None:
        obj.setdefault("spec", {})["finalizers"] = list(wanted or ())

    return target.answer(target.store.mutate(target.stored, "", target.route.name, finalized, manager=target.manager))


def _get_status(target: Target) -> Response:
    found = target.store.entry(target.stored, target.namespace, target.route.name)
    return target.written(views.encode(found, target.kind, target.route.version))


_HANDLERS: dict[tuple[str, str], Callable[[Target], Response]] = {
    ("get", "scale"): _get_scale,
    ("update", "scale"): _put_scale,
    ("patch", "scale"): _patch_scale,
    ("create", "eviction"): _evict,
    ("create", "binding"): _bind,
    ("get", "log"): _log,
    ("create", "token"): _issue,
    ("update", "finalize"): _finalize,
    ("get", "status"): _get_status,
    ("update", "status"): writing.update,
    ("patch", "status"): writing.patch,
}
