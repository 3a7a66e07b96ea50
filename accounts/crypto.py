"""Secrets at rest. PORTAL_KEYS is a list: the first key encrypts, all decrypt, so a key is rotated by putting a new one in front."""

import hmac
from functools import lru_cache
from hashlib import sha256

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@lru_cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: str) -> bytes:
    return _ring(tuple(settings.PORTAL_KEYS)).encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """The secret. Raises InvalidToken when no key of PORTAL_KEYS made it."""
    return _ring(tuple(settings.PORTAL_KEYS)).decrypt(bytes(sealed)).decode()


def keyed_digests(value: str) -> list[bytes]:
    """HMAC of a value under every key, the newest first: store the first, look for any."""
    return [hmac.new(key.encode(), value.encode(), sha256).digest() for key in settings.PORTAL_KEYS]
