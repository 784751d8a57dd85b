"""Sets libvips up for hostile input: named loaders and savers only, one thread, nothing cached."""

from collections.abc import Sequence
from typing import Final

import pyvips

RASTER_LOADERS: Final = (
    "VipsForeignLoadPng",
    "VipsForeignLoadJpeg",
    "VipsForeignLoadNsgif",
    "VipsForeignLoadWebp",
    "VipsForeignLoadHeif",
)
VECTOR_LOADERS: Final = ("VipsForeignLoadSvg",)

_SAVERS: Final = (
    "VipsForeignSaveWebp",
    "VipsForeignSavePng",
    "VipsForeignSaveSpng",
    "VipsForeignSaveCgif",
    "VipsForeignSaveHeif",
)


def allow_only(loaders: Sequence[str]) -> None:
    """Block every way into and out of libvips but the named loaders and our four savers.

    `VIPS_CONCURRENCY=1` belongs into the environment of the process before this module loads.
    """
    pyvips.operation_block_set("VipsForeign", True)  # noqa: FBT003 (pyvips' own signature)
    for name in (*loaders, *_SAVERS):
        pyvips.operation_block_set(name, False)  # noqa: FBT003 (pyvips' own signature)
    pyvips.cache_set_max(0)
