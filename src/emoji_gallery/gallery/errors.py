"""What the gallery refuses."""

from __future__ import annotations

from emoji_gallery.kit.errors import InvalidInputError


class UnsortableSearchError(InvalidInputError):
    """Hits come by how well they match."""

    title = "A search comes by how well it matches; `sort` goes without `q`."


class UnknownLocaleError(InvalidInputError):
    """The gallery has no names in that language."""

    title = "There are no names in this language."


class UnknownTierError(InvalidInputError):
    """An emoji was to be put on a tier that does not exist."""

    title = "There is no such tier."
