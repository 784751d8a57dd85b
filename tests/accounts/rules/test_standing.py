from datetime import UTC, datetime, timedelta

import pytest

from emoji_gallery.accounts.rules.standing import Standing, TierRow, Tiers
from emoji_gallery.contracts.identity import Tier

NOW = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)


def tier(name: str, rank: int) -> TierRow:
    sizes = dict.fromkeys(
        ("max_file_bytes", "max_side", "max_frame_pixels", "max_frames", "max_total_pixels"), 1
    )
    return TierRow(
        Tier(
            name=name, rank=rank, upload_limit=5, reads_per_minute=9, uploads_per_minute=1, **sizes
        ),
        anonymous_reads_per_minute=3 if name == "free" else None,
    )


TIERS = Tiers({"free": tier("free", 1), "premium": tier("premium", 2)})


@pytest.mark.parametrize(
    ("stored", "claimed", "name"),
    [
        (None, None, "free"),
        (None, "premium", "premium"),
        ("free", "premium", "free"),
        ("premium", "free", "premium"),
        ("premium", None, "premium"),
        (None, "platinum", "free"),
        ("premium", "platinum", "premium"),
    ],
)
def test_the_stored_tier_goes_before_the_claim_and_the_claim_before_free(
    stored: str | None, claimed: str | None, name: str
) -> None:
    assert TIERS.resolve(stored=stored, claimed=claimed).name == name


def test_anonymous_visitors_are_free_with_a_rate_of_their_own() -> None:
    anonymous = TIERS.anonymous()

    assert (anonymous.name, anonymous.rank) == ("free", 1)
    assert anonymous.reads_per_minute == 3


def test_without_a_rate_of_their_own_they_have_that_of_the_tier() -> None:
    alone = Tiers({"free": TierRow(TIERS.rows["free"].tier)})

    assert alone.anonymous().reads_per_minute == 9


def test_where_no_tier_is_called_free_the_lowest_is_the_default() -> None:
    renamed = Tiers({"basic": tier("basic", 1), "premium": tier("premium", 2)})

    assert renamed.resolve(stored=None, claimed=None).name == "basic"
    assert renamed.anonymous().name == "basic"


def test_a_revocation_takes_tokens_issued_before_it() -> None:
    revoked = Standing(known=True, tokens_revoked_before=NOW)

    assert revoked.revokes((NOW - timedelta(milliseconds=1)).timestamp())
    assert not revoked.revokes(NOW.timestamp())
    assert revoked.revokes(None)


def test_nothing_is_revoked_without_a_revocation() -> None:
    assert not Standing().revokes(None)
    assert not Standing(known=True).revokes(0)
