# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role-based access control: who may do what.

Source: kubernetes, plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation; the words of a refusal are from
k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go. `read` gives all objects of a kind by its plural:
"roles", "clusterroles", "rolebindings", "clusterrolebindings".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..errors import ApiError
from .causes import quoted
from .reading import mapping, mappings, text, texts
from .selectors import BadSelectorError, label_selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Read = Callable[[str], Iterable[dict[str, Any]]]

Object = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
_ACCOUNT = "system:serviceaccount:"


class Asked(Protocol):
    """What is asked for. `resource` is "" for a path that names no resource; `verb` is then the lower-case method."""

    @property
    def verb(self) -> str:
        """For instance "list"."""

    @property
    def group(self) -> str:
        """API group, "" for the core."""

    @property
    def resource(self) -> str:
        """Plural."""

    @property
    def subresource(self) -> str:
        """For instance "status"."""

    @property
    def namespace(self) -> str:
        """Empty for what is asked of the whole cluster."""

    @property
    def name(self) -> str:
        """Empty for lists."""

    @property
    def path(self) -> str:
        """Of the request."""


class Request(NamedTuple):
    """A question that comes from no request, see `Asked`."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Decision(NamedTuple):
    """Whether it is allowed, and by what; for a denial what went wrong on the way, mostly ""."""

    allowed: bool
    reason: str


class Grant(NamedTuple):
    """A rule that applies to somebody, and which binding makes it so."""

    rule: Object
    source: str


def decide(read: Read, user: str, groups: Sequence[str], request: Asked) -> Decision:
    """Whether somebody may do this. Members of system:masters may do everything."""
    if MASTERS in groups:
        return Decision(True, "")
    problems: list[str] = []
    for grant in grants(read, user, groups, request.namespace, problems):
        if allows(grant.rule, request):
            return Decision(True, f"RBAC: allowed by {grant.source}")
    if not problems:
        return Decision(False, "")
    distinct = list(dict.fromkeys(problems))
    told = ", ".join(distinct)
    return Decision(False, f"RBAC: {told}" if len(distinct) == 1 else f"RBAC: [{told}]")


def grants(
    read: Read, user: str, groups: Sequence[str], namespace: str, problems: list[str] | None = None
) -> Iterator[Grant]:
    """The rules for somebody in a namespace ("" is the cluster); `problems` collects roles that are not there."""
    for plural in ("clusterrolebindings", "rolebindings") if namespace else ("clusterrolebindings",):
        for binding in read(plural):
            place = text(mapping(binding, "metadata"), "namespace")
            if plural == "rolebindings" and place != namespace:
                continue
            subject = next((each for each in mappings(binding, "subjects") if _is(user, groups, each, place)), None)
            if subject is None:
                continue
            reference = mapping(binding, "roleRef")
            rules = rules_of(read, reference, place)
            if rules is None:
                if problems is not None:
                    problems.append(_missing(reference))
                continue
            source = _described(binding, reference, subject, place)
            yield from (Grant(rule, source) for rule in rules)


def _is(user: str, groups: Sequence[str], subject: Object, namespace: str) -> bool:
    kind, name = text(subject, "kind"), text(subject, "name")
    if kind == "User":
        return user == name
    if kind == "Group":
        return name in groups
    place = text(subject, "namespace") or namespace
    return kind == "ServiceAccount" and bool(place) and user == f"{_ACCOUNT}{place}:{name}"


def _described(binding: Object, reference: Object, subject: Object, namespace: str) -> str:
    name = text(mapping(binding, "metadata"), "name")
    who = text(subject, "name")
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{text(subject, 'namespace') or namespace}"
    shown = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    return f'{shown} of {text(reference, "kind")} "{text(reference, "name")}" to {text(subject, "kind")} "{who}"'


def _missing(reference: Object) -> str:
    kind = text(reference, "kind")
    if kind not in ("Role", "ClusterRole"):
        return f"unsupported role reference kind: {quoted(kind)}"
    return f'{kind.lower()}.{GROUP} "{text(reference, "name")}" not found'


def rules_of(read: Read, reference: Object, namespace: str) -> list[Object] | None:
    """The rules of the role that a roleRef names, None if there is no such role."""
    kind, name = text(reference, "kind"), text(reference, "name")
    if kind == "ClusterRole":
        roles = list(read("clusterroles"))
        found = next((role for role in roles if text(mapping(role, "metadata"), "name") == name), None)
        return None if found is None else aggregated(found, roles)
    if kind == "Role":
        for role in read("roles"):
            metadata = mapping(role, "metadata")
            if text(metadata, "name") == name and text(metadata, "namespace") == namespace:
                return mappings(role, "rules")
    return None


def aggregated(role: Object, roles: Iterable[Object]) -> list[Object]:
    """A ClusterRole's rules; with an aggregationRule those of all roles that it selects, each once, by role name."""
    selectors = mappings(mapping(role, "aggregationRule"), "clusterRoleSelectors")
    if not selectors:
        return mappings(role, "rules")
    found: list[Object] = []
    own = text(mapping(role, "metadata"), "name")
    for other in sorted(roles, key=lambda each: text(mapping(each, "metadata"), "name")):
        metadata = mapping(other, "metadata")
        if text(metadata, "name") == own or not _selected(selectors, mapping(metadata, "labels")):
            continue
        found += [rule for rule in mappings(other, "rules") if rule not in found]
    return found


def _selected(selectors: list[Object], labels: Object) -> bool:
    for selector in selectors:
        try:
            if label_selector(selector)(labels):
                return True
        except BadSelectorError:
            continue
    return False


def allows(rule: Object, request: Asked) -> bool:
    """Whether one rule allows a request."""
    verbs = texts(rule, "verbs")
    if "*" not in verbs and request.verb not in verbs:
        return False
    if not request.resource:
        return any(covers_path(pattern, request.path) for pattern in texts(rule, "nonResourceURLs"))
    groups, names = texts(rule, "apiGroups"), texts(rule, "resourceNames")
    if "*" not in groups and request.group not in groups:
        return False
    wanted = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    good = {"*", wanted, *([f"*/{request.subresource}"] if request.subresource else [])}
    return not good.isdisjoint(texts(rule, "resources")) and (not names or request.name in names)


def covers_path(pattern: str, path: str) -> bool:
    """Whether a nonResourceURL, perhaps with a star at its end, covers a path."""
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def forbidden(user: str, request: Asked, reason: str = "") -> ApiError:
    """403, to the letter: `pods is forbidden: User "x" cannot list resource "pods" in API group "" …`."""
    if request.resource:
        resource = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
        where = f"in the namespace {quoted(request.namespace)}" if request.namespace else "at the cluster scope"
        said = f"cannot {request.verb} resource {quoted(resource)} in API group {quoted(request.group)} {where}"
    else:
        said = f"cannot {request.verb} path {quoted(request.path)}"
    said = f"User {quoted(user)} {said}"
    for letter, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        said = said.replace(letter, escaped)
    said = f"{said}: {reason}" if reason else said
    about = f"{request.resource}.{request.group}" if request.group else request.resource
    subject = f"{about} {quoted(request.name)} is " if about and request.name else f"{about} is " if about else ""
    details = {"name": request.name, "group": request.group, "kind": request.resource}
    return ApiError(
        403, "Forbidden", f"{subject}forbidden: {said}", {name: value for name, value in details.items() if value}
    )
