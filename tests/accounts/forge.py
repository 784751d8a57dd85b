"""Keys and tokens of an issuer, and of those who would like to be one."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_JWS = PyJWS()


@cache
def private_key(algorithm: str, number: int = 0) -> PrivateKey:
    """The same key for the same number; making an RSA key takes a while."""
    assert number >= 0
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: PrivateKey, **members: object) -> dict[str, object]:
    """The public JWK of a key."""
    public = key.public_key()
    entry: dict[str, Any]
    if isinstance(public, ed25519.Ed25519PublicKey):
        entry = OKPAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        entry = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        entry = RSAAlgorithm.to_jwk(public, as_dict=True)
        entry.pop("key_ops")
    return {**entry, **members}


def key_set(*entries: object) -> bytes:
    """The document of a JWK Set."""
    return json.dumps({"keys": entries}).encode()


def signed(
    payload: Mapping[str, object] | bytes,
    key: PrivateKey | bytes,
    algorithm: str,
    **header: object,
) -> str:
    """A token; `header` adds members or, with None, takes them away."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _JWS.encode(body, key=key, algorithm=algorithm, headers=dict(header))


def unsigned(payload: Mapping[str, object], **header: object) -> str:
    """A token with any header and no signature."""
    return f"{encoded(header)}.{encoded(payload)}."


def encoded(part: object) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
