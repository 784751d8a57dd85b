"""A role says which features a process loads, and whether it serves or works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

FeatureName = Literal["gallery", "user_emojis", "assets", "accounts"]

ALL_FEATURES: Final[tuple[FeatureName, ...]] = ("gallery", "user_emojis", "assets", "accounts")

_SERVING: Final[Mapping[str, tuple[FeatureName, ...]]] = {
    "all": ALL_FEATURES,
    "gallery": ("gallery",),
    "user-emojis": ("user_emojis",),
    "media": ("assets",),
    "accounts": ("accounts",),
}


class UnknownRoleError(ValueError):
    """The setting names a role that does not exist."""


@dataclass(frozen=True)
class Role:
    """What one process does: the features whose routes it serves, and whether it runs tasks."""

    features: tuple[FeatureName, ...]
    works: bool


def parse_role(text: str) -> Role:
    """Read a comma-separated list of roles; raises `UnknownRoleError`.

    `worker` runs the task handlers of every feature; `all` serves and works.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name != "worker" and name not in _SERVING]
    if unknown or not names:
        known = ", ".join([*_SERVING, "worker"])
        message = f"ROLE={text!r} is not a list of roles; the roles are {known}."
        raise UnknownRoleError(message)
    served = {feature for name in names for feature in _SERVING.get(name, ())}
    return Role(
        features=tuple(feature for feature in ALL_FEATURES if feature in served),
        works="worker" in names or "all" in names,
    )
