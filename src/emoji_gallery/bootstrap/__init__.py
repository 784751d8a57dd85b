"""The one composition root: settings become resources, resources become app and worker."""

from emoji_gallery.bootstrap.application import Application
from emoji_gallery.bootstrap.builtin_pack import import_builtin_pack
from emoji_gallery.bootstrap.document import openapi_document
from emoji_gallery.bootstrap.resources import Resources, make_resources, open_resources

__all__ = [
    "Application",
    "Resources",
    "import_builtin_pack",
    "make_resources",
    "open_resources",
    "openapi_document",
]
