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
`edge.retries.Attempt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from emoji_gallery.kit.database import WriteConnection


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

        Raises the 422 `idempotency_key_reused` when the key was used for another payload.
        """


class Idempotency(Protocol):
    """One feature's store of claimed keys, in its own schema."""

    async def claim(self, scope: Scope, key: str) -> Claim:
        """Claim `key`, or find its answer. Raises the 409 `idempotency_in_flight`."""
        ...

    async def complete(
        self, tx: WriteConnection, claim: Claim, fingerprint: bytes, answer: StoredAnswer
    ) -> None:
        """Store the answer in the business transaction.

        Raises `idempotency_in_flight` when the claim was taken over meanwhile, so that `tx` is
        rolled back: only one of the two may do the work.
        """
        ...

    async def keep_refusal(self, claim: Claim, fingerprint: bytes, answer: StoredAnswer) -> None:
        """Store a 422, which has no business transaction. Does nothing if the claim was lost."""
        ...

    async def release(self, claim: Claim) -> None:
        """Free the key, if it is still this claim's and unanswered."""
        ...
