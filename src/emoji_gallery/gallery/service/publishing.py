"""Free art is anybody's: which files need no signature follows from what the gallery shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.gallery.store import emojis as store
from emoji_gallery.kit.database import WriteConnection

_AT_ONCE: Final = 5_000


async def publish_free(
    tx: WriteConnection, assets: Assets, shown: Collection[Digest], *, free_rank: int
) -> None:
    """Publish what any emoji of the lowest tier shows, withdraw what none does any more.

    `shown` are or were shown by emojis just written. Emojis may share a picture, so that one
    which is free decides.
    """
    for digests in in_batches(shown):
        free = await store.shown_up_to(tx, digests, rank=free_rank)
        await assets.publish(tx, sorted(free))
        await assets.withdraw(tx, [digest for digest in digests if digest not in free])


def in_batches(digests: Collection[Digest]) -> Iterator[Sequence[Digest]]:
    """All of them in order, not more at once than one statement takes."""
    ordered = sorted(digests)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
