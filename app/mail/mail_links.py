"""Addresses in mails that act for a person without signing in: unguessable, made from a secret, stored nowhere.

They must work for as long as somebody keeps a mail, and can do little: end the mail, or say something of one event.
A GET of any of them only shows a button, since mail scanners follow links.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cache

UNSUBSCRIBE, SAY = "adj_u_", "adj_m_"  # prefixes, as of other tokens: logs leave out what follows
KEY_LENGTH = 16  # of a person's key
MAC_BYTES = 15  # 120 bits, 20 letters


@dataclass(frozen=True, slots=True)
class Links:
    base_url: str
    secret: bytes = field(repr=False)

    def unsubscribe(self, person_key: str) -> str:
        return f"{self.base_url}/unsubscribe/{UNSUBSCRIBE}{person_key}{self._mac('unsubscribe', person_key)}"

    def say(self, person_key: str, event_key: str) -> str:
        """Return where a person says something of an event; `?kind=` names what a button offers first."""
        return f"{self.base_url}/m/{event_key}/{SAY}{person_key}{self._mac('say', person_key, event_key)}"

    def learned(self, person_key: str, event_key: str) -> str:
        """Return where a person writes down what they brought back from an event."""
        return f"{self.say(person_key, event_key)}/learned"

    def who_leaves(self, token: str) -> str | None:
        """Return the key of the person an address to unsubscribe is for, or None where it was not made here."""
        return self._checked(token, UNSUBSCRIBE, "unsubscribe")

    def who_says(self, token: str, event_key: str) -> str | None:
        return self._checked(token, SAY, "say", event_key)

    def mark(self, person_key: str, week: str) -> str:
        """Return what stands for a person's mail of a week in its Message-ID and its return path."""
        return self._mac("mail", person_key, week).replace("_", "0").replace("-", "1").lower()

    def _checked(self, token: str, prefix: str, purpose: str, *more: str) -> str | None:
        key, mac = token[len(prefix) :][:KEY_LENGTH], token[len(prefix) + KEY_LENGTH :]
        right = self._mac(purpose, key, *more)
        return key if token.startswith(prefix) and hmac.compare_digest(mac.encode(), right.encode()) else None

    def _mac(self, *words: str) -> str:
        mac = _keyed(self.secret).copy()
        mac.update("\x1f".join(words).encode())
        return urlsafe_b64encode(mac.digest()[:MAC_BYTES]).decode()


@cache
def _keyed(secret: bytes) -> hmac.HMAC:
    # A mail holds eight: beginning from the key each time takes three times as long.
    return hmac.new(secret, digestmod=hashlib.sha256)
