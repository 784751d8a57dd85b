"""Builds the features that a role names, each from the parts that it asks for."""

from __future__ import annotations

from typing import Final

from emoji_gallery.accounts import feature as accounts
from emoji_gallery.assets import feature as assets
from emoji_gallery.assets.feature import AssetParts
from emoji_gallery.assets.service.library import Assets
from emoji_gallery.bootstrap.resources import Resources
from emoji_gallery.edge.feature import Feature
from emoji_gallery.edge.provide import service_of
from emoji_gallery.gallery import feature as gallery
from emoji_gallery.gallery.feature import GalleryParts
from emoji_gallery.kit.secrets import derive_key
from emoji_gallery.roles import FeatureName
from emoji_gallery.user_emojis import feature as user_emojis
from emoji_gallery.user_emojis.feature import UserEmojiParts

# Schemas whose view `asset_references` says which files are needed.
_REFERRING: Final = ("gallery", "user_emojis")


def build_features(resources: Resources) -> dict[FeatureName, Feature]:
    """Every feature of the product; a process serves those that its role names."""
    settings, db, clock = resources.settings, resources.database, resources.clock
    assets_feature = assets.build(
        AssetParts(
            db=db,
            objects=resources.objects,
            renderer=resources.renderer,
            limiter=resources.limiter,
            clock=clock,
            registry=resources.registry,
        ),
        settings=settings.assets,
        secret=derive_key(resources.master, "media"),
        referring=_REFERRING,
    )
    library = service_of(assets_feature.services, Assets)
    gallery_feature = gallery.build(
        GalleryParts(
            db=db,
            assets=library,
            identities=resources.identities,
            renderer=resources.renderer,
            cursors=resources.cursors,
            clock=clock,
        )
    )
    user_emojis_feature = user_emojis.build(
        UserEmojiParts(
            db=db,
            queue=resources.queue,
            assets=library,
            renderer=resources.renderer,
            limiter=resources.limiter,
            clock=clock,
        ),
        settings=settings.uploads,
        data_dir=settings.process.data_dir,
    )
    accounts_feature = accounts.build(
        db=db,
        queue=resources.queue,
        clock=clock,
        identities=resources.identities,
        user_data=user_emojis_feature.user_data,
    )
    return {
        "gallery": gallery_feature,
        "user_emojis": user_emojis_feature,
        "assets": assets_feature,
        "accounts": accounts_feature,
    }
