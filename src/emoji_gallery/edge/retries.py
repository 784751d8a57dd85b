"""What an endpoint needs to answer a retried POST once.

    async with retryable(request, actor, idempotency) as attempt:
        incoming = await read(request)
        if (answer := attempt.replay(incoming.fingerprint)) is not None:
            return answer
        emoji = await uploads.accept(actor, incoming, keep=...)

where the service calls `keep` in its transaction with what it made, and the endpoint's `keep` is
`attempt.keep(tx, response_of(emoji))`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import Request, Response

from emoji_gallery.contracts.identity import Actor
from emoji_gallery.edge.problems import problem_response
from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.errors import InvalidInputError, ProblemError, UnauthenticatedError
from emoji_gallery.kit.idempotency import (
    Claim,
    Idempotency,
    IdempotencyKeyReusedError,
    Scope,
    StoredAnswer,
    parse_key,
)

log = structlog.get_logger(__name__)

_HEADER: Final = "idempotency-key"
# Told on a repeated answer, as Stripe does.
_REPLAYED: Final = "Idempotent-Replayed"


@dataclass
class Attempt:
    """One request that may be the repetition of an earlier one."""

    idempotency: Idempotency
    claim: Claim | None
    _fingerprint: bytes | None = field(default=None, init=False)
    _answered: bool = field(default=False, init=False)

    def replay(self, fingerprint: bytes) -> Response | None:
        """The answer that an earlier request got, or None when there was none.

        `fingerprint` is a hash of what the request asks for: the parsed fields and the file's
        digest. Raises `IdempotencyKeyReusedError` when the earlier one asked for something else.
        """
        if self.claim is None:
            return None
        answer = self.claim.replay(fingerprint)
        self._fingerprint = fingerprint
        if answer is None:
            return None
        self._answered = True
        headers = {**answer.headers, _REPLAYED: "true"}
        return Response(answer.body, status_code=answer.status, headers=headers)

    async def keep(self, tx: WriteConnection, response: Response) -> None:
        """Store the answer in the transaction that makes it true. Call it after `replay`.

        Raises `IdempotencyInFlightError` when another request has taken the key over.
        """
        if self.claim is None or self._fingerprint is None:
            return
        await self.idempotency.complete(tx, self.claim, self._fingerprint, _stored(response))
        self._answered = True

    async def settle(self, refusal: ProblemError | None, *, instance: str) -> None:
        """Keep a 422 whose payload is known, free the key after anything else that is unanswered.

        Free keys are a courtesy, so trouble here changes no answer: the claim ages and is taken.
        """
        if self.claim is None or self.claim.stored_answer is not None:
            return
        try:
            if refusal is not None and self._is_kept(refusal) and self._fingerprint is not None:
                answer = _stored(problem_response(refusal, instance=instance))
                await self.idempotency.keep_refusal(self.claim, self._fingerprint, answer)
            elif refusal is not None or not self._answered:
                await self.idempotency.release(self.claim)
        except Exception as error:  # noqa: BLE001 (see above)
            log.warning("idempotency.not_settled", error=repr(error))

    @staticmethod
    def _is_kept(refusal: ProblemError) -> bool:
        return refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY and not isinstance(
            refusal, IdempotencyKeyReusedError
        )


@asynccontextmanager
async def retryable(
    request: Request, actor: Actor, idempotency: Idempotency
) -> AsyncIterator[Attempt]:
    """Claim the request's key, if it has one, before its body is read.

    Keys belong to users: without one there is nobody to keep them for. Raises
    `UnauthenticatedError` for an anonymous caller, `InvalidInputError` for a key that is none and
    `IdempotencyInFlightError` while another request under it runs.
    """
    attempt = Attempt(idempotency, await _claim(request, actor, idempotency))
    refusal: ProblemError | None = ProblemError()
    try:
        yield attempt
        refusal = None
    except ProblemError as error:
        refusal = error
        raise
    finally:
        # Also when the client has left and this task is being cancelled.
        await asyncio.shield(attempt.settle(refusal, instance=request.url.path))


async def _claim(request: Request, actor: Actor, idempotency: Idempotency) -> Claim | None:
    if actor.user_id is None:
        raise UnauthenticatedError
    headers = request.headers.getlist(_HEADER)
    if not headers:
        return None
    if len(headers) > 1:
        raise InvalidInputError("Idempotency-Key was sent twice.")
    scope = Scope(
        owner_id=actor.user_id,
        caller=actor.acting_service or actor.user_id,
        method=request.method,
        path=request.scope["path"],
    )
    return await idempotency.claim(scope, parse_key(headers[0]))


def _stored(response: Response) -> StoredAnswer:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return StoredAnswer(response.status_code, headers, bytes(response.body))
