"""Signatures over mails (RFC 6376): whoever receives one can tell which domain sent it, and that its headers are whole.

Written by hand on `cryptography`: the RSA step of dkimpy alone takes 10 ms a mail. dkimpy is the oracle in the tests.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

# RFC 6376 §5.4.1, and what RFC 8058 §4 demands of mails that can be left with one click.
SIGNED = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "auto-submitted", "mime-version"),
    *("content-type", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
)
SMALLEST_KEY = 1024  # bits; below, nobody verifies (RFC 8301 §3.2)
LONGEST_LINE = 72
_SPACE = re.compile(rb"[ \t\r\n]+")
_FIELD = re.compile(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)\r\n")


class BadKey(ValueError):  # noqa: N818
    """What was given holds no private RSA key that signatures can be made with."""


@dataclass(frozen=True, slots=True)
class Signer:
    domain: str
    selector: str  # the public key stands at SELECTOR._domainkey.DOMAIN
    key: RSAPrivateKey

    @property
    def record(self) -> tuple[str, str]:
        """Return the name and the text of the TXT record that lets others verify (RFC 6376 §3.6.1)."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"

    def signed(self, mail: bytes, *, at: datetime) -> bytes:
        """Return a mail (CRLF lines) with the signature as its first header."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields: dict[str, list[bytes]] = {}
        for name, value in _FIELD.findall(head + b"\r\n"):
            fields.setdefault(name.decode().lower(), []).append(_relaxed(name, value))
        # Each name once more than it occurs: nobody can add another Subject behind the signature (§5.4.2).
        named = [name for name in SIGNED for _ in range(len(fields.get(name, ())) + 1)]
        hashed = b"".join(field for name in SIGNED for field in reversed(fields.get(name, ())))
        unsigned = ";\r\n ".join(
            (
                f"v=1; a=rsa-sha256; c=relaxed/simple; t={int(at.timestamp())}",
                f"d={self.domain}; s={self.selector}",
                f"h={_folded(named)}",
                f"bh={_body_hash(body)}",
                "b=",
            )
        )
        hashed += _relaxed(b"DKIM-Signature", unsigned.encode()).removesuffix(b"\r\n")
        signature = b64encode(self.key.sign(hashed, PKCS1v15(), hashes.SHA256())).decode()
        lines = "\r\n ".join(
            signature[start : start + LONGEST_LINE] for start in range(0, len(signature), LONGEST_LINE)
        )
        return f"DKIM-Signature: {unsigned}{lines}\r\n".encode() + mail


def load_signer(pem: Path, *, selector: str, domain: str) -> Signer:
    """Read a private key; raises BadKey, or OSError where there is no such file."""
    try:
        key = load_pem_private_key(pem.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise BadKey(f"{pem}: no unencrypted private key in PEM form ({error})") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY:
        raise BadKey(f"{pem}: expected an RSA key of at least {SMALLEST_KEY} bits, best 2048")
    return Signer(domain, selector, key)


def _relaxed(name: bytes, value: bytes) -> bytes:
    """Return a header field in the relaxed canonical form (§3.4.2)."""
    return name.lower() + b":" + _SPACE.sub(b" ", value).strip(b" ") + b"\r\n"


def _body_hash(body: bytes) -> str:
    """Return the hash of a body in the simple canonical form (§3.4.3): empty lines at its end do not count."""
    return b64encode(hashlib.sha256(body.rstrip(b"\r\n") + b"\r\n").digest()).decode()


def _folded(names: list[str]) -> str:
    """Return the value of `h=`, broken over lines between names."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > LONGEST_LINE:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n ".join(lines).removesuffix(":")
