"""Master keys of the vault and the one cipher that it uses.

What belongs here: reading keys, and sealing and opening one text. What does not: rows (``vault``).
No message and no ``repr`` repeats a key or a text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from payouts.errors import VaultKeyMissingError, VaultKeyWrongError

KEY_VARIABLE = "PARTNERLEDGER_VAULT_KEY"
KEY_BYTES = 32
# Of AES-GCM as NIST SP 800-38D recommends it; a nonce is used once per key.
_NONCE_BYTES = 12
_KEY_ID_DIGITS = 8
_HOW_TO_MAKE = "make one with `openssl rand -base64 32`"


@dataclass(frozen=True)
class MasterKey:
    """A key that wraps others. ``key_id`` tells keys apart and says nothing of the key."""

    key_id: str
    key: bytes = field(repr=False)


def vault_keys_text() -> str:
    """The keys as the environment has them; empty when it has none."""
    return os.environ.get(KEY_VARIABLE, "")


def parse_keys(text: str) -> tuple[MasterKey, ...]:
    """Keys with commas between them, the one that writes first.

    Raises: VaultKeyMissingError when there is none, or one is not 32 bytes in base64.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise VaultKeyMissingError(
            f"payout details are in the vault and {KEY_VARIABLE} is not set; set it to the vault's "
            "key, which is kept where your secrets are kept and by who set the vault up: 32 bytes "
            f"in base64 (for a new vault {_HOW_TO_MAKE}; docs/runbooks/payee-details.md)"
        )
    return tuple(_parsed(part, number) for number, part in enumerate(parts, start=1))


def _parsed(text: str, number: int) -> MasterKey:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultKeyMissingError(
            f"key {number} in {KEY_VARIABLE} is not {KEY_BYTES} bytes in base64; {_HOW_TO_MAKE}"
        )
    digest = hmac.new(key, b"partnerledger vault key id 1", hashlib.sha256).hexdigest()
    return MasterKey(digest[:_KEY_ID_DIGITS], key)


def key_for(keys: Sequence[MasterKey], key_id: str, what: str) -> MasterKey:
    """The key that wrapped something. Raises: VaultKeyWrongError when it was not given."""
    for key in keys:
        if key.key_id == key_id:
            return key
    given = ", ".join(key.key_id for key in keys)
    raise VaultKeyWrongError(
        f"{what} was written with key {key_id}, and {KEY_VARIABLE} holds {given}; set the key that "
        "wrote it, or both while they are rotated"
    )


def seal(
    key: bytes, plain: bytes, associated: bytes, random_bytes: Callable[[int], bytes]
) -> bytes:
    """Nonce and AES-256-GCM ciphertext."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = random_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated)


def open_sealed(key: bytes, sealed: bytes | None, associated: bytes) -> bytes | None:
    """What `seal` sealed; None when it is not that, or not with this key and associated data."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if sealed is None or len(sealed) <= _NONCE_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        return None
