"""Query parameters of the gallery, read into what the use cases take."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from emoji_gallery.contracts.ids import EMOJI_PREFIX, EmojiId
from emoji_gallery.gallery.errors import UnknownLocaleError
from emoji_gallery.gallery.rules.filters import Sort
from emoji_gallery.gallery.rules.listing import MAX_IDS, Listing, typed
from emoji_gallery.gallery.rules.locales import LOCALES, PACK_LOCALE, language_of
from emoji_gallery.gallery.rules.rows import PACK_TEXTS
from emoji_gallery.gallery.rules.search import MAX_QUERY_CHARACTERS
from emoji_gallery.kit.errors import InvalidInputError
from emoji_gallery.kit.typeids import InvalidIdError, parse_id

_Name = Annotated[str | None, Query(min_length=1, max_length=64)]


def read_locale(
    locale: Annotated[
        str | None,
        Query(
            max_length=35,
            description=f"Language of names and labels, as a BCP 47 tag: {', '.join(LOCALES)}.",
        ),
    ] = None,
) -> str:
    """The language to answer in; empty for the packs' own. Raises `UnknownLocaleError`."""
    if locale is None:
        return PACK_TEXTS
    language = language_of(locale)
    if language not in LOCALES:
        raise UnknownLocaleError(f"The languages are {', '.join(LOCALES)}.", known=LOCALES)
    return PACK_TEXTS if language == PACK_LOCALE else language


Language = Annotated[str, Depends(read_locale)]


def _ids(
    ids: Annotated[
        list[str] | None,
        Query(description=f"At most {MAX_IDS} ids, repeated or separated by commas."),
    ] = None,
) -> tuple[EmojiId, ...] | None:
    if ids is None:
        return None
    texts = list(dict.fromkeys(one for joined in ids for one in joined.split(",") if one))
    if len(texts) > MAX_IDS:
        raise InvalidInputError(f"ids: at most {MAX_IDS}.", limit=MAX_IDS, actual=len(texts))
    return tuple(EmojiId(_uuid("ids", text)) for text in texts)


def _uuid(parameter: str, text: str) -> UUID:
    try:
        return parse_id(EMOJI_PREFIX, text)
    except InvalidIdError:
        raise InvalidInputError(f"{parameter}: {text!r} is not an emoji's id.") from None


def _base(
    base: Annotated[
        str | None, Query(description="Lists the skin-tone variants of this emoji.")
    ] = None,
) -> EmojiId | None:
    return None if base is None else EmojiId(_uuid("base", base))


def read_listing(  # noqa: PLR0913 (one argument is one query parameter)
    ids: Annotated[tuple[EmojiId, ...] | None, Depends(_ids)],
    base: Annotated[EmojiId | None, Depends(_base)],
    locale: Language,
    category: _Name = None,
    subcategory: _Name = None,
    pack: _Name = None,
    tier: _Name = None,
    *,
    animated: bool | None = None,
    include_variants: Annotated[
        bool, Query(description="List skin-tone variants among the rest.")
    ] = False,
    include_locked: Annotated[
        bool, Query(description="List emojis of higher tiers too, with a preview alone.")
    ] = False,
    active: Annotated[
        bool | None, Query(description="For curators: active or inactive emojis.")
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=MAX_QUERY_CHARACTERS,
            description="Finds names, tags and the character itself; forgives typing errors.",
        ),
    ] = None,
    sort: Sort = "position",
) -> Listing:
    """What a client asks for; raises `InvalidInputError`."""
    return Listing(
        category=category,
        subcategory=subcategory,
        pack=pack,
        tier=tier,
        animated=animated,
        ids=ids,
        base=base,
        include_variants=include_variants,
        include_locked=include_locked,
        q=typed(q),
        locale=locale,
        active=active,
        sort=sort,
    )


WantedListing = Annotated[Listing, Depends(read_listing)]
