"""Retries of POST, answered once (draft-ietf-httpapi-idempotency-key-header).

A key belongs to caller, method and path. It is claimed before the body is read; when the body is
understood its fingerprint is checked; the answer is stored in the business transaction. So a retry
gets the first answer, a concurrent one a 409, another payload under the same key a 422, and a
crash leaves no half: either row and answer are there, or neither.

    claim = await idempotency.claim(scope, key)             # 409 while another one runs
    ...read and parse the body...
    if (answer := claim.replay(fingerprint)) is not None:   # 422 for another payload
        return answer
    async with db.transaction() as tx:
        ...business...
        await idempotency.complete(tx, claim, fingerprint, answer)

On every other outcome than a stored one: `await idempotency.release(claim)`. A 422 that has a
fingerprint is kept by `idempotency.keep_refusal`. Endpoints get all this from
`edge.retries.Retryable`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Protocol
from uuid import UUID

from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.errors import InvalidInputError, ProblemError

MAX_KEY_CHARACTERS: Final = 255

# A structured field's String (RFC 9651): printable ASCII in quotes, `"` and `\` escaped.
_QUOTED: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
# What clients send that do not know of structured fields: printable ASCII, no blank, no quote.
_PLAIN: Final = re.compile(r"[\x21\x23-\x7e]+")


class IdempotencyInFlightError(ProblemError):
    """Another request under the same key is being worked on."""

    status = 409
    code = "idempotency_in_flight"
    title = "A request with this Idempotency-Key is being worked on."

    def __init__(self, detail: str = "") -> None:
        """Tell the client to wait a second."""
        super().__init__(detail, headers={"Retry-After": "1"})


class IdempotencyKeyReusedError(ProblemError):
    """The key was used for another request."""

    status = 422
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request."


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose key it is, and for what: `owner_id` is the user, `caller` who speaks for them."""

    owner_id: str
    caller: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer to be given again. Headers are those that belong to it, not to one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer for a key, until it is 60 seconds old and somebody else takes it."""

    digest: bytes
    token: UUID
    stored_fingerprint: bytes | None = None
    stored_answer: StoredAnswer | None = None

    def replay(self, fingerprint: bytes) -> StoredAnswer | None:
        """The stored answer, or None when this request is the first.

        Raises `IdempotencyKeyReusedError` when the key was used for another payload.
        """
        if self.stored_fingerprint is None:
            return None
        if not compare_digest(self.stored_fingerprint, fingerprint):
            raise IdempotencyKeyReusedError
        return self.stored_answer


class Idempotency(Protocol):
    """One feature's store of claimed keys, in its own schema."""

    async def claim(self, scope: Scope, key: str) -> Claim:
        """Claim `key`, or find its answer. Raises `IdempotencyInFlightError`."""
        ...

    async def complete(
        self, tx: WriteConnection, claim: Claim, fingerprint: bytes, answer: StoredAnswer
    ) -> None:
        """Store the answer in the business transaction.

        Raises `IdempotencyInFlightError` when the claim was taken over meanwhile, so that `tx` is
        rolled back: only one of the two may do the work.
        """
        ...

    async def keep_refusal(self, claim: Claim, fingerprint: bytes, answer: StoredAnswer) -> None:
        """Store a 422, which has no business transaction. Does nothing if the claim was lost."""
        ...

    async def release(self, claim: Claim) -> None:
        """Free the key, if it is still this claim's and unanswered."""
        ...


def parse_key(header: str) -> str:
    """The key in an `Idempotency-Key` header; raises `InvalidInputError`.

    The draft wants a quoted String; the bare token that most clients send is taken as well.
    """
    if quoted := _QUOTED.fullmatch(header):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif _PLAIN.fullmatch(header):
        key = header
    else:
        raise InvalidInputError("The Idempotency-Key is not a string of printable ASCII.")
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        raise InvalidInputError(f"An Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} characters.")
    return key


def digest_of(scope: Scope, key: str) -> bytes:
    """What a key is stored under. Lengths keep the parts apart, whatever characters they hold."""
    parts = (scope.owner_id, scope.caller, scope.method, scope.path, key)
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()
