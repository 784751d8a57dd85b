import pytest
from pydantic import ValidationError

from emoji_gallery.accounts.feature import token_keys
from emoji_gallery.accounts.rules.tokens import TokenHeader
from emoji_gallery.accounts.service.issuer_keys import IssuerKeys
from emoji_gallery.accounts.service.local_keys import LocalKeys
from emoji_gallery.accounts.settings import AccountsSettings
from tests.accounts.clocks import Time

MASTER = b"m" * 32


def test_without_an_address_tokens_are_signed_with_the_local_secret(time: Time) -> None:
    keys = token_keys(AccountsSettings(), master=MASTER, clock=time)

    assert isinstance(keys, LocalKeys)
    assert len(keys.secret) == 32
    assert keys.secret != MASTER


async def test_the_local_secret_serves_its_own_algorithm_alone(time: Time) -> None:
    keys = token_keys(AccountsSettings(), master=MASTER, clock=time)

    assert await keys.key_for(TokenHeader("HS256", None)) is not None
    assert await keys.key_for(TokenHeader("RS256", None)) is None


def test_with_an_address_they_are_the_identity_providers(time: Time) -> None:
    settings = AccountsSettings(
        jwks_url="https://id.example/keys", token_issuer="https://id.example", token_audience="us"
    )
    keys = token_keys(settings, master=MASTER, clock=time)

    assert isinstance(keys, IssuerKeys)
    assert (keys.policy.issuer, keys.policy.audience) == ("https://id.example", "us")


def test_an_audience_may_be_left_out(time: Time) -> None:
    settings = AccountsSettings(jwks_url="https://id.example/keys", token_issuer="id")

    assert token_keys(settings, master=MASTER, clock=time).policy.audience is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jwks_url": "https://id.example/keys"}, "JWKS_URL needs TOKEN_ISSUER"),
        ({"jwks_url": "http://id.example/keys", "token_issuer": "id"}, "neither https nor"),
    ],
)
def test_settings_that_would_believe_anybody_are_refused(
    given: dict[str, str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        AccountsSettings.model_validate(given)
