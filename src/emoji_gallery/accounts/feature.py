"""What a process runs of accounts, and the identities that every process needs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from emoji_gallery.accounts.endpoints import router
from emoji_gallery.accounts.ports import TokenKeys
from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.service.credentials import KeyRing, TokenVerifier
from emoji_gallery.accounts.service.erasure import EraseUser
from emoji_gallery.accounts.service.export import ExportUser
from emoji_gallery.accounts.service.identities import LocalIdentities
from emoji_gallery.accounts.service.issuer_keys import IssuerKeys, KeySetDownload
from emoji_gallery.accounts.service.keys import ApiKeys
from emoji_gallery.accounts.service.local_keys import TOKEN_KEY_PURPOSE, LocalKeys
from emoji_gallery.accounts.service.standings import Standings
from emoji_gallery.accounts.service.tiers import ChangeTier, TierBook
from emoji_gallery.accounts.service.users import Users
from emoji_gallery.accounts.settings import AccountsSettings
from emoji_gallery.accounts.tasks import erasure_handler
from emoji_gallery.contracts.identity import UserData
from emoji_gallery.edge.feature import Feature
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.queue import Queue
from emoji_gallery.kit.secrets import derive_key
from emoji_gallery.kit.typeids import new_uuid


def token_keys(settings: AccountsSettings, *, master: bytes, clock: Clock) -> TokenKeys:
    """The identity provider's keys where one is set, else the key derived from the secret."""
    if not settings.jwks_url:
        return LocalKeys(derive_key(master, TOKEN_KEY_PURPOSE))
    policy = TokenPolicy(issuer=settings.token_issuer, audience=settings.token_audience or None)
    return IssuerKeys(policy=policy, download=KeySetDownload(settings.jwks_url), clock=clock)


def local_identities(*, db: Database, keys: TokenKeys, clock: Clock) -> LocalIdentities:
    """Identities from this process' own database; every feature's process needs them."""
    return LocalIdentities(
        book=TierBook(db=db, clock=clock),
        standings=Standings(db=db, clock=clock),
        tokens=TokenVerifier(keys=keys, clock=clock),
        keys=KeyRing(db=db, clock=clock),
    )


def build(
    *,
    db: Database,
    queue: Queue,
    clock: Clock,
    identities: LocalIdentities,
    user_data: Sequence[UserData],
) -> Feature:
    """The routes under `/users`; `user_data` is what the process' features keep of users."""
    users = Users(db=db, book=identities.book, standings=identities.standings, clock=clock)
    erasure = EraseUser(
        db=db,
        queue=queue,
        user_data=user_data,
        standings=identities.standings,
        keys=identities.keys,
        clock=clock,
    )
    return Feature(
        name="accounts",
        routers=[router],
        services={
            Users: users,
            EraseUser: erasure,
            ExportUser: ExportUser(db=db, user_data=user_data),
        },
        tasks=[erasure_handler(erasure)],
    )


@dataclass(frozen=True)
class Administration:
    """What the command line does with accounts."""

    users: Users
    erasure: EraseUser
    keys: ApiKeys
    tiers: ChangeTier


def administration(*, db: Database, queue: Queue, clock: Clock) -> Administration:
    """The use cases of the command line; running processes know of a change within 25 seconds.

    What features keep of an erased user is left to the worker, which begins at once.
    """
    book = TierBook(db=db, clock=clock)
    standings = Standings(db=db, clock=clock)
    return Administration(
        users=Users(db=db, book=book, standings=standings, clock=clock),
        erasure=EraseUser(
            db=db,
            queue=queue,
            user_data=(),
            standings=standings,
            keys=KeyRing(db=db, clock=clock),
            clock=clock,
            go_on_after=timedelta(0),
        ),
        keys=ApiKeys(db=db, clock=clock, choose=secrets.choice, new_id=new_uuid),
        tiers=ChangeTier(db=db, book=book),
    )
