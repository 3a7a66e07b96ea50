"""Secrets at rest. PORTAL_KEYS is a list: the first key encrypts, all decrypt, so a key is rotated by putting a new one in front."""

import hmac
from functools import lru_cache
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


@lru_cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: str, of: str) -> bytes:
    """The secret encrypted, together with whose it is, so that it opens nowhere else."""
    return _ring(tuple(settings.PORTAL_KEYS)).encrypt(f"{of}\n{secret}".encode())


def unseal(sealed: bytes | memoryview, of: str) -> str:
    """The secret. Raises InvalidToken when no key of PORTAL_KEYS made it, or when it was sealed for something else."""
    owner, _line, secret = _ring(tuple(settings.PORTAL_KEYS)).decrypt(bytes(sealed)).decode().partition("\n")
    if owner != of:
        raise InvalidToken
    return secret


def seal_anew(sealed: bytes | memoryview, of: str) -> bytes:
    """For migrations: what was sealed before secrets knew whose they are."""
    return seal(_ring(tuple(settings.PORTAL_KEYS)).decrypt(bytes(sealed)).decode(), of)


def keyed_digests(value: str) -> list[bytes]:
    """HMAC of a value under every key, the newest first: store the first, look for any."""
    return [hmac.new(key.encode(), value.encode(), sha256).digest() for key in settings.PORTAL_KEYS]
