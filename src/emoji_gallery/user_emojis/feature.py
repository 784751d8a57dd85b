"""The feature's manifest: what a process runs when its role names user emojis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emoji_gallery.assets.service.library import Assets
from emoji_gallery.edge.feature import Feature
from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.limiter import Limiter
from emoji_gallery.kit.queue import Queue
from emoji_gallery.kit.turns import Turns
from emoji_gallery.kit.typeids import new_uuid
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.user_emojis import tasks
from emoji_gallery.user_emojis.endpoints import emojis, upload
from emoji_gallery.user_emojis.endpoints.body import Pace
from emoji_gallery.user_emojis.models import idempotency
from emoji_gallery.user_emojis.service.browse import BrowseEmojis
from emoji_gallery.user_emojis.service.change import ChangeEmojis
from emoji_gallery.user_emojis.service.personal import UploadsOfUser
from emoji_gallery.user_emojis.service.process import ProcessEmoji
from emoji_gallery.user_emojis.service.spool import Spool
from emoji_gallery.user_emojis.service.sweep import SweepEmojis
from emoji_gallery.user_emojis.service.upload import UploadEmoji
from emoji_gallery.user_emojis.service.view import EmojiViews
from emoji_gallery.user_emojis.settings import UploadSettings
from emoji_gallery.user_emojis.store.keys import UserEmojiKeys


@dataclass(frozen=True)
class UserEmojiParts:
    """What the feature is built from."""

    db: Database
    queue: Queue
    assets: Assets
    renderer: Renderer
    limiter: Limiter
    clock: Clock


def build(parts: UserEmojiParts, *, settings: UploadSettings, data_dir: Path) -> Feature:
    """Put the feature together; files pass through `data_dir` unless settings say where."""
    views = EmojiViews(parts.assets)
    keys = UserEmojiKeys(parts.db, idempotency)
    spool = Spool(settings.spool_dir or data_dir / "spool", max_bytes=settings.spool_max_bytes)
    turns = Turns()
    uploads = UploadEmoji(
        db=parts.db,
        assets=parts.assets,
        renderer=parts.renderer,
        queue=parts.queue,
        limiter=parts.limiter,
        turns=turns,
        spool=spool,
        views=views,
        clock=parts.clock,
        make_id=new_uuid,
    )
    pace = Pace(settings.upload_idle_seconds, settings.upload_min_bytes_per_second)
    process = ProcessEmoji(parts.db, parts.assets, parts.queue, parts.clock)
    sweep = SweepEmojis(parts.db, parts.queue, keys, parts.clock)
    return Feature(
        name="user_emojis",
        routers=[upload.router, emojis.router],
        services={
            UploadEmoji: uploads,
            BrowseEmojis: BrowseEmojis(parts.db, views),
            ChangeEmojis: ChangeEmojis(parts.db, parts.queue, views, turns, parts.clock),
            UserEmojiKeys: keys,
            Pace: pace,
        },
        tasks=tasks.handlers(process, parts.assets),
        periodic=tasks.periodic(sweep),
        user_data=[UploadsOfUser(parts.db, parts.assets, parts.queue, keys)],
        background=[spool.running],
    )
