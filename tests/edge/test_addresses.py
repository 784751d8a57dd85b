from __future__ import annotations

import pytest
from pydantic import ValidationError

from emoji_gallery.edge.addresses import ClientAddresses, ProxySettings, parse_networks


def address_of(
    peer: str | None, *forwarded: str, trusted: str = "10.0.0.0/8, fd00::/8, ::1"
) -> str:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    client = None if peer is None else (peer, 1234)
    addresses = ClientAddresses(parse_networks(trusted))
    return addresses.of({"type": "http", "client": client, "headers": headers})


def test_without_proxies_the_peer_is_the_client() -> None:
    assert address_of("192.0.2.7") == "192.0.2.7"


def test_a_stranger_is_not_believed() -> None:
    assert address_of("192.0.2.7", "198.51.100.1") == "192.0.2.7"


def test_a_trusted_proxy_is_believed() -> None:
    assert address_of("10.0.0.1", "198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["198.51.100.1:443"], "198.51.100.1"),
        (["[2001:db8::5]:443"], "2001:db8::/64"),
    ],
)
def test_the_rightmost_address_that_is_not_ours_is_the_client(
    forwarded: list[str], client: str
) -> None:
    assert address_of("10.0.0.1", *forwarded) == client


@pytest.mark.parametrize(
    "forwarded", ["", "unknown", "1.1.1.1, nonsense", "1.1.1.1,", "1.1.1.1, " + "1" * 90]
)
def test_what_is_no_address_stops_the_search_at_our_proxy(forwarded: str) -> None:
    assert address_of("10.0.0.1", forwarded) == "10.0.0.1"


def test_a_proxy_that_says_nothing_is_the_client() -> None:
    assert address_of("10.0.0.1") == "10.0.0.1"


@pytest.mark.parametrize("peer", ["2001:db8:0:1::5", "2001:db8:0:1:ffff::", "2001:db8:0:1::5%eth0"])
def test_ipv6_counts_by_its_first_half(peer: str) -> None:
    assert address_of(peer) == "2001:db8:0:1::/64"


def test_ipv4_in_ipv6_is_ipv4() -> None:
    assert address_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert address_of("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("peer", [None, "", "unix:/run/x.sock"])
def test_a_peer_without_address_is_counted_as_one(peer: str | None) -> None:
    assert address_of(peer, "198.51.100.1") == "none"


def test_networks_are_checked_when_they_are_set() -> None:
    assert ProxySettings(trusted_proxies="10.0.0.0/8, ::1,").trusted_proxies
    with pytest.raises(ValidationError, match=r"10\.0\.0"):
        ProxySettings(trusted_proxies="10.0.0")
