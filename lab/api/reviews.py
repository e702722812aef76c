# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that are asked by creating something: who am I, may I, may they, what may I.

Source: kubernetes, pkg/registry/authorization and pkg/registry/authentication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .calls import answer
from .writing import check_type

if TYPE_CHECKING:
    from .calls import Response
    from .entry import Object
    from .target import Target


def review(target: Target) -> Response:
    """Answer a review of any kind."""
    obj = target.body()
    check_type(obj, target.kind, target.route.version)
    obj["metadata"] = {"creationTimestamp": None, **(obj.get("metadata") or {})}
    if target.kind.group == "authentication.k8s.io":
        asked = {**obj, "status": _who(target, obj.get("spec") or {})}
        return answer(asked, 201)
    if target.kind.namespaced:
        obj["metadata"].setdefault("namespace", target.namespace)
    return answer(target.api.authority.review(target.user, target.kind, obj), 201)


def _who(target: Target, spec: Object) -> Object:
    """The status of a SelfSubjectReview or TokenReview."""
    if target.kind.plural == "selfsubjectreviews":
        return {"userInfo": target.user.described()}
    try:
        user = target.api.tokens.user(str(spec.get("token", "")), target.store)
    except errors.ApiError:
        return {"user": {}, "error": "[invalid bearer token]"}
    return {"authenticated": True, "user": user.described()}
