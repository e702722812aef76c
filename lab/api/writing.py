# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""create, update, patch, delete, deletecollection.

Source: k8s.io/apiserver, pkg/endpoints/handlers/{create,update,patch,delete}.go and pkg/registry/rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors, negotiation, selection, views, webhooks
from .calls import answer
from .deletion import Wish
from .entry import encoded
from .rules import patches, validation

if TYPE_CHECKING:
    from .calls import Request, Response
    from .entry import Entry, Object
    from .kinds import Kind
    from .target import Target

# Deleted objects of these come back; of others a Status tells of the deletion (ReturnDeletedObject).
_RETURNED = ("namespaces", "pods", "resourcequotas", "serviceaccounts", "services")
# Groups whose objects cannot be updated without saying from which version (AllowUnconditionalUpdate).
_CONDITIONAL = (
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
    "policy",
)
_PROPAGATIONS = ("Background", "Foreground", "Orphan")
_VALIDATIONS = ("Ignore", "Warn", "Strict")
_OPTIONS = "DeleteOptions"


def create(target: Target) -> Response:
    """POST"""
    obj = target.body()
    check_type(obj, target.kind, target.route.version)
    warnings = unknown_fields(target, obj)
    fresh = _from_client(target.kind, obj)
    target.api.authority.check_grant(target.user, target.stored, _placed(target, fresh), None)
    made = target.store.create(target.stored, target.namespace, fresh, manager=target.manager, dry_run=dry_run(target))
    return warned(target.answer(made, 201), warnings)


def update(target: Target) -> Response:
    """PUT"""
    obj = target.body()
    check_type(obj, target.kind, target.route.version)
    before = target.store.get(target.stored, target.namespace, target.route.name)
    warnings = unknown_fields(target, obj)
    target.api.authority.check_grant(target.user, target.stored, _placed(target, obj), before)
    if not (obj.get("metadata") or {}).get("resourceVersion") and (
        target.kind.custom or target.kind.group in _CONDITIONAL
    ):
        cause = ("FieldValueInvalid", "Invalid value: 0x0: must be specified for an update", "metadata.resourceVersion")
        raise errors.invalid(target.kind, target.route.name, [cause])
    written = target.store.replace(
        target.stored,
        target.namespace,
        target.route.name,
        obj,
        subresource=target.route.subresource,
        manager=target.manager,
        dry_run=dry_run(target),
    )
    return warned(target.answer(written), warnings)


def patch(target: Target) -> Response:
    """PATCH of all four types."""
    content_type = target.request.headers.get("content-type", "")
    if patches.plain(content_type) not in patches.accepted(target.kind):
        raise errors.unsupported_media_type(patches.accepted(target.kind))
    wanted = patches.decode(content_type, target.request.body)
    applies = patches.plain(content_type) == patches.APPLY
    force = target.request.flag("force") if "force" in target.request.query else None

    warnings: list[str] = []

    def patched(current: Object | None) -> Object:
        shown = None if current is None else views.shown(current, target.kind, target.route.version)
        made = patches.apply(
            content_type,
            shown,
            wanted,
            target.kind,
            manager=target.request.param("fieldManager") if applies else target.manager,
            force=force,
            subresource=target.route.subresource,
            schema=target.store.schema_of(target.stored),
        )
        warnings.extend(unknown_fields(target, made))
        target.api.authority.check_grant(target.user, target.stored, _placed(target, made), current)
        return made

    with target.store.lock:
        there = target.store.peek(target.stored, target.namespace, target.route.name) is not None
        manager = "" if applies else target.manager
        if applies and not there and not target.route.subresource:
            made = _applied_anew(target, patched(None))
            return warned(target.answer(made, 201), warnings)
        written = target.store.mutate(
            target.stored,
            target.namespace,
            target.route.name,
            patched,
            subresource=target.route.subresource,
            manager=manager,
            dry_run=dry_run(target),
        )
    return warned(target.answer(written), warnings)


def _applied_anew(target: Target, obj: Object) -> Object:
    obj.setdefault("metadata", {}).setdefault("name", target.route.name)
    return target.store.create(target.stored, target.namespace, _from_client(target.kind, obj), dry_run=dry_run(target))


def delete(target: Target) -> Response:
    """DELETE of one object."""
    wish = wish_of(target.request)
    current = target.store.entry(target.stored, target.namespace, target.route.name)
    gone, entirely = _discard(target, current, wish)
    if not entirely or target.kind.resource in _RETURNED:
        return target.answer_entry(gone)
    return answer(deleted(target.kind, gone))


def deleted(kind: Kind, gone: Entry) -> Object:
    """The Status that tells of a deletion."""
    details = {"name": gone.name, "kind": kind.plural, "uid": gone.uid}
    if kind.group:
        details["group"] = kind.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def delete_collection(target: Target) -> Response:
    """DELETE of all that is selected."""
    wish = wish_of(target.request)
    chosen = selection.of(target)
    found, version = target.store.entries(target.stored, chosen.namespace)
    ended = []
    for each in found:
        if chosen.matches(each):
            try:
                ended.append(_discard(target, each, wish)[0])
            except errors.NotFound:
                continue  # gone with its owner meanwhile
    head = encoded({"resourceVersion": str(version)})
    items = b",".join(views.listed(each, target.kind, target.route.version) for each in ended)
    words = (target.kind.list_kind.encode(), target.kind.api_version_of(target.route.version).encode(), head, items)
    return target.written(b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[%s]}' % words)


def _discard(target: Target, current: Entry, wish: Wish) -> tuple[Entry, bool]:
    webhooks.check(target.store, "DELETE", target.stored, current.object())
    return target.store.discard(target.stored, current.namespace, current.name, wish, dry_run=dry_run(target))


def wish_of(request: Request) -> Wish:
    """DeleteOptions from the body and the parameters; BadRequest, Invalid."""
    options: Object = {}
    if request.body.strip():
        options = negotiation.read(request.body, request.headers.get("content-type", ""))
        if options.get("kind", _OPTIONS) != _OPTIONS:
            raise errors.bad_request(f"decoded object cannot be converted to {_OPTIONS}")
    return wish(options, request)


def wish(options: Object, request: Request) -> Wish:
    """The same from options that are there already."""
    grace: Any = options.get("gracePeriodSeconds")
    if grace is None and "gracePeriodSeconds" in request.query:
        text = request.param("gracePeriodSeconds")
        grace = int(text) if text.lstrip("-").isdecimal() else None
    propagation = options.get("propagationPolicy") or request.param("propagationPolicy")
    if options.get("orphanDependents") is not None and not propagation:
        propagation = "Orphan" if options["orphanDependents"] else "Background"
    if propagation and propagation not in _PROPAGATIONS:
        supported = "Background", "Foreground", "Orphan", "nil"
        words = f'Invalid value: "{propagation}": needs to be one of {", ".join(supported)}'
        raise _invalid_option("propagationPolicy", words)
    preconditions = options.get("preconditions") or {}
    return Wish(
        grace if isinstance(grace, int) else None,
        propagation or "",
        preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "",
    )


def _invalid_option(field: str, words: str) -> errors.ApiError:
    causes = [{"reason": "FieldValueInvalid", "message": words, "field": field}]
    message = f'{_OPTIONS}.meta.k8s.io "" is invalid: {field}: {words}'
    return errors.Invalid(422, "Invalid", message, {"group": "meta.k8s.io", "kind": _OPTIONS, "causes": causes})


def unknown_fields(target: Target, obj: Object) -> list[str]:
    """What `fieldValidation` Warn (the default) has to say of an object; BadRequest if it is Strict."""
    wanted = target.request.param("fieldValidation") or "Warn"
    if wanted not in _VALIDATIONS:
        words = f'fieldValidation: Unsupported value: "{wanted}": supported values: "Ignore", "Strict", "Warn"'
        raise errors.Invalid(422, "Invalid", f'CreateOptions.meta.k8s.io "" is invalid: {words}', {})
    schemas = target.api.schemas
    if schemas is None or wanted == "Ignore":
        return []
    found = schemas.unknown(target.stored, obj)
    if found and wanted == "Strict":
        raise validation.strict_error(target.stored, found)
    return found


def warned(response: Response, warnings: list[str]) -> Response:
    """An answer that carries warnings, as `kubectl` shows them."""
    escaped = (each.replace("\\", "\\\\").replace('"', '\\"') for each in warnings)
    headers = tuple(("Warning", f'299 - "{each}"') for each in escaped)
    return response._replace(headers=(*response.headers, *headers))


def _placed(target: Target, obj: Object) -> Object:
    """The object with the name and namespace that it will have."""
    metadata = {"name": target.route.name, **(obj.get("metadata") or {}), "namespace": target.namespace}
    return {**obj, "metadata": metadata}


def dry_run(target: Target) -> bool:
    """Whether nothing shall be kept; BadRequest for other values than "All"."""
    values = [value for value in target.request.query.get("dryRun", ()) if value]
    for value in values:
        if value != "All":
            words = f'dryRun: Unsupported value: "{value}": supported values: "All"'
            causes = [{"reason": "FieldValueNotSupported", "message": words.partition(": ")[2], "field": "dryRun"}]
            details = {"group": "meta.k8s.io", "kind": "CreateOptions", "causes": causes}
            raise errors.Invalid(422, "Invalid", f'CreateOptions.meta.k8s.io "" is invalid: {words}', details)
    return bool(values)


def check_type(obj: Object, kind: Kind, version: str) -> None:
    """Refuse an object that is none, or of another kind than the path's. Built-in kinds need not say what they are."""
    expected = kind.api_version_of(version)
    if not kind.custom:
        obj["kind"] = obj.get("kind") or kind.kind
        obj["apiVersion"] = obj.get("apiVersion") or expected
    for key, title in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not obj.get(key):
            raise errors.bad_request(f"Object '{title}' is missing in '{encoded(obj).decode()[:200]}'")
    if obj["apiVersion"] != expected:
        words = "the API version in the data ({}) does not match the expected API version ({})"
        raise errors.bad_request(words.format(obj["apiVersion"], expected))
    if obj["kind"] != kind.kind:
        group, _slash, _version = expected.rpartition("/")
        named = f"{obj['kind']}.{version}.{group}" if group else f"{obj['kind']}.{version}."
        raise errors.bad_request(f'"{obj["kind"]}" ({named}) is not of the expected kind "{kind.kind}"')
    if obj.get("metadata") is not None and not isinstance(obj["metadata"], dict):
        raise errors.bad_request("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")


def _from_client(kind: Kind, obj: Object) -> Object:
    """A new object without what clients cannot set."""
    metadata = dict(obj.get("metadata") or {})
    for key in (
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "selfLink",
    ):
        metadata.pop(key, None)
    found = {**obj, "metadata": metadata}
    # A kubelet registers its Node with its status; every other status begins empty.
    if "status" in kind.subresources and kind.resource != "nodes":
        found.pop("status", None)
    return found
