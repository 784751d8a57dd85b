"""Where the command line works on accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from emoji_gallery.accounts.feature import Administration, administration
from emoji_gallery.bootstrap import Resources
from emoji_gallery.cli.working import with_resources

_Outcome = TypeVar("_Outcome")


def at_the_desk(work: Callable[[Administration], Awaitable[_Outcome]]) -> _Outcome:
    """The outcome of work on accounts, in the database of the service."""

    async def run(resources: Resources) -> _Outcome:
        return await work(
            administration(db=resources.database, queue=resources.queue, clock=resources.clock)
        )

    return with_resources(run)
