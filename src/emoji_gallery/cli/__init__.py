"""The command line: `emoji-gallery --help` lists what it does."""

from emoji_gallery.cli.main import main

__all__ = ["main"]
