# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""typing.NamedTuple for programs that live for a tenth of a second.

The standard one compiles code for every class that it makes, and each field's annotation besides, at ten times the
price. There are dozens of records on a node's way, most of them made a few times or never.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from operator import itemgetter

    class _RecordType(type):
        """Turns a class' annotations into fields. What a field is set to in the class is its default."""

        def __new__(cls, name, bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            namespace.update((field, property(itemgetter(number))) for number, field in enumerate(fields))
            namespace.update(__slots__=(), _fields=fields, _field_defaults=defaults)
            return super().__new__(cls, name, bases, namespace)

    class NamedTuple(tuple, metaclass=_RecordType):
        """A tuple whose values have names, with what of typing.NamedTuple is in use here."""

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = _completed(cls, values, named)
            return tuple.__new__(cls, values)

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in zip(self._fields, self))})"

        def __getnewargs__(self):
            return tuple(self)

        def _asdict(self):
            return dict(zip(self._fields, self))

        def _replace(self, **named):
            made = tuple.__new__(type(self), map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{type(self).__name__} has no {', '.join(named)}")
            return made

    def _completed(cls, values, named):
        """Return the values of all fields. Raises TypeError where a function with these parameters would."""
        missing = cls._fields[len(values) :]
        if len(named) < len(missing):
            named = dict([pair for pair in cls._field_defaults.items() if pair[0] in missing], **named)
        if named.keys() != set(missing) or len(values) > len(cls._fields):
            raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}; not {values!r} and {named!r}")
        return values + tuple([named[field] for field in missing])


__all__ = ["NamedTuple"]
