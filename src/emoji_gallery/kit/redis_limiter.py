"""The shared limiter: a sliding window in Redis, on Redis' clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b, sha1
from typing import Final, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from emoji_gallery.kit.limiter import Verdict, bucket_width_ms, seconds_up
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.redis_gate import RedisAwayError, RedisGate

# One hash per subject: bucket number -> "units spent in it, ms of the latest of them". A bucket
# counts until a whole window has passed since that latest unit, so no stretch of a window's length
# ever holds more than the limit.
# ARGV: limit, window in ms, bucket width in ms, then the cost of each hit in turn.
# Answers: units spent before, ms until the oldest comes back, ms until the first refused hit would
# be allowed, then 1 or 0 for each hit.
_SCRIPT: Final = """\
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local current = string.format('%d', math.floor(now / width))
local used, here, touched, live, gone = 0, 0, now, {}, {}
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local spent, latest = string.match(stored[i + 1], '^(%d+) (%d+)$')
  spent, latest = tonumber(spent), tonumber(latest)
  if latest + window <= now then
    gone[#gone + 1] = stored[i]
  else
    used = used + spent
    if stored[i] == current then
      here, touched = spent, latest
    else
      live[#live + 1] = {latest, spent}
    end
  end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end

local answer, taken, refused = {used, 0, 0}, 0, nil
for i = 4, #ARGV do
  local cost = tonumber(ARGV[i])
  if used + taken + cost <= limit then
    taken = taken + cost
    answer[#answer + 1] = 1
  else
    refused = refused or cost
    answer[#answer + 1] = 0
  end
end
if taken > 0 then
  touched = now
  redis.call('HSET', KEYS[1], current, string.format('%d %d', here + taken, now))
  redis.call('PEXPIRE', KEYS[1], window)
end
if here + taken > 0 then live[#live + 1] = {touched, here + taken} end

table.sort(live, function(a, b) return a[1] < b[1] end)
if live[1] then answer[2] = live[1][1] + window - now end
if refused then
  local missing = used + taken + refused - limit
  for _, entry in ipairs(live) do
    answer[3] = entry[1] + window - now
    missing = missing - entry[2]
    if missing <= 0 then break end
  end
end
return answer
"""
_SCRIPT_SHA: Final = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Window:
    """What one call of the script counts."""

    policy: str
    subject: str
    limit: int
    length: timedelta


@dataclass(frozen=True, slots=True)
class _Hit:
    cost: int
    verdict: asyncio.Future[Verdict]


_Batch = Mapping[_Window, Sequence[_Hit]]


class RedisLimiter:
    """Counts in Redis; by `local` while Redis is away.

    Hits that arrive while a call is on its way to Redis travel together in the next one, and those
    of one subject are one call of the script: a busy process asks Redis a few thousand times a
    second, not once a request, and no count is ever taken in advance.
    """

    def __init__(self, gate: RedisGate, local: LocalLimiter) -> None:
        """Use Redis through `gate`, and `local` without it."""
        self._gate = gate
        self._local = local
        self._waiting: dict[_Window, list[_Hit]] = {}
        self._sender: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """Whether Redis answers."""
        return self._gate.available

    async def hit(
        self, policy: str, subject: str, *, limit: int, window: timedelta, cost: int = 1
    ) -> Verdict:
        """Take `cost` units, all or none."""
        if not self._gate.available:
            return self._local.hit_now(policy, subject, limit=limit, window=window, cost=cost)
        loop = asyncio.get_running_loop()
        hit = _Hit(cost, loop.create_future())
        self._waiting.setdefault(_Window(policy, subject, limit, window), []).append(hit)
        if self._sender is None:
            self._sender = loop.create_task(self._send_all(), name="limiter")
        return await hit.verdict

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._send(batch)
        finally:
            self._sender = None

    async def _send(self, batch: _Batch) -> None:
        try:
            answers = await self._gate.call(lambda client: _count(client, batch))
        except RedisAwayError:
            self._decide_locally(batch)
        except Exception as error:  # noqa: BLE001 (whoever asked has to hear of it)
            _fail(batch, error)
        else:
            for (window, hits), answer in zip(batch.items(), answers, strict=True):
                _decide(window, hits, answer)

    def _decide_locally(self, batch: _Batch) -> None:
        for window, hits in batch.items():
            for hit in hits:
                verdict = self._local.hit_now(
                    window.policy,
                    window.subject,
                    limit=window.limit,
                    window=window.length,
                    cost=hit.cost,
                )
                _tell(hit, verdict)


async def _count(client: Redis, batch: _Batch) -> Sequence[Sequence[int]]:
    try:
        return await _run_scripts(client, batch)
    except NoScriptError:
        # None of them has run: the server does not know the script yet, or was restarted.
        await client.script_load(_SCRIPT)
        return await _run_scripts(client, batch)


async def _run_scripts(client: Redis, batch: _Batch) -> Sequence[Sequence[int]]:
    pipeline = client.pipeline(transaction=False)
    for window, hits in batch.items():
        pipeline.evalsha(
            _SCRIPT_SHA,
            1,
            _key(window),
            window.limit,
            window.length // timedelta(milliseconds=1),
            bucket_width_ms(window.length),
            *(hit.cost for hit in hits),
        )
    # The driver's stubs do not know what scripts answer; ours answers integers alone.
    return cast("Sequence[Sequence[int]]", await pipeline.execute())


def _key(window: _Window) -> str:
    subject = blake2b(window.subject.encode(), digest_size=16).hexdigest()
    return f"limit:{window.policy}:{bucket_width_ms(window.length)}:{subject}"


def _decide(window: _Window, hits: Sequence[_Hit], answer: Sequence[int]) -> None:
    used, reset_ms, retry_ms, *granted = answer
    for hit, allowed in zip(hits, granted, strict=True):
        used += hit.cost if allowed else 0
        verdict = Verdict(
            allowed=bool(allowed),
            limit=window.limit,
            remaining=max(0, window.limit - used),
            reset_seconds=seconds_up(reset_ms),
            retry_after=0 if allowed else max(1, seconds_up(retry_ms)),
        )
        _tell(hit, verdict)


def _tell(hit: _Hit, verdict: Verdict) -> None:
    # Whoever asked may have gone away meanwhile.
    if not hit.verdict.done():
        hit.verdict.set_result(verdict)


def _fail(batch: _Batch, error: Exception) -> None:
    for hits in batch.values():
        for hit in hits:
            if not hit.verdict.done():
                hit.verdict.set_exception(error)
