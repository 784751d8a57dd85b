"""`emoji-gallery settings`: every setting with its default, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import typer
from pydantic import SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from emoji_gallery.settings import setting_classes


def settings_table() -> str:
    """The settings as a Markdown table, one row each, in the order of the modules."""
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *_rows()])


def settings() -> None:
    """Print every setting, its default and what it means."""
    typer.echo(settings_table())


def _rows() -> Iterator[str]:
    for kind in setting_classes():
        for name, field in kind.model_fields.items():
            yield f"| `{name.upper()}` | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, timedelta):
        value = TypeAdapter(timedelta).dump_python(value, mode="json")
    return f"`{value}`" if value not in {"", None} else "-"
