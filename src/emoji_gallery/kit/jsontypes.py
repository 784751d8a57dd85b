"""The type of a JSON value, for payloads and exports that cross module edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

JSON = str | int | float | bool | None | Mapping[str, "JSON"] | Sequence["JSON"]
