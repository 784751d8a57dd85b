"""Whose tokens are believed."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from emoji_gallery.accounts.rules.addresses import checked_key_set_address


class AccountsSettings(BaseSettings):
    """Who issues the tokens. Without a `JWKS_URL` they are signed with the local secret."""

    model_config = SettingsConfigDict(frozen=True)

    jwks_url: str = Field(
        default="",
        description="Address of the identity provider's JWK Set (https); empty means tokens "
        "that `emoji-gallery token` signs with the local secret.",
    )
    token_issuer: str = Field(
        default="",
        description="The `iss` that tokens must carry; needed with JWKS_URL.",
    )
    token_audience: str = Field(
        default="",
        description="The `aud` that tokens must name; empty means that they may name none.",
    )

    @field_validator("jwks_url")
    @classmethod
    def _reachable_safely(cls, address: str) -> str:
        return checked_key_set_address(address) if address else address

    @model_validator(mode="after")
    def _issuer_is_known(self) -> Self:
        # Several issuers may share one address (a provider of many tenants): keys alone do
        # not say who signed (RFC 8725, section 3.8).
        if self.jwks_url and not self.token_issuer:
            raise ValueError("JWKS_URL needs TOKEN_ISSUER, the `iss` of its tokens.")
        return self
