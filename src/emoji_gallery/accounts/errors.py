"""What accounts refuses, beside the errors that all features share."""

from __future__ import annotations

from emoji_gallery.kit.errors import InvalidInputError


class UnknownTierError(InvalidInputError):
    """No tier has that name."""

    title = "There is no such tier."
