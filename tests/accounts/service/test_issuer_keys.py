import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.rules.tokens import TokenHeader
from emoji_gallery.accounts.service import issuer_keys
from emoji_gallery.accounts.service.issuer_keys import (
    IssuerKeys,
    KeySetDownload,
)
from emoji_gallery.kit.errors import UnavailableError
from tests.accounts.clocks import Time
from tests.accounts.forge import private_key
from tests.accounts.issuer import Issuer, running_issuer
from tests.waiting import eventually

OLD = ("EdDSA", private_key("EdDSA", 0))
NEW = ("ES256", private_key("ES256", 1))
OF_OLD = TokenHeader("EdDSA", "old")
OF_NEW = TokenHeader("ES256", "new")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as issuer:
        issuer.publish(old=OLD)
        yield issuer


@pytest.fixture
def keys(issuer: Issuer, time: Time) -> IssuerKeys:
    policy = TokenPolicy(issuer="https://id.test", audience=None)
    return IssuerKeys(policy=policy, download=KeySetDownload(issuer.address), clock=time)


async def test_the_set_is_read_when_it_is_first_needed_and_kept(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    assert issuer.requests == 0
    found = await keys.key_for(OF_OLD)
    time.passes(299)

    assert found is not None
    assert await keys.key_for(OF_OLD) == found
    assert issuer.requests == 1


async def test_many_who_need_it_at_once_cause_one_download(
    keys: IssuerKeys, issuer: Issuer
) -> None:
    found = await asyncio.gather(*(keys.key_for(OF_OLD) for _ in range(20)))

    assert None not in found
    assert issuer.requests == 1


async def test_a_new_key_is_found_when_a_token_names_it(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    await keys.key_for(OF_OLD)
    issuer.publish(old=OLD, new=NEW)
    time.passes(10)

    assert await keys.key_for(OF_NEW) is not None
    assert await keys.key_for(OF_OLD) is not None


async def test_a_withdrawn_key_is_gone_after_five_minutes(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    await keys.key_for(OF_OLD)
    issuer.publish(new=NEW)
    time.passes(300)

    assert await keys.key_for(OF_OLD) is None


async def test_unknown_keys_cause_one_download_in_ten_seconds(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    for number in range(50):
        assert await keys.key_for(TokenHeader("EdDSA", f"stranger {number}")) is None
    assert issuer.requests == 1
    time.passes(10)
    for number in range(50):
        assert await keys.key_for(TokenHeader("EdDSA", f"stranger {number}")) is None
    assert issuer.requests == 2


async def test_algorithms_of_no_issuer_cause_no_download(keys: IssuerKeys, issuer: Issuer) -> None:
    assert await keys.key_for(TokenHeader("HS256", "old")) is None
    assert issuer.requests == 0


@pytest.mark.parametrize(
    ("status", "headers", "document"),
    [
        ("500 Oops", (), b""),
        ("404 Not Found", (), b"{}"),
        ("301 Moved", ("Location: http://127.0.0.1:1/",), b""),
        ("200 OK", (), b"<html>maintenance</html>"),
        ("200 OK", (), b'{"keys": []}'),
        ("200 OK", (), b" " * (256 * 1024 + 1)),
        ("200 OK", ("Content-Encoding: gzip",), b"\x1f\x8b"),
    ],
)
async def test_the_last_good_set_stays_while_the_issuer_fails(
    keys: IssuerKeys,
    issuer: Issuer,
    time: Time,
    status: str,
    headers: tuple[str, ...],
    document: bytes,
) -> None:
    good = issuer.document
    await keys.key_for(OF_OLD)
    issuer.status, issuer.headers, issuer.document = status, headers, document
    time.passes(86_400)

    assert await keys.key_for(OF_OLD) is not None
    assert issuer.requests == 2
    assert await keys.key_for(OF_OLD) is not None
    assert issuer.requests == 2

    issuer.status, issuer.headers, issuer.document = "200 OK", (), good
    time.passes(10)
    assert await keys.key_for(OF_OLD) is not None
    await eventually(lambda: issuer.requests == 3, within=5)


async def test_no_request_waits_for_an_issuer_that_failed(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    await keys.key_for(OF_OLD)
    issuer.status = "503 Away"
    time.passes(300)
    await keys.key_for(OF_OLD)
    issuer.silent = True
    time.passes(10)

    async with asyncio.timeout(1):
        assert await keys.key_for(OF_OLD) is not None
        assert await keys.key_for(OF_NEW) is None
    await eventually(lambda: issuer.requests == 3, within=5)


async def test_it_is_believed_again_when_it_answers_again(
    keys: IssuerKeys, issuer: Issuer, time: Time
) -> None:
    issuer.status = "503 Away"
    with pytest.raises(UnavailableError):
        await keys.key_for(OF_OLD)
    issuer.status = "200 OK"
    with pytest.raises(UnavailableError):
        await keys.key_for(OF_OLD)
    assert issuer.requests == 1
    time.passes(10)

    assert await keys.key_for(OF_OLD) is not None


async def test_an_issuer_that_is_not_there_is_unavailable(time: Time) -> None:
    policy = TokenPolicy(issuer="https://id.test", audience=None)
    nowhere = KeySetDownload("http://127.0.0.1:1/keys")
    keys = IssuerKeys(policy=policy, download=nowhere, clock=time)

    with pytest.raises(UnavailableError) as refusal:
        await keys.key_for(OF_OLD)
    assert refusal.value.headers["Retry-After"] == "5"


async def test_a_silent_issuer_is_given_up_on(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "_TIMEOUT_SECONDS", 0.2)
    issuer.silent = True

    with pytest.raises((TimeoutError, httpx.TimeoutException)):
        await KeySetDownload(issuer.address)()


async def test_a_document_of_256_kib_is_taken(issuer: Issuer) -> None:
    issuer.document += b" " * (256 * 1024 - len(issuer.document))

    assert len(await KeySetDownload(issuer.address)()) == 256 * 1024


async def test_an_address_that_is_not_safe_is_never_asked() -> None:
    with pytest.raises(ValueError, match="neither https nor on this machine"):
        await KeySetDownload("http://id.example/keys")()
