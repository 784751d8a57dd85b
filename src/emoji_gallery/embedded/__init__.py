"""PostgreSQL and Valkey from wheels, started and stopped by ourselves.

For `make run` and the tests; production images carry neither this extra nor its wheels.
"""

from emoji_gallery.embedded.errors import EmbeddedError
from emoji_gallery.embedded.parts import (
    Addresses,
    EmbeddedParts,
    addresses_of_running,
    embedded_parts,
)

__all__ = ["Addresses", "EmbeddedError", "EmbeddedParts", "addresses_of_running", "embedded_parts"]
