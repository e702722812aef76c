# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which form a client wants its answer, and reading the bodies that clients send.

Source: k8s.io/apiserver, pkg/endpoints/handlers/negotiation and responsewriters.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from . import errors
from .calls import JSON

if TYPE_CHECKING:
    from .entry import Object

YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
WRITTEN = (JSON, YAML, PROTOBUF)
_TRANSFORMED = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
META = "meta.k8s.io"


class Form(NamedTuple):
    """`media_type`: JSON or YAML. `shape`: "" for objects as they are, or one of `_TRANSFORMED` in `version`."""

    media_type: str = JSON
    shape: str = ""
    version: str = "v1"


def accepted(header: str) -> Form:
    """The first form in an Accept header that can be written; NotAcceptable."""
    for clause in (header or "*/*").split(","):
        media_type, *rest = (part.strip() for part in clause.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        media_type = {"*/*": JSON, "application/*": JSON, "": JSON, "text/*": JSON}.get(media_type, media_type)
        if media_type not in (JSON, YAML):
            continue
        shape = parameters.get("as", "")
        if not shape:
            return Form(media_type)
        if shape in _TRANSFORMED and parameters.get("g") == META and parameters.get("v") in ("v1", "v1beta1"):
            return Form(media_type, shape, parameters["v"])
    raise errors.not_acceptable(WRITTEN)


def written(body: bytes, form: Form) -> bytes:
    """JSON in the form asked for."""
    if form.media_type == YAML:
        return yaml.safe_dump(json.loads(body), sort_keys=False).encode()
    return body


def read(body: bytes, content_type: str) -> Object:
    """The object in a request's body; BadRequest, UnsupportedMediaType."""
    media_type = content_type.partition(";")[0].strip() or JSON
    if media_type not in (JSON, YAML):
        raise errors.unsupported_media_type(WRITTEN)
    found = decoded(body, media_type)
    if not isinstance(found, dict):
        raise errors.bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal value into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    return found


def decoded(body: bytes, media_type: str) -> Any:
    """JSON or YAML, or BadRequest in the words of the server."""
    try:
        return yaml.safe_load(body) if media_type.endswith("yaml") else json.loads(body)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        why = str(error).replace("\n", " ")
        raise errors.bad_request(f"error decoding patch: {why}" if "patch" in media_type else why) from None
