import pytest

from emoji_gallery.accounts.rules.addresses import KeySetAddressError, checked_key_set_address


@pytest.mark.parametrize(
    "address",
    [
        "https://id.example/keys",
        "http://127.0.0.1:9000/keys",
        "http://127.9.9.9/keys",
        "http://[::1]:9000/keys",
        "http://localhost/keys",
    ],
)
def test_keys_come_over_https_or_from_this_machine(address: str) -> None:
    assert checked_key_set_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://id.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://localhost.evil.example/keys",
        "http://10.0.0.1/keys",
        "file:///etc/passwd",
        "https://",
        "https:///keys",
        "http://[::1/keys",
        "id.example/keys",
        "",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(KeySetAddressError):
        checked_key_set_address(address)
