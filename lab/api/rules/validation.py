# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server makes of an object before it stores it: known fields only, with defaults, judged.

Custom kinds are judged by the openAPIV3Schema of their CustomResourceDefinition, built-in ones by the models of the
`kubernetes` client and the rules in `semantics`. Defaults of built-in kinds are not put in here (`lab.api.defaults`).
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import core, core_types, custom, names, semantics
from .core import WrongTypeError, refusal
from .limits import check_depth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..errors import ApiError
    from ..kinds import Kind
    from .causes import Cause

Object = dict[str, Any]

_DEFINITION = re.compile(r"^kind: CustomResourceDefinition\s*$", re.MULTILINE)
_NAME = re.compile(r"^  name: [\"']?([a-z0-9.-]+)[\"']?\s*$", re.MULTILINE)
_DOCUMENT = re.compile(r"^---.*$", re.MULTILINE)


class Checked(NamedTuple):
    """An object as it would be stored, and what is wrong with it: nothing, or causes for `lab.api.errors.invalid`."""

    object: Object
    causes: list[Cause]


class Schemas:
    """The schemas of the custom kinds, by "plural.group".

    A kind without a schema passes with whatever fields it has; `notes` says so. Texts of definitions are kept as they
    are and parsed when a kind is asked for first: a file of them takes seconds.
    """

    def __init__(self, definitions: Iterable[Object] = (), notes: Iterable[str] = ()) -> None:
        self.notes: list[str] = list(notes)
        self._texts: dict[str, str] = {}
        self._definitions: dict[str, Object] = {}
        for definition in definitions:
            self.learn(definition)

    @classmethod
    def load(cls, directory: Path | str | None) -> Schemas:
        """Read every *.yaml of a folder. What cannot be read is said in `notes`, and those kinds pass unjudged."""
        found = cls()
        if directory is None:
            found.notes.append("No schemas of custom resources are at hand: custom resources are stored unjudged.")
            return found
        files = sorted(Path(directory).glob("*.y*ml"))
        if not files:
            found.notes.append(f"{directory} has no schemas: custom resources are stored unjudged.")
        for file in files:
            try:
                text = file.read_text("utf-8")
            except (OSError, ValueError) as error:
                found.notes.append(f"{file} cannot be read: {error}")
            else:
                found.learn_texts(text)
        return found

    def learn_texts(self, text: str) -> None:
        """Take the CustomResourceDefinitions in a YAML stream; the first of a name counts."""
        for document in _DOCUMENT.split(text):
            name = _NAME.search(document)
            if name is not None and _DEFINITION.search(document):
                self._texts.setdefault(name[1], document)

    def learn(self, definition: Object) -> None:
        """Take a CustomResourceDefinition, for instance one that a client created; the last of a name counts."""
        name = (definition.get("metadata") or {}).get("name")
        if isinstance(name, str):
            self._definitions[name] = definition

    def forget(self, name: str) -> None:
        """Drop what is known of "plural.group"."""
        self._definitions.pop(name, None)
        self._texts.pop(name, None)

    def names(self) -> list[str]:
        """The kinds that have a schema, as "plural.group"."""
        return sorted({*self._texts, *self._definitions})

    def definition(self, name: str) -> Object | None:
        """The CustomResourceDefinition of "plural.group", None if it is not known."""
        if name not in self._definitions and name in self._texts:
            self._definitions[name] = self._parsed(name)
        return self._definitions.get(name)

    def _parsed(self, name: str) -> Object:
        import yaml

        try:
            found = yaml.load(self._texts[name], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self.notes.append(f"The definition {name} cannot be read: {error}")
            return {}
        return found if isinstance(found, dict) else {}

    def of(self, kind: Kind) -> Mapping[str, Any] | None:
        """The openAPIV3Schema of a custom kind in its version, None if there is none."""
        if not kind.custom:
            return None
        spec = (self.definition(kind.resource) or {}).get("spec") or {}
        for version in spec.get("versions") or ():
            if version.get("name") == kind.version:
                found = (version.get("schema") or {}).get("openAPIV3Schema")
                return found if isinstance(found, dict) else None
        return None

    def left_out(self, kind: Kind) -> list[tuple[str, str]]:
        """The rules of a custom kind that are not evaluated because they are written in CEL: field path and rule."""
        schema = self.of(kind)
        return list(custom.rules_left_out(schema)) if schema is not None else []

    def check(self, kind: Kind, obj: Object, old: Object | None = None) -> Checked:
        """The object without unknown fields and, for a custom kind, with defaults; and what is wrong with it.

        `old`: the object before an update, for what must not change. ApiError 400 if a field is of a type that the
        server cannot even decode.
        """
        check_depth(obj)
        known = self._known(kind, obj)[0]
        found: list[Cause] = []
        metadata = known.get("metadata")
        if isinstance(metadata, dict):
            found += names.check_metadata(metadata, kind)
        if kind.custom:
            schema = self.of(kind)
            if schema is not None:
                known = custom.defaulted(known, schema)
                found += custom.check(known, schema)
            return Checked(known, found)
        model = core_types.model_of(kind)
        if model:
            missing = list(core.missing(known, model))
            found += [cause for cause in missing if cause not in found]
            found += [cause for cause in semantics.check(kind, known, old) if cause not in found]
        return Checked(known, found)

    def unknown(self, kind: Kind, obj: Object) -> list[str]:
        """What `fieldValidation` Warn and Strict say: `unknown field "spec.nonsense"`; ApiError 400 as `check`."""
        check_depth(obj)
        return [f'unknown field "{path}"' for path in self._known(kind, obj)[1]]

    def _known(self, kind: Kind, obj: Object) -> tuple[Object, list[str]]:
        if not isinstance(obj, dict):
            raise refusal(kind, "json: cannot unmarshal into Go value of type map[string]interface {}")
        try:
            if not kind.custom:
                return _built_in(kind, obj)
            schema = self.of(kind)
            known, unknown = custom.pruned(obj, schema) if schema is not None else (copy.deepcopy(obj), [])
            if known.get("metadata") is not None:
                known["metadata"], more = core.decoded(known["metadata"], "V1ObjectMeta", "metadata")
                unknown = [*unknown, *more]
        except WrongTypeError as error:
            raise refusal(kind, error) from error
        return known, sorted(unknown)


def _built_in(kind: Kind, obj: Object) -> tuple[Object, list[str]]:
    model = core_types.model_of(kind)
    if not model:
        return copy.deepcopy(obj), []
    known, unknown = core.decoded(obj, model)
    status = core_types.fields(model).get("status")
    if status is not None and status.type.form == "model" and isinstance(known.get("status"), dict):
        core.filled(known["status"], status.type.model)
    return known, unknown


def strict_error(kind: Kind, problems: list[str]) -> ApiError:
    """400 for `fieldValidation=Strict`, with what `Schemas.unknown` found."""
    return refusal(kind, f"strict decoding error: {', '.join(problems)}")
