"""What `make run` shows a newcomer: where the service is, who one can be, what one can do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# A picture of our own to upload.
SAMPLE: Final = Path(__file__).with_name("take-one.png")

# The user whose token is in the lines to paste.
_EXAMPLE: Final = "free"


def demo_user(tier: str) -> str:
    """The user id of the demo user on a tier."""
    return f"demo-{tier}"


def welcome(*, url: str, tokens: Mapping[str, str]) -> str:
    """The lines to print once the service answers at `url`; `tokens` are by tier.

    Without tokens, because an identity provider issues them, only the address is shown.
    """
    lines = ["", f"The emoji gallery is at {url} and its documentation at {url}/docs", ""]
    if tokens:
        lines += [
            "Tokens of three demo users, good for 30 days:",
            *(line for tier, token in tokens.items() for line in (f"  {demo_user(tier)}", token)),
            "",
            "To look at the gallery, to upload a picture, and to list one's own:",
            *_lines_to_paste(url, tokens[_EXAMPLE]),
            "",
        ]
    return "\n".join([*lines, "Ctrl-C stops everything; the next start still has it.", ""])


def _lines_to_paste(url: str, token: str) -> list[str]:
    signed_in = f"-H 'Authorization: Bearer {token}'"
    picture = shlex.quote(f'file=@"{SAMPLE}"')
    return [
        f"curl '{url}/gallery?limit=3'",
        f"curl {signed_in} -F {picture} {url}/emoji/",
        f"curl {signed_in} {url}/user/emojis/{demo_user(_EXAMPLE)}",
    ]
