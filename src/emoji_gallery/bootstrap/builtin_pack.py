"""The in-house pack that ships with the product."""

from __future__ import annotations

from collections.abc import Callable

from emoji_gallery.bootstrap.features import build_features
from emoji_gallery.bootstrap.resources import Resources
from emoji_gallery.edge.provide import service_of
from emoji_gallery.gallery.service.importing import ImportPack, ImportReport
from emoji_gallery.gallery.service.pack_reading import openmoji_pack

# Told how many entries are done, of how many.
Progress = Callable[[int, int], None]


async def import_builtin_pack(resources: Resources, progress: Progress) -> ImportReport:
    """Bring the OpenMoji pack into the gallery; what is there already is left alone."""
    importer = service_of(build_features(resources)["gallery"].services, ImportPack)
    async with resources.renderer:
        with openmoji_pack() as files:
            return await importer.run(files, reset=False, progress=progress)
