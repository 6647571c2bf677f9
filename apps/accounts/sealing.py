"""Secrets that we must read again (keys that webhooks are signed with, second factors) are stored encrypted.

Fernet of ``cryptography`` (AES-128-CBC and HMAC-SHA256): a copy of the database is not enough to use them. The first of
``ENCRYPTION_KEYS`` encrypts, each of them decrypts, so a key is changed by putting a new one in front, running
``manage.py reseal`` and then taking the old one away. Without that variable they are as safe as ``SECRET_KEY``.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"trunkline secrets in the database"


class Unreadable(ValueError):
    """None of our keys opens it: it was stored under another key, or was changed."""


def seal(text: str) -> str:
    return _cipher(settings.ENCRYPTION_KEYS).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises ``Unreadable``."""
    try:
        return _cipher(settings.ENCRYPTION_KEYS).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable("stored under a key that is not among ENCRYPTION_KEYS (or SECRET_KEY)") from None


def reseal(sealed: str) -> str:
    """The same secret under the first key. Raises ``Unreadable``."""
    return seal(unseal(sealed))


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    """Fernet wants exactly 32 bytes; operators have texts of any length."""
    raw = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(raw)
