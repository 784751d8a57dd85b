"""The emoji backend of a movie editor."""

__version__ = "0.1.0"
