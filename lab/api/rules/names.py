# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and annotations: their syntax, in the words of the API server.

Source: k8s.io/apimachinery/pkg/util/validation and pkg/api/validation (objectmeta.go).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kinds import Kind
    from .causes import Cause

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_NAME})?"
_START_AND_END = "must start and end with an alphanumeric character"
_LABEL_WORDS = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_START_AND_END} "
    f"(e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    f"{_START_AND_END} (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_LABEL_1035}')"
)
_NAME_WORDS = (
    f"must consist of alphanumeric characters, '-', '_' or '.', and {_START_AND_END} (e.g. 'MyName',  or 'my.name',  "
    f"or '123-abc', regex used for validation is '{_NAME}')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    f"{_START_AND_END} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE}')"
)
_QUALIFIED_WORDS = (
    f"a valid label key {_NAME_WORDS} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
MOST_ANNOTATIONS = 256 * 1024


def _syntax(text: str, expression: str, most: int, words: str) -> list[str]:
    problems = [] if len(text.encode("utf-8", "surrogatepass")) <= most else [_no_longer(most)]
    return problems if re.fullmatch(expression, text, re.ASCII) else [*problems, words]


def _no_longer(most: int) -> str:
    return f"must be no more than {most} bytes"


def dns_label(text: str) -> list[str]:
    """What keeps a text from being a DNS-1123 label."""
    return _syntax(text, _LABEL, 63, _LABEL_WORDS)


def dns_subdomain(text: str) -> list[str]:
    """What keeps a text from being a DNS-1123 subdomain."""
    return _syntax(text, _SUBDOMAIN, 253, _SUBDOMAIN_WORDS)


def dns_1035_label(text: str) -> list[str]:
    """What keeps a text from being a DNS-1035 label, as names of Services are."""
    return _syntax(text, _LABEL_1035, 63, _LABEL_1035_WORDS)


def path_segment(text: str) -> list[str]:
    """What keeps a text from being a part of a URL, as names of roles are."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{letter}'" for letter in "/%" if letter in text]


def label_value(text: str) -> list[str]:
    """What keeps a text from being the value of a label."""
    return _syntax(text, _VALUE, 63, _VALUE_WORDS)


def qualified_name(text: str) -> list[str]:
    """What keeps a text from being the key of a label: a name, before it perhaps a domain and a slash."""
    prefix, slash, name = text.rpartition("/")
    if prefix.count("/"):
        return [_QUALIFIED_WORDS]
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in dns_subdomain(prefix)]
    if not name:
        return [*problems, "name part must be non-empty", f"name part {_NAME_WORDS}"]
    return problems + [f"name part {problem}" for problem in _syntax(name, _NAME, 63, _NAME_WORDS)]


_RULES = {
    "services": dns_1035_label,
    "namespaces": dns_label,
    "roles": path_segment,
    "clusterroles": path_segment,
    "rolebindings": path_segment,
    "clusterrolebindings": path_segment,
    "apiservices": path_segment,
}


def check_metadata(metadata: dict[str, Any], kind: Kind) -> Iterator[Cause]:
    """What of an object's metadata breaks the rules for all objects."""
    yield from _check_name(metadata, kind)
    yield from _check_namespace(metadata, kind)
    for name, value in (metadata.get("labels") or {}).items():
        for problem in qualified_name(name):
            yield causes.invalid("metadata.labels", name, problem)
        for problem in label_value(value):
            yield causes.invalid("metadata.labels", value, problem)
    yield from _check_annotations(metadata.get("annotations") or {})
    for finalizer in metadata.get("finalizers") or []:
        for problem in qualified_name(finalizer):
            yield causes.invalid("metadata.finalizers", finalizer, problem)
    yield from _check_owners(metadata.get("ownerReferences") or [])


def _check_name(metadata: dict[str, Any], kind: Kind) -> Iterator[Cause]:
    rule = _RULES.get(kind.plural, dns_subdomain)
    name, stem = metadata.get("name") or "", metadata.get("generateName") or ""
    if stem:
        # A trailing dash is good: letters follow.
        for problem in rule(f"{stem[:-2]}a" if stem.endswith("-") and len(stem) > 1 else stem):
            yield causes.invalid("metadata.generateName", stem, problem)
    if name:
        for problem in rule(name):
            yield causes.invalid("metadata.name", name, problem)
    elif not stem and "create" in kind.verbs and len(kind.verbs) > 1:
        yield causes.required("metadata.name", "name or generateName is required")


def _check_namespace(metadata: dict[str, Any], kind: Kind) -> Iterator[Cause]:
    namespace = metadata.get("namespace") or ""
    if not kind.namespaced:
        if namespace:
            yield causes.forbidden("metadata.namespace", "not allowed on this type")
    elif not namespace:
        yield causes.required("metadata.namespace")
    else:
        for problem in dns_label(namespace):
            yield causes.invalid("metadata.namespace", namespace, problem)


def _check_annotations(annotations: dict[str, str]) -> Iterator[Cause]:
    for name in annotations:
        for problem in qualified_name(name.lower()):
            yield causes.invalid("metadata.annotations", name, problem)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for pair in annotations.items() for text in pair)
    if size > MOST_ANNOTATIONS:
        yield causes.too_long("metadata.annotations", MOST_ANNOTATIONS)


def _check_owners(owners: list[dict[str, Any]]) -> Iterator[Cause]:
    path = "metadata.ownerReferences"
    for place, owner in enumerate(owners):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                yield causes.required(f"{path}[{place}].{name}", "must not be empty")
    controllers = [owner for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        first, second = (f"{owner.get('kind', '')}/{owner.get('name', '')}" for owner in controllers[:2])
        yield causes.invalid(
            path,
            owners,
            f'Only one reference can have Controller set to true. Found "true" in references for {first} and {second}',
        )
