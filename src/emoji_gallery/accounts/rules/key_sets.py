"""An issuer's public keys, read from its JWK Set (RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from emoji_gallery.accounts.rules.tokens import (
    MAX_KEY_ID_CHARACTERS,
    TokenHeader,
    VerificationKey,
)

# A set is a handful of keys; the rest of a longer one is ignored.
MAX_KEYS: Final = 64

# Below 2,048 bits RSA is breakable (RFC 7518, section 3.3); far above it, one check of a
# stranger's signature costs milliseconds.
_RSA_BITS: Final = range(2048, 8193)


class KeySetError(ValueError):
    """The document is not a JWK Set with at least one key that can be used here."""


@dataclass(frozen=True)
class KeySet:
    """Public keys by algorithm and `kid`."""

    keys: Mapping[tuple[str, str | None], VerificationKey]

    def find(self, header: TokenHeader) -> VerificationKey | None:
        """The key that a header means, if it is here.

        A token without a `kid` is only unambiguous where a single key has its algorithm.
        """
        if header.key_id is not None:
            return self.keys.get((header.algorithm, header.key_id))
        fitting = [key for (name, _), key in self.keys.items() if name == header.algorithm]
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(document: bytes) -> KeySet:
    """The usable keys of a JWK Set; raises `KeySetError` when there is none."""
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise KeySetError("not JSON") from error
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list):
        raise KeySetError("not a JWK Set")
    keys: dict[tuple[str, str | None], VerificationKey] = {}
    for entry in listed[:MAX_KEYS]:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            keys.setdefault((key.algorithm, entry.get("kid")), key)
    if not keys:
        raise KeySetError("no usable key")
    return KeySet(keys)


def _key(entry: dict[str, object]) -> VerificationKey | None:
    algorithm = _algorithm(entry)
    if algorithm is None or not _is_for_signatures(entry) or not _is_key_id(entry.get("kid")):
        return None
    try:
        material = PyJWK(entry, algorithm).key
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        return None
    if isinstance(material, RSAPublicKey) and material.key_size not in _RSA_BITS:
        return None
    # A private key is none of these: who publishes it has published the right to forge with it.
    if not isinstance(material, (Ed25519PublicKey, EllipticCurvePublicKey, RSAPublicKey)):
        return None
    return VerificationKey(algorithm, material)


def _algorithm(entry: Mapping[str, object]) -> str | None:
    """The algorithm that a key's type stands for, unless the key says that it is for another."""
    kind = (entry.get("kty"), entry.get("crv"))
    algorithm: str | None = None
    if kind == ("OKP", "Ed25519"):
        algorithm = "EdDSA"
    elif kind == ("EC", "P-256"):
        algorithm = "ES256"
    elif kind[0] == "RSA":
        algorithm = "RS256"
    return algorithm if entry.get("alg") in (None, algorithm) else None


def _is_for_signatures(entry: Mapping[str, object]) -> bool:
    if entry.get("use") not in (None, "sig"):
        return False
    operations = entry.get("key_ops")
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _is_key_id(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= MAX_KEY_ID_CHARACTERS)
