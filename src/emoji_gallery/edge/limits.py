"""Rate limits of the API, and the headers that tell of them.

`RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers: structured fields
with the policy's name, its quota `q` and window `w`, what remains `r` and after how many seconds
some of it comes back `t`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emoji_gallery.contracts.identity import Actor, Identities
from emoji_gallery.edge.addresses import ClientAddresses
from emoji_gallery.edge.auth import caller_of
from emoji_gallery.edge.drain import drain
from emoji_gallery.edge.problems import problem_response
from emoji_gallery.kit.errors import ProblemError, UnavailableError
from emoji_gallery.kit.limiter import Limiter, Verdict

_MINUTE: Final = timedelta(minutes=1)
_READS: Final = "reads"
_UPLOADS: Final = "uploads"
_UPLOAD_PATH: Final = "/emoji"


class RateLimitedError(ProblemError):
    """The caller has used up what its tier allows for now."""

    status = 429
    code = "rate_limited"
    title = "Too many requests; try again later."

    def __init__(self, policy: str, verdict: Verdict) -> None:
        """Say which limit it was and when to come back."""
        super().__init__(
            f"At most {verdict.limit} {policy} a minute; try again in {verdict.retry_after} s.",
            headers={"Retry-After": str(verdict.retry_after)},
            policy=policy,
            limit=verdict.limit,
            window_seconds=int(_MINUTE.total_seconds()),
            retry_after=verdict.retry_after,
        )


@dataclass(frozen=True, slots=True)
class _Quota:
    """By which policy a request is counted, for whom, and how many are allowed a minute."""

    policy: str
    subject: str
    limit: int


@dataclass(frozen=True)
class RateLimits:
    """ASGI middleware that counts every request of the API; it stands inside `Identify`.

    A known user is counted by tier; anybody else, also who failed to show who it is, by address.
    Uploads have a policy of their own and are refused while counts are not shared: what they cost
    must not be guessed. Paths on which nobody is asked who they are have no limit here.
    """

    app: ASGIApp
    limiter: Limiter
    identities: Identities
    addresses: ClientAddresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request and serve or refuse it."""
        caller = caller_of(scope) if scope["type"] == "http" else None
        quota = None if caller is None else await self._quota(scope, caller)
        if quota is None:
            await self.app(scope, receive, send)
            return
        verdict = await self.limiter.hit(
            quota.policy, quota.subject, limit=quota.limit, window=_MINUTE
        )
        telling = _telling(send, quota.policy, verdict)
        refusal = self._refusal(quota, verdict)
        if refusal is None:
            await self.app(scope, receive, telling)
            return
        if quota.policy == _UPLOADS:
            await drain(scope, receive)
        await problem_response(refusal, instance=scope["path"])(scope, receive, telling)

    async def _quota(self, scope: Scope, caller: Actor | ProblemError) -> _Quota | None:
        if isinstance(caller, ProblemError) or caller.user_id is None:
            return await self._quota_of_address(scope, caller)
        tier = caller.tier
        subject = f"user:{tier.name}:{caller.user_id}"
        if scope["method"] == "POST" and scope["path"] == _UPLOAD_PATH:
            return _Quota(_UPLOADS, subject, tier.uploads_per_minute)
        return _Quota(_READS, subject, tier.reads_per_minute)

    async def _quota_of_address(self, scope: Scope, caller: Actor | ProblemError) -> _Quota | None:
        if isinstance(caller, ProblemError):
            try:
                caller = await self.identities.authenticate(None, None)
            except ProblemError:
                # Not even visitors are known now: the route answers that it is unavailable.
                return None
        subject = f"address:{self.addresses.of(scope)}"
        return _Quota(_READS, subject, caller.tier.reads_per_minute)

    def _refusal(self, quota: _Quota, verdict: Verdict) -> ProblemError | None:
        if quota.policy == _UPLOADS and not self.limiter.available:
            return UnavailableError("Uploads are not taken right now; try again in a moment.")
        return None if verdict.allowed else RateLimitedError(quota.policy, verdict)


def _telling(send: Send, policy: str, verdict: Verdict) -> Send:
    """Add the headers to whatever answer is given, also one from a cache."""
    told = (
        (b"ratelimit-policy", b'"%b";q=%d;w=60' % (policy.encode(), verdict.limit)),
        (
            b"ratelimit",
            b'"%b";r=%d;t=%d' % (policy.encode(), verdict.remaining, verdict.reset_seconds),
        ),
    )

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return tell
