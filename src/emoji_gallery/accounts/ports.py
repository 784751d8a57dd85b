"""What identity asks of the outside: keys that tokens are verified with."""

from __future__ import annotations

from typing import Protocol

from emoji_gallery.accounts.rules.claims import TokenPolicy
from emoji_gallery.accounts.rules.tokens import TokenHeader, VerificationKey


class TokenKeys(Protocol):
    """The keys of whoever issues the tokens, and what its tokens must say."""

    @property
    def policy(self) -> TokenPolicy:
        """Issuer and audience of the tokens."""
        ...

    async def key_for(self, header: TokenHeader) -> VerificationKey | None:
        """The key that a header means; None when the issuer has no such key.

        Raises `UnavailableError` when no key is known because the issuer cannot be reached.
        """
        ...
