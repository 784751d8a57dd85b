"""Whom the service takes a caller for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import event, text
from structlog.testing import capture_logs

from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.rules.tokens import signed_token
from emoji_gallery.accounts.service.issuer_keys import IssuerKeys, KeySetDownload
from emoji_gallery.contracts.identity import Scope
from emoji_gallery.contracts.ids import UserId
from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from tests.accounts.clocks import Time
from tests.accounts.forge import private_key, signed, unsigned
from tests.accounts.issuer import Issuer, running_issuer
from tests.accounts.world import ALICE, BOB, LOCAL, World, world_of


@pytest.fixture
def statements(database: Database) -> list[str]:
    """Every statement that reaches the database from now on."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return seen


@pytest.fixture
async def offline(time: Time) -> AsyncIterator[World]:
    """A process whose database is away."""
    settings = DatabaseSettings(database_url="postgresql+asyncpg://x@127.0.0.1:1/x")
    nowhere = connect(settings, application_name="tests")
    yield world_of(nowhere, time)
    await nowhere.close()


def local_claims(world: World, **changes: Any) -> dict[str, Any]:
    now = world.time().timestamp()
    whole = {
        "iss": "emoji-gallery",
        "aud": "emoji-gallery",
        "sub": "alice",
        "iat": now,
        "exp": now + 60,
    }
    return {**whole, **changes}


class TestNobody:
    async def test_without_a_token_one_is_an_anonymous_free_visitor(self, world: World) -> None:
        actor = await world.actor(None)

        assert actor.is_anonymous
        assert actor.scopes == frozenset()
        assert (actor.tier.name, actor.tier.reads_per_minute) == ("free", 600)

    async def test_nobody_acts_for_somebody(self, world: World) -> None:
        with pytest.raises(UnauthenticatedError):
            await world.actor(None, "alice")


class TestTokens:
    async def test_a_token_stands_for_its_subject(self, world: World) -> None:
        actor = await world.actor(world.token(tier="premium", scopes=["curator"]))

        assert actor.user_id == "alice"
        assert actor.tier.name == "premium"
        assert actor.scopes == {"curator"}
        assert actor.acting_service is None

    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "{token}", "Bearer{token}"],
    )
    async def test_another_scheme_is_refused(self, offline: World, authorization: str) -> None:
        sent = authorization.format(token=offline.token())
        with pytest.raises(UnauthenticatedError) as refusal:
            await offline.identities.authenticate(sent, None)

        assert refusal.value.headers["WWW-Authenticate"].startswith("Bearer ")

    async def test_the_scheme_is_written_in_any_case(self, world: World) -> None:
        for scheme in ("bearer", "BEARER", "Bearer "):
            actor = await world.identities.authenticate(f"{scheme} {world.token()}", None)
            assert actor.user_id == "alice"

    @pytest.mark.parametrize(
        "forge",
        [
            lambda world: unsigned(local_claims(world), alg="none", typ="JWT"),
            lambda world: unsigned(local_claims(world), alg="HS256", typ="JWT"),
            lambda world: signed(local_claims(world), b"another secret of 32 characters!", "HS256"),
            lambda world: signed(local_claims(world), private_key("RS256"), "RS256"),
            lambda world: signed(local_claims(world), private_key("EdDSA"), "EdDSA", kid="k"),
            lambda world: signed_token(local_claims(world, aud="shop"), LOCAL.secret),
            lambda world: signed_token(local_claims(world, iss="evil"), LOCAL.secret),
            lambda world: signed_token(local_claims(world, exp=0), LOCAL.secret),
            lambda world: signed_token(local_claims(world, sub=""), LOCAL.secret),
            lambda world: signed_token(local_claims(world, sub="x" * 9000), LOCAL.secret),
            lambda world: world.token()[:-1],
            lambda world: world.token() + "x",
            lambda _: "x" * 1_000_000,
            lambda _: "not.a.token",
        ],
    )
    async def test_a_token_that_does_not_hold_is_refused_without_asking_the_database(
        self, offline: World, forge: Callable[[World], str]
    ) -> None:
        with pytest.raises(UnauthenticatedError) as refusal:
            await offline.actor(forge(offline))

        assert 'error="invalid_token"' in refusal.value.headers["WWW-Authenticate"]

    async def test_a_token_is_over_at_its_expiry_also_where_it_was_just_believed(
        self, world: World
    ) -> None:
        token = world.token(ttl=timedelta(seconds=5))
        await world.actor(token)
        world.time.passes(5)

        with pytest.raises(UnauthenticatedError, match="expired"):
            await world.actor(token)

    async def test_a_token_seen_a_moment_ago_needs_no_database(
        self, world: World, statements: list[str]
    ) -> None:
        token = world.token()
        await world.actor(token)
        await world.actor(token)
        statements.clear()
        for _ in range(10):
            await world.actor(token)

        assert statements == []

    async def test_without_a_database_callers_are_told_to_come_again(self, offline: World) -> None:
        for token in (None, offline.token()):
            with pytest.raises(UnavailableError):
                await offline.actor(token)


class TestTiers:
    async def test_the_stored_tier_goes_before_the_claimed_one(self, world: World) -> None:
        for stored, claimed, tier in (
            (None, None, "free"),
            (None, "business", "business"),
            ("premium", "business", "premium"),
            ("premium", None, "premium"),
            ("free", "business", "free"),
            (None, "platinum", "free"),
        ):
            user_id = UserId(f"{stored} {claimed}")
            await world.desk.users.put_on_tier(user_id, stored)
            actor = await world.actor(world.token(user_id, tier=claimed))
            assert actor.tier.name == tier, user_id

    async def test_a_claim_that_names_no_tier_is_told_to_the_operator_once_in_a_while(
        self, world: World
    ) -> None:
        with capture_logs() as logs:
            for _ in range(5):
                await world.actor(world.token(tier="platinum"))

        assert [entry["claimed"] for entry in logs if entry["event"] == "tiers.unknown_claim"] == [
            "platinum"
        ]

    async def test_a_change_of_tier_is_known_to_other_processes_within_a_minute(
        self, world: World
    ) -> None:
        token = world.token(tier="business")
        assert (await world.actor(token)).tier.name == "business"
        await world.desk.users.put_on_tier(ALICE, "free")
        world.time.passes(25)

        assert (await world.actor(token)).tier.name == "free"

    async def test_a_change_of_limits_is_known_to_other_processes_within_a_minute(
        self, world: World
    ) -> None:
        token = world.token()
        assert (await world.actor(token)).tier.upload_limit == 5
        await world.desk.tiers.set_limits("free", {"upload_limit": 7})
        world.time.passes(25)

        assert (await world.actor(token)).tier.upload_limit == 7

    async def test_tiers_are_listed_from_the_lowest(self, world: World) -> None:
        tiers = await world.identities.tiers()

        assert [tier.name for tier in tiers] == ["free", "premium", "business"]
        assert [tier.upload_limit for tier in tiers] == [5, 100, None]
        assert [tier.max_file_bytes for tier in tiers] == [10 << 20, 20 << 20, 32 << 20]
        assert [tier.reads_per_minute for tier in tiers] == [1_200, 3_000, 12_000]
        assert [tier.uploads_per_minute for tier in tiers] == [120, 300, 3_000]
        assert {tier.max_side for tier in tiers} == {4_096}
        assert {tier.max_frame_pixels for tier in tiers} == {16_800_000}
        assert {tier.max_frames for tier in tiers} == {1_000}
        assert {tier.max_total_pixels for tier in tiers} == {50_000_000}

    async def test_without_any_tier_callers_are_told_to_come_again(
        self, world: World, database: Database
    ) -> None:
        async with database.transaction() as tx:
            await tx.execute(text("DELETE FROM accounts.tiers"))
        with pytest.raises(UnavailableError):
            await world.actor(None)

    async def test_a_tier_is_found_by_its_name(self, world: World) -> None:
        assert (await world.identities.tier("premium")).upload_limit == 100
        with pytest.raises(NotFoundError):
            await world.identities.tier("platinum")


class TestRevocation:
    async def test_a_users_tokens_are_refused_within_a_minute_of_their_revocation(
        self, world: World
    ) -> None:
        token = world.token()
        await world.actor(token)
        world.time.passes(1)
        await world.desk.users.revoke_tokens(ALICE)
        world.time.passes(25)

        with pytest.raises(UnauthenticatedError, match="revoked"):
            await world.actor(token)

    async def test_a_token_issued_after_the_revocation_holds(self, world: World) -> None:
        await world.desk.users.revoke_tokens(ALICE)

        assert (await world.actor(world.token())).user_id == "alice"

    async def test_a_token_that_does_not_say_when_it_was_issued_is_revoked(
        self, world: World
    ) -> None:
        claims = local_claims(world)
        del claims["iat"]
        token = signed_token(claims, LOCAL.secret)
        assert (await world.actor(token)).user_id == "alice"
        await world.desk.users.revoke_tokens(ALICE)
        world.time.passes(25)

        with pytest.raises(UnauthenticatedError, match="revoked"):
            await world.actor(token)

    async def test_others_tokens_hold(self, world: World) -> None:
        bobs = world.token(BOB)
        world.time.passes(1)
        await world.desk.users.revoke_tokens(ALICE)

        assert (await world.actor(bobs)).user_id == "bob"

    async def test_an_earlier_revocation_takes_back_no_later_one(self, world: World) -> None:
        token = world.token()
        world.time.passes(10)
        await world.desk.users.revoke_tokens(ALICE)
        world.time.passes(-11)
        await world.desk.users.revoke_tokens(ALICE)
        world.time.passes(11)

        with pytest.raises(UnauthenticatedError, match="revoked"):
            await world.actor(token)

    async def test_a_revoked_service_acts_for_nobody(self, world: World) -> None:
        token = world.token(UserId("editor"), scopes=["service"])
        world.time.passes(1)
        await world.desk.users.revoke_tokens(UserId("editor"))

        with pytest.raises(UnauthenticatedError, match="revoked"):
            await world.actor(token, "alice")


class TestApiKeys:
    async def test_a_key_stands_for_its_user_with_its_scopes(self, world: World) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=["curator"])
        await world.desk.users.put_on_tier(ALICE, "premium")
        actor = await world.actor(secret)

        assert actor.user_id == "alice"
        assert actor.scopes == {"curator"}
        assert actor.tier.name == "premium"

    async def test_a_revoked_key_is_refused_within_a_minute(self, world: World) -> None:
        secret, key = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        await world.actor(secret)
        await world.desk.keys.revoke(key.id)
        world.time.passes(25)

        with pytest.raises(UnauthenticatedError, match="unknown or revoked"):
            await world.actor(secret)
        with pytest.raises(NotFoundError):
            await world.desk.keys.revoke(key.id)

    async def test_keys_outlive_the_revocation_of_tokens(self, world: World) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        await world.desk.users.revoke_tokens(ALICE)

        assert (await world.actor(secret)).user_id == "alice"

    async def test_a_key_that_nobody_has_is_looked_up_once(
        self, world: World, statements: list[str]
    ) -> None:
        await world.actor(None)
        secret, key = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        await world.desk.keys.revoke(key.id)
        statements.clear()
        for _ in range(5):
            with pytest.raises(UnauthenticatedError):
                await world.actor(secret)

        assert len(statements) == 1

    @pytest.mark.parametrize("key", ["egk_", "egk_short", "egk_" + "0" * 38, "egk_" + "é" * 38])
    async def test_what_is_no_key_is_refused_without_asking_the_database(
        self, offline: World, key: str
    ) -> None:
        with pytest.raises(UnauthenticatedError, match="not an API key"):
            await offline.actor(key)

    async def test_its_use_is_noted_once_an_hour(self, world: World) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        noted = []
        for seconds in (0, 60, 3600):
            world.time.passes(seconds)
            await world.actor(secret)
            [key] = await world.desk.keys.list(ALICE)
            noted.append(key.last_used_at)

        assert noted[0] is not None
        assert noted[1] == noted[0]
        assert noted[2] == world.time()

    async def test_a_key_seen_a_moment_ago_needs_no_database(
        self, world: World, statements: list[str]
    ) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        await world.actor(secret)
        statements.clear()
        await world.actor(secret)

        assert statements == []

    async def test_only_its_digest_is_stored(self, world: World, database: Database) -> None:
        secret, _ = await world.desk.keys.create(ALICE, label="CI", scopes=[])
        async with database.reading() as connection:
            rows = await connection.execute(text("SELECT k::text AS row FROM accounts.api_keys k"))
            [stored] = rows.scalars().all()

        assert secret not in stored
        assert secret[8:] not in stored
        assert secret[:8] in stored


class TestActing:
    async def test_a_service_acts_for_a_user_with_the_users_rights(self, world: World) -> None:
        await world.desk.users.put_on_tier(BOB, "business")
        service = world.token(UserId("editor"), scopes=["service", "admin"])
        with capture_logs() as logs:
            actor = await world.actor(service, "bob")

        assert actor.user_id == "bob"
        assert actor.tier.name == "business"
        assert actor.scopes == frozenset()
        assert actor.acting_service == "editor"
        assert {"event": "identity.acting", "service": "editor", "user_id": "bob"}.items() <= (
            next(entry for entry in logs if entry["event"] == "identity.acting").items()
        )

    async def test_a_service_may_use_a_key(self, world: World) -> None:
        secret, _ = await world.desk.keys.create(UserId("editor"), label="x", scopes=["service"])

        assert (await world.actor(secret, "bob")).user_id == "bob"

    async def test_the_users_id_is_percent_encoded(self, world: World) -> None:
        service = world.token(UserId("editor"), scopes=["service"])

        assert (await world.actor(service, "org%2Fb%C3%B6b")).user_id == "org/böb"

    async def test_nobody_else_acts_for_a_user(self, world: World) -> None:
        scopes: list[list[Scope]] = [[], ["admin"], ["curator", "admin"]]
        for carried in scopes:
            for user_id in ("alice", "bob"):
                with pytest.raises(ForbiddenError):
                    await world.actor(world.token(scopes=carried), user_id)

    async def test_a_garbled_user_is_refused(self, world: World) -> None:
        service = world.token(UserId("editor"), scopes=["service"])
        for header in ("", "%", "a b", "a" * 129, "%00", "%ff"):
            with pytest.raises(InvalidInputError):
                await world.actor(service, header)


class TestIdentityProvider:
    @pytest.fixture
    async def issuer(self) -> AsyncIterator[Issuer]:
        async with running_issuer() as issuer:
            issuer.publish(
                k1=("RS256", private_key("RS256")),
                k2=("EdDSA", private_key("EdDSA")),
                k3=("ES256", private_key("ES256")),
            )
            yield issuer

    @pytest.fixture
    def behind(self, database: Database, time: Time, issuer: Issuer) -> World:
        """A service behind the identity provider."""
        policy = TokenPolicy(issuer="https://id.test", audience="gallery")
        download = KeySetDownload(issuer.address)
        keys = IssuerKeys(policy=policy, download=download, clock=time)
        return world_of(database, time, keys=keys)

    def claims(self, world: World, **changes: Any) -> dict[str, Any]:
        return local_claims(world, iss="https://id.test", aud=["gallery"], **changes)

    @pytest.mark.parametrize("kid", ["k1", "k2", "k3"])
    async def test_its_tokens_are_believed(self, behind: World, issuer: Issuer, kid: str) -> None:
        token = issuer.token(self.claims(behind, tier="premium", scope="openid service"), kid)
        actor = await behind.actor(token)

        assert (actor.user_id, actor.tier.name) == ("alice", "premium")
        assert actor.scopes == {"service"}

    async def test_tokens_of_the_local_secret_are_not(self, behind: World) -> None:
        with pytest.raises(UnauthenticatedError, match="not known here"):
            await behind.actor(behind.token())

    async def test_its_public_key_signs_nothing(self, behind: World, issuer: Issuer) -> None:
        public = private_key("EdDSA").public_key()
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        for kid in ("k1", "k2"):
            token = signed(self.claims(behind), raw, "HS256", kid=kid)
            with pytest.raises(UnauthenticatedError, match="not known here"):
                await behind.actor(token)
        assert issuer.requests == 0

    async def test_a_key_of_one_kind_verifies_no_other(self, behind: World) -> None:
        token = signed(self.claims(behind), private_key("ES256"), "ES256", kid="k1")

        with pytest.raises(UnauthenticatedError, match="not known here"):
            await behind.actor(token)

    async def test_a_new_key_is_believed_when_its_first_token_comes(
        self, behind: World, issuer: Issuer
    ) -> None:
        await behind.actor(issuer.token(self.claims(behind), "k2"))
        issuer.publish(k4=("EdDSA", private_key("EdDSA", 4)))
        behind.time.passes(10)

        token = issuer.token(self.claims(behind, sub="bob"), "k4")
        assert (await behind.actor(token)).user_id == "bob"

    async def test_while_it_was_never_reached_the_service_says_so(
        self, behind: World, issuer: Issuer
    ) -> None:
        issuer.status = "503 Away"
        with pytest.raises(UnavailableError):
            await behind.actor(issuer.token(self.claims(behind), "k1"))

        assert (await behind.actor(None)).is_anonymous

    async def test_callers_who_come_together_share_one_download(
        self, behind: World, issuer: Issuer
    ) -> None:
        tokens = [issuer.token(self.claims(behind, sub=f"u{n}"), "k2") for n in range(8)]
        actors = await asyncio.gather(*(behind.actor(token) for token in tokens))

        assert [actor.user_id for actor in actors] == [f"u{n}" for n in range(8)]
        assert issuer.requests == 1
