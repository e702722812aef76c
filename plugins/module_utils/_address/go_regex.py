# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Go's regular expressions (RE2's syntax), asked one question: does this interface's name match?

Python's own would answer differently: it takes lookaheads, backreferences and possessive repetition, which calico-node
refuses, and does not know [[:digit:]], \\z or flags in mid-pattern. It also may take for ever over a hostile pattern.
Here a pattern becomes functions on sets of positions, kept as the bits of one number: no way back, no waiting. What a
repeated part reaches from a position is found out once for each name, so that repeats in repeats are no powers of work.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Test = Callable[[str], bool]
    # Given a name and the positions reached so far, the positions reached with this part as well. What is reached from
    # several positions is what is reached from each of them, put together.
    Step = Callable[["_Name", int], int]

_MOST_REPEATS = 1000  # Go's own limit, also for repeats in repeats
_MOST_DEPTH = 100  # Go allows 1000
_MOST_LENGTH = 4096
_OCTAL = "01234567"
_HEXADECIMAL = "0123456789abcdefABCDEF"
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_DIGITS = (("0", "9"),)
_SPACES = (("\t", "\n"), ("\f", "\r"), (" ", " "))
_WORDS = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_PERL = {"d": _DIGITS, "s": _SPACES, "w": _WORDS}
_NAMED = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "ascii": (("\0", "\x7f"),),
    "blank": (("\t", "\t"), (" ", " ")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": _DIGITS,
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": (("\t", "\r"), (" ", " ")),
    "upper": (("A", "Z"),),
    "word": _WORDS,
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}


class InvalidError(ValueError):
    """Go refuses the pattern."""


class UndecidedError(ValueError):
    """Go may take the pattern; this version cannot say what it matches."""


@lru_cache(maxsize=32)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the function that says whether a name holds a match anywhere. Raises InvalidError or UndecidedError."""
    if len(pattern) > _MOST_LENGTH:
        raise UndecidedError(f"the pattern has more than {_MOST_LENGTH} characters")
    parser = _Parser(pattern)
    step, _repeats = parser.alternatives(0, "")
    if parser.rest():
        raise InvalidError("there is a ) without its (")
    return lambda name: bool(step(_Name(name), (2 << len(name)) - 1))


class _Name:
    """A name, and what has been found out about it: of single characters, and of each repeated part."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fitting: dict[Step, int] = {}
        self.reached: dict[Step, dict[int, int]] = {}


class _Parser:
    """Reads a pattern from left to right. What it has read it returns as a step with the repeats nested in it."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def rest(self) -> str:
        """Return what has not been read."""
        return self._text[self._at :]

    def alternatives(self, depth: int, flags: str) -> tuple[Step, int]:
        """Read up to the group's end. A flag that is set on the way holds until there."""
        if depth > _MOST_DEPTH:
            raise UndecidedError(f"groups are nested more than {_MOST_DEPTH} deep")
        branches: list[Step] = []
        items: list[tuple[Step, int]] = []
        most = 1
        repeated = False
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._text[self._at] == "|":
                self._at += 1
                branches.append(_chain([step for step, _repeats in items]))
                items, repeated = [], False
                continue
            bounds = self._repetition()
            if bounds is not None:
                items[-1:] = [_repeated(items, bounds, repeated)]
            else:
                flags = self._piece(items, depth, flags)
            most = max([most] + [repeats for _step, repeats in items[-1:]])
            repeated = bounds is not None
        branches.append(_chain([step for step, _repeats in items]))
        return _either(branches), most

    def _piece(self, items: list[tuple[Step, int]], depth: int, flags: str) -> str:
        """Read one thing that is no repetition; return the flags from here on."""
        char = self._next()
        if char == "(":
            return self._group(items, depth, flags)
        if char == "[":
            step = _one(self._char_class(flags), "")
        elif char == "^":
            step = _start
        elif char == "$":
            step = _end
        elif char == ".":
            step = _one(lambda _char: True, "")  # a name holds no line break
        elif char == "\\":
            self._backslash(items, flags)
            return flags
        else:
            step = _literal(char, flags)
        items.append((step, 1))
        return flags

    def _group(self, items: list[tuple[Step, int]], depth: int, flags: str) -> str:
        inner = flags
        if self.rest()[:1] == "?":
            self._at += 1
            if self.rest()[:2] == "P<" or self.rest()[:1] == "<":
                self._name()
            else:
                inner, end = self._flags(flags)
                if end == ")":
                    return inner
        items.append(self.alternatives(depth + 1, inner))
        if self._at >= len(self._text):
            raise InvalidError("there is a ( without its )")
        self._at += 1
        return flags

    def _name(self) -> None:
        self._at = self._text.index("<", self._at) + 1
        name, end, _rest = self.rest().partition(">")
        if not end or not name or not name.replace("_", "a").isalnum() or not _ascii(name):
            raise InvalidError("a group's name is no word")
        self._at += len(name) + 1

    def _flags(self, flags: str) -> tuple[str, str]:
        """Read (?i-s: or (?i); return the flags in force and the sign that ended the list."""
        found, minus, seen = set(flags), False, False
        while True:
            char = self._next()
            if char in ("i", "m", "s", "U"):
                seen = True
                (found.discard if minus else found.add)(char)
            elif char == "-" and not minus:
                minus, seen = True, False
            elif char in (":", ")") and (seen or not minus):
                return "".join(sorted(found)), char
            else:
                raise InvalidError(f"Go knows no (?{char}")

    def _repetition(self) -> tuple[int, int | None] | None:
        """Read *, +, ?, {2}, {2,} or {2,4} and a ? behind it; None if there is none of them here."""
        char = self._text[self._at]
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char)
        if bounds is not None:
            self._at += 1
        elif char == "{":
            body, end, _rest = self._text[self._at + 1 : self._at + 64].partition("}")
            low, comma, high = body.partition(",")
            if not end or not _plain_number(low) or (comma and high and not _plain_number(high)):
                return None
            self._at += len(body) + 2
            # A text this long that is a number is one beyond every limit.
            bounds = (int(low), int(high) if high else None if comma else int(low))
            if max(bounds[0], bounds[1] or 0) > _MOST_REPEATS or (bounds[1] is not None and bounds[0] > bounds[1]):
                raise InvalidError(f"{{{body}}} is no repetition that Go takes")
        else:
            return None
        if self.rest()[:1] == "?":
            self._at += 1  # as little as possible, which is all the same here
        return bounds

    def _backslash(self, items: list[tuple[Step, int]], flags: str) -> None:
        char = self._next("the pattern ends with a backslash")
        steps = {"A": _start, "z": _end, "b": _at_word_boundary, "B": _not_at_word_boundary}
        if char in steps:
            items.append((steps[char], 1))
        elif char == "Q":
            literal, end, _rest = self.rest().partition("\\E")
            self._at += len(literal) + len(end)
            items += [(_literal(each, flags), 1) for each in literal]
        elif char in "pP":
            raise UndecidedError(f"\\{char} needs Unicode's tables")
        elif char.lower() in _PERL:
            items.append((_one(_in(_PERL[char.lower()], negated=char.isupper()), ""), 1))
        else:
            self._at -= 1
            found = self._escaped()
            items.append((_literal(found, flags), 1))

    def _escaped(self) -> str:
        """Read what follows a backslash and stands for one character."""
        char = self._next("the pattern ends with a backslash")
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in _OCTAL and (char == "0" or self.rest()[:1] in tuple(_OCTAL)):
            digits = char
            while len(digits) < 3 and self.rest()[:1] in tuple(_OCTAL):
                digits += self._next()
            return chr(int(digits, 8))
        if char == "x":
            return self._hexadecimal()
        if char < "\x80" and not char.isalnum():
            return char
        raise InvalidError(f"Go knows no \\{char}")

    def _hexadecimal(self) -> str:
        if self.rest()[:1] == "{":
            digits, end, _rest = self.rest()[1:12].partition("}")
            self._at += len(digits) + 2
        else:
            digits, end = self.rest()[:2], "}"
            self._at += 2
            if len(digits) < 2:
                end = ""
        if not end or not digits or digits.strip(_HEXADECIMAL) or int(digits, 16) > 0x10FFFF:
            raise InvalidError("\\x is not followed by a character's number")
        return chr(int(digits, 16))

    def _char_class(self, flags: str) -> Test:
        negated = self.rest()[:1] == "^"
        self._at += negated
        tests: list[Test] = []
        first = True
        while first or self.rest()[:1] != "]":
            first = False
            if self.rest()[:2] == "[:" and ":]" in self.rest()[2:]:
                tests.append(self._named_class())
            elif self.rest()[:1] == "\\" and self.rest()[1:2] in ("p", "P"):
                raise UndecidedError("\\p needs Unicode's tables")
            elif self.rest()[:1] == "\\" and self.rest()[1:2].lower() in _PERL and self.rest()[1:2]:
                letter = self.rest()[1]
                self._at += 2
                tests.append(_in(_PERL[letter.lower()], negated=letter.isupper()))
            else:
                low = high = self._class_char()
                if self.rest()[:1] == "-" and self.rest()[1:2] not in ("", "]"):
                    self._at += 1
                    high = self._class_char()
                if high < low:
                    raise InvalidError(f"the range {low}-{high} runs backwards")
                tests.append(_in(((low, high),)))
        self._at += 1
        fold = "i" in flags
        return lambda char: any(test(char) or (fold and test(char.swapcase())) for test in tests) != negated

    def _class_char(self) -> str:
        char = self._next("there is a [ without its ]")
        return self._escaped() if char == "\\" else char

    def _named_class(self) -> Test:
        name = self.rest()[2:].partition(":]")[0]
        ranges = _NAMED.get(name.lstrip("^")) if not name.startswith("^^") else None
        if ranges is None:
            raise InvalidError(f"Go knows no [:{name}:]")
        self._at += len(name) + 4
        return _in(ranges, negated=name.startswith("^"))

    def _next(self, otherwise: str = "the pattern ends too early") -> str:
        if self._at >= len(self._text):
            raise InvalidError(otherwise)
        self._at += 1
        return self._text[self._at - 1]


def _ascii(text: str) -> bool:
    return all(char < "\x80" for char in text)


def _plain_number(text: str) -> bool:
    return text.isdigit() and _ascii(text) and (text == "0" or not text.startswith("0"))


def _in(ranges: tuple[tuple[str, str], ...], negated: bool = False) -> Test:
    return lambda char: any(low <= char <= high for low, high in ranges) != negated


def _one(test: Test, flags: str) -> Step:
    """Go on by one character that passes the test."""

    def step(name: _Name, positions: int) -> int:
        fitting = name.fitting.get(step)
        if fitting is None:
            fitting = 0
            for number, char in enumerate(name.text):
                if test(char) or ("i" in flags and test(char.swapcase())):
                    fitting |= 1 << number
            name.fitting[step] = fitting
        return (positions & fitting) << 1

    return step


@lru_cache(maxsize=512)
def _literal(char: str, flags: str) -> Step:
    """Go on by this one character: the same step for each place of it, so that a name is searched for it once only."""
    return _one(_in(((char, char),)), flags)


def _start(_name: _Name, positions: int) -> int:
    return positions & 1


def _end(name: _Name, positions: int) -> int:
    return positions & 1 << len(name.text)


def _boundaries(name: _Name) -> int:
    is_word = _in(_WORDS)
    sides = [False] + [is_word(char) for char in name.text] + [False]
    return sum(1 << number for number in range(len(name.text) + 1) if sides[number] != sides[number + 1])


def _at_word_boundary(name: _Name, positions: int) -> int:
    return positions & _boundaries(name)


def _not_at_word_boundary(name: _Name, positions: int) -> int:
    return positions & ~_boundaries(name)


def _chain(steps: list[Step]) -> Step:
    def step(name: _Name, positions: int) -> int:
        for each in steps:
            if not positions:
                break
            positions = each(name, positions)
        return positions

    return step


def _either(steps: list[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]

    def step(name: _Name, positions: int) -> int:
        found = 0
        for each in steps:
            found |= each(name, positions)
        return found

    return step


def _repeated(items: list[tuple[Step, int]], bounds: tuple[int, int | None], again: bool) -> tuple[Step, int]:
    """Repeat the last of the items. Raises InvalidError as Go does."""
    if not items:
        raise InvalidError("a repetition has nothing to repeat")
    if again:
        raise InvalidError("a repetition is repeated")
    inner, repeats = items[-1]
    low, high = bounds
    times = low if high is None else high
    if times > 1:
        repeats *= times
    if repeats > _MOST_REPEATS:
        raise InvalidError(f"repeats in repeats come to more than {_MOST_REPEATS}")

    once = _remembered(inner)

    def step(name: _Name, positions: int) -> int:
        for _number in range(low):
            before, positions = positions, once(name, positions)
            if positions == before:
                break
        # Each round that brings something new brings at least one position, of which there are few.
        new = positions
        for _number in range(len(name.text) + 1 if high is None else high - low):
            new = once(name, new) & ~positions
            if not new:
                break
            positions |= new
        return positions

    return step, repeats


def _remembered(inner: Step) -> Step:
    """Return the same step, which takes each position of a name once only."""

    def once(name: _Name, positions: int) -> int:
        reached = name.reached.setdefault(once, {})
        found = 0
        while positions:
            position = positions & -positions
            positions ^= position
            if position not in reached:
                reached[position] = inner(name, position)
            found |= reached[position]
        return found

    return once
