# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""get and list. Source: k8s.io/apiserver, pkg/endpoints/handlers/get.go."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from . import errors, selection, tables, views
from .entry import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .calls import Response
    from .entry import Entry, Object
    from .paging import Page
    from .target import Target


def get(target: Target) -> Response:
    """One object."""
    return target.answer_entry(target.store.entry(target.stored, target.namespace, target.route.name))


def list_(target: Target) -> Response:
    """All that is selected, or a page of it."""
    _check_version(target)
    chosen = selection.of(target)

    def now() -> tuple[list[Entry], int]:
        entries, version = target.store.entries(target.stored, chosen.namespace)
        return entries if chosen.everything else [each for each in entries if chosen.matches(each)], version

    selectors = [target.request.param(name) for name in ("labelSelector", "fieldSelector")]
    path = "\n".join([target.stored.resource, target.namespace, *selectors])
    page = target.api.pages.page(path, now, target.request.number("limit"), target.request.param("continue"))
    return target.written(_written(target, page, chosen.everything))


def metadata(page: Page, everything: bool) -> Object:
    """ListMeta. How many are left is told only where nothing is selected, as by a real server."""
    found: Object = {"resourceVersion": str(page.version)}
    if page.following:
        found["continue"] = page.following
        if everything:
            found["remainingItemCount"] = page.remaining
    return found


def _written(target: Target, page: Page, everything: bool) -> bytes:
    kind, version, head = target.kind, target.route.version, metadata(page, everything)
    if target.form.shape == "Table":
        included, now = target.request.param("includeObject"), time.time()
        rows = (
            tables.row(kind, views.decode(each, kind, version), included, target.form.version, now)
            for each in page.entries
        )
        return encoded(tables.table(kind, rows, target.form, head))
    if target.form.shape:
        start = b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/%s","metadata":'
        start = start % target.form.version.encode()
        items: Iterable[bytes] = (start + each.metadata + b"}" for each in page.entries)
        return _list("PartialObjectMetadataList", f"meta.k8s.io/{target.form.version}", head, items)
    items = (views.listed(each, kind, version) for each in page.entries)
    return _list(kind.list_kind, kind.api_version_of(version), head, items)


def _list(kind: str, api_version: str, head: Object, items: Iterable[bytes]) -> bytes:
    start = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":['
    return start % (kind.encode(), api_version.encode(), encoded(head)) + b",".join(items) + b"]}"


def _check_version(target: Target) -> None:
    """A version that is not yet: a list that old clients would wait for (storage/errors.go)."""
    text = target.request.param("resourceVersion")
    if text and not re.fullmatch(r"\d{1,19}", text):
        raise errors.invalid(
            target.kind, "", [("FieldValueInvalid", f'Invalid value: "{text}": strconv.ParseUint', "resourceVersion")]
        )
    if text and int(text) > target.store.version:
        raise errors.version_too_large(int(text), target.store.version)
