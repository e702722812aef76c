# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an object is still what it was when it was looked at. Pure."""

from __future__ import annotations

from . import fields
from .resources import refused
from .views import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Union

    from .._cluster.problems import ApiError
    from .resources import Ref

    Found = Union[dict[str, Any], None]


def check_uid(ref: Ref, found: dict[str, Any], uid: str | None) -> None:
    """Raise ApiError if the object is not the one that was meant."""
    if uid and meta(found, "uid") != uid:
        raise refused(f"{ref.label} is another object of that name than the one that was looked at.")


def check_expected(ref: Ref, found: dict[str, Any], expect: dict[str, Any] | None) -> None:
    """Raise ApiError if a field has not the value that it had when it was looked at."""
    missed = fields.unmet(found, expect or {})
    if missed is not None:
        raise changed_since(ref, missed)


def changed_since(ref: Ref, path: Sequence[Any]) -> ApiError:
    """Return the refusal to change a field that is not as it was looked at."""
    return refused(
        f"{fields.shown(path)} of {ref.label} is not what it was when it was looked at: somebody has changed it since. "
        "Diagnose again."
    )


def own(made: dict[str, Any]) -> dict[str, Any]:
    """What an object must have to be the one that was or would be made: all but what the server converts or keeps."""
    return {name: value for name, value in made.items() if name not in ("apiVersion", "status")}


def creation(ref: Ref, made: dict[str, Any]) -> Callable[[Found], Found]:
    """Return how to decide whether an object is to be made: not if it is there as it would be made."""

    def decide(found: Found) -> Found:
        if found is None:
            return fields.copied(made)  # type: ignore[no-any-return]
        missed = fields.unmet(found, own(made))
        if missed is not None:
            raise refused(f"There is a {ref.label} already, and its {fields.shown(missed)} is another.")
        return found

    return decide
