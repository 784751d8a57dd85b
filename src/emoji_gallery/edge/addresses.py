"""From which address a request comes, as far as anybody we trust says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import Scope

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

# What a request without an address is counted under: one that came over a Unix socket.
_NO_ADDRESS: Final = "none"

# Reading an address costs as much as the rest of a cached answer, so the latest are remembered.
_REMEMBERED: Final = 4096

# The longest address there is, with a zone and a port; more is none and not worth remembering.
_MOST_CHARACTERS: Final = 80

# One household or machine gets a /64 of IPv6; single addresses of it cost nothing.
_IPV6_HOST_BITS: Final = 64


class ProxySettings(BaseSettings):
    """Whom we believe about addresses."""

    model_config = SettingsConfigDict(frozen=True)

    trusted_proxies: str = Field(
        default="",
        description="Networks of our own proxies, separated by commas (`10.0.0.0/8, ::1`): only "
        "from them `X-Forwarded-For` is believed.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        parse_networks(text)
        return text


def parse_networks(text: str) -> tuple[_Network, ...]:
    """Read networks and addresses separated by commas; raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


@dataclass(frozen=True)
class ClientAddresses:
    """Tells who is at the other end, behind the proxies that are trusted."""

    trusted: Sequence[_Network] = ()

    def of(self, scope: Scope) -> str:
        """The client's IPv4 address or the /64 of its IPv6 address, as text for counting.

        Every proxy appends to `X-Forwarded-For` who spoke to it. Read from the right, the first
        address that is none of our proxies is the last one that a proxy of ours vouches for; what
        stands left of it anybody may have written.
        """
        peer = _parsed(scope["client"][0]) if scope.get("client") else None
        if peer is None:
            return _NO_ADDRESS
        if not self._is_trusted(peer):
            return _counted(peer)
        for hop in _forwarded(scope):
            address = _parsed(hop)
            if address is None:
                break
            peer = address
            if not self._is_trusted(address):
                break
        return _counted(peer)

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self.trusted)


def _forwarded(scope: Scope) -> Iterator[str]:
    """The hops of `X-Forwarded-For`, nearest first."""
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    yield from reversed(b",".join(values).decode("latin-1").split(","))


def _parsed(text: str) -> _Address | None:
    """An address, also with a port behind it; an IPv4 address in IPv6's clothes is IPv4."""
    text = text.strip()
    return _read(text) if len(text) <= _MOST_CHARACTERS else None


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str) -> _Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=_REMEMBERED)
def _counted(address: _Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    network = int(address) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS
    return f"{IPv6Address(network)}/{_IPV6_HOST_BITS}"
