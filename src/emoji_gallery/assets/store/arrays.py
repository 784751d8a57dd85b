"""Any number of digests as one parameter; a statement takes 32,767 of them at most."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, Subquery, Text, any_, func, literal, select

from emoji_gallery.contracts.ids import Digest


def among(column: ColumnElement[str], digests: Iterable[Digest]) -> ColumnElement[bool]:
    """Whether a column's digest is one of these."""
    return column == any_(literal(list(digests), ARRAY(Text)))


def rows_of(digests: Iterable[Digest]) -> Subquery:
    """A table of these, each once and in order, in the column `given`."""
    listed = literal(sorted(set(digests)), ARRAY(Text))
    return select(func.unnest(listed).label("given")).subquery("wanted")
