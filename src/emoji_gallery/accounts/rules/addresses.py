"""Where an issuer's keys may be read from."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


class KeySetAddressError(ValueError):
    """The address could be answered by somebody else than the issuer."""


def checked_key_set_address(address: str) -> str:
    """The address, if it is https, or plain http on the loopback interface.

    Raises `KeySetAddressError`: whoever can answer for the address decides whom this service
    believes.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise KeySetAddressError(f"{address!r} is not an address.") from error
    if parts.scheme == "https" and host:
        return address
    if parts.scheme == "http" and is_loopback(host):
        return address
    raise KeySetAddressError(f"{address!r} is neither https nor on this machine.")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
