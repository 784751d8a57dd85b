"""Signatures of tokens: JWS compact form with the algorithms of the contract alone.

The defences of RFC 8725, section 3, are built in rather than checked for: a key carries the
one algorithm it verifies, it is found by that algorithm and the token's `kid`, and a process
holds either the local secret or an issuer's public keys. So neither `none` nor a public key
used as an HMAC secret can ever match.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWS
from jwt.exceptions import PyJWTError

from emoji_gallery.accounts.rules.claims import TokenRefusedError
from emoji_gallery.kit.jsontypes import JSON

LOCAL_ALGORITHM: Final = "HS256"
PUBLIC_ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")

# Longer than any token that an identity provider makes, and short enough to hash and parse
# for everybody who asks.
MAX_TOKEN_CHARACTERS: Final = 8192
MAX_KEY_ID_CHARACTERS: Final = 256

# What `typ` may say. Explicit typing (RFC 8725, section 3.11) keeps out tokens that the same
# issuer signs for other ends: logout tokens, DPoP proofs, security events.
_TYPES: Final = frozenset({"jwt", "at+jwt"})

_JWS: Final = PyJWS(
    algorithms=(LOCAL_ALGORITHM, *PUBLIC_ALGORITHMS),
    options={"verify_signature": True, "enforce_minimum_key_length": True},
)


@dataclass(frozen=True)
class VerificationKey:
    """A key and the one algorithm that it verifies."""

    algorithm: str
    material: bytes | Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True)
class TokenHeader:
    """What an unverified header says about the key that would verify it."""

    algorithm: str
    key_id: str | None


def read_header(token: str) -> TokenHeader:
    """The header of a token, of which nothing is proven yet; raises `TokenRefusedError`."""
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise TokenRefusedError("The token is too long, or no token at all.")
    try:
        header = _JWS.get_unverified_header(token)
    except PyJWTError as error:
        raise TokenRefusedError("The token is malformed.") from error
    # Nothing critical is understood here, and what is not understood must be refused
    # (RFC 7515, section 4.1.11).
    if "crit" in header or "b64" in header:
        raise TokenRefusedError("The token asks for an extension that is not known here.")
    if not _is_known_type(header.get("typ")):
        raise TokenRefusedError("The token is of another type.")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in (LOCAL_ALGORITHM, *PUBLIC_ALGORITHMS):
        raise TokenRefusedError("The token's algorithm is not accepted.")
    if key_id is not None and len(key_id) > MAX_KEY_ID_CHARACTERS:
        raise TokenRefusedError("The token's kid is too long.")
    return TokenHeader(algorithm=algorithm, key_id=key_id)


def verified_payload(token: str, key: VerificationKey) -> dict[str, object]:
    """The JSON object that the key has signed; raises `TokenRefusedError`."""
    try:
        signed: bytes = _JWS.decode(token, key=key.material, algorithms=[key.algorithm])
    except (PyJWTError, TypeError, ValueError) as error:
        raise TokenRefusedError("The token's signature does not hold.") from error
    try:
        payload = json.loads(signed)
    except (ValueError, RecursionError) as error:
        raise TokenRefusedError("The token is malformed.") from error
    if not isinstance(payload, dict):
        raise TokenRefusedError("The token is malformed.")
    return payload


def signed_token(claims: Mapping[str, JSON], secret: bytes) -> str:
    """A token signed with the local secret."""
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, key=secret, algorithm=LOCAL_ALGORITHM)


def _is_known_type(declared: object) -> bool:
    if declared is None:
        return True
    if not isinstance(declared, str):
        return False
    return declared.lower().removeprefix("application/") in _TYPES
