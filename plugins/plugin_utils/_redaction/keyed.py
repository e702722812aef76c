# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a key makes of a name: the same each time with the same key, nothing to be told from it without the key."""

from __future__ import annotations

import base64
import hashlib
import secrets

_BYTES = 32
# All shorter ones can be tried out.
_SHORTEST = 12
HOST, DOMAIN, MAIL, WORD = "host", "zone", "mail", "name"


def random_key() -> str:
    """Return a key that nobody knows, for who gives none."""
    return secrets.token_hex(_BYTES)


def why_weak(key: str) -> str:
    """Why a key that was given does not protect what is replaced, in a sentence; '' if it does, or there is none."""
    if not key or len(key) >= _SHORTEST:
        return ""
    return (
        f"The key for the redaction has fewer than {_SHORTEST} characters. Whoever gets what was redacted can try all "
        "such keys and find out names and addresses: take a long one that nobody guesses, as `openssl rand -hex 16` "
        "prints it."
    )


class Keyed:
    """A pseudo-random function, by BLAKE2b in its keyed mode."""

    def __init__(self, key: str) -> None:
        # Keys of any length and quality become one of BLAKE2b's length; iterated, as people choose short ones.
        self._key = hashlib.pbkdf2_hmac("sha256", key.encode("utf-8", "surrogatepass"), b"netmedic.calico", 20_000)
        self.key = key

    def bytes(self, what: str, of: bytes, length: int = _BYTES) -> bytes:
        """Return `length` (at most 64) bytes for a value; `what` keeps values of different kinds apart."""
        hashed = hashlib.blake2b(what.encode() + b"\0" + of, key=self._key, digest_size=length)
        return hashed.digest()

    def letters(self, what: str, of: str, length: int = 8) -> str:
        """Return lower-case letters and digits, five bits each."""
        raw = self.bytes(what, of.encode("utf-8", "surrogatepass"))
        return base64.b32encode(raw).decode().lower()[:length]

    def name(self, kind: str, of: str) -> str:
        """Return a name of this kind, in capitals as far as the one that it replaces is: a fault may lie in them."""
        made = f"{kind}-{self.letters(kind, of.lower())}"
        if of == of.lower():
            return made
        return made.upper() if of == of.upper() else made.capitalize()

    def hexadecimal(self, of: str) -> str:
        """Return a hexadecimal text of the same form: digits for digits, dashes where they were, capitals too."""
        digits = of.replace("-", "").lower()
        raw = b"".join(
            self.bytes("hex", f"{number}:{digits}".encode()) for number in range(len(digits) // (2 * _BYTES) + 1)
        )
        fresh = iter(raw.hex())
        made = "".join("-" if letter == "-" else next(fresh, "0") for letter in of)
        return made.upper() if of != of.lower() else made

    def number(self, of: str) -> str:
        """Return as many decimal digits."""
        raw = int.from_bytes(self.bytes("number", of.encode(), 64), "big")
        return str(raw)[-len(of) :].zfill(len(of))

    def base64(self, of: str) -> str:
        """Return 32 bytes as base64, as WireGuard's keys are written."""
        return base64.b64encode(self.bytes("base64", of.encode())).decode()
