from __future__ import annotations

import pytest

from tests.gallery.packs import Pack, pack_of
from tests.gallery.stage import Gallery

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAUGHTY = [
    "%",
    "_",
    "%%%",
    "\\",
    "\\%",
    "'",
    '"',
    "'; DROP TABLE gallery.emojis; --",
    "$1",
    ":locale",
    "{}",
    "{0}",
    "*",
    "(",
    "[a-z",
    "&|!",
    "<->",
    "NULL",
    "😀" * 50,
    "👩‍👩‍👧‍👦",
    "\u200d",
    "\ufe0f",
    "\u202eevil",
    "\ufeff",
    "ﷺ",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "İstanbul",
    "ß",
    "田中さん",
    "مرحبا بالعالم",
    "a" * 200,
    "a b c d e f g h i j k l m n",
    "\x01\x02",
    "\t\n",
    "1" * 100,
    "½",
    "\N{MATHEMATICAL SCRIPT CAPITAL X}",
    "\U0010ffff",
]


def animals() -> Pack:
    """Emojis that differ in how they match `cat`, the best last."""
    pack = Pack("animals")
    pack.add("carpet", name="cart")
    pack.add("scatter", name="scatter")
    pack.add("lion", name="lion", tags="cat|king")
    pack.add("caterpillar", name="caterpillar")
    pack.add("black-cat", name="black cat")
    pack.add("cat", name="cat", character="🐈")
    pack.add("heart", name="red heart", character="❤️", tags="love")
    pack.add("wave", name="waving hand", character="👋")
    pack.add("wave-dark", name="waving hand: dark", character="👋🏿", base="wave")
    pack.add("crown", name="cat crown", tier="business")
    pack.add("cafe", name="café crème")
    pack.add("thumb", name="thumbs up", character="👍")
    return pack


async def test_hits_come_by_how_well_they_match_then_by_position(gallery: Gallery) -> None:
    await gallery.bring(animals())
    assert await gallery.names(q="cat") == [
        "cat",
        "black cat",
        "caterpillar",
        "lion",
        "scatter",
    ]
    assert await gallery.names(q="cat", by="business") == [
        "cat",
        "black cat",
        "cat crown",
        "caterpillar",
        "lion",
        "scatter",
    ]


async def test_a_search_has_no_total_and_comes_in_pages(gallery: Gallery) -> None:
    await gallery.bring(animals())
    page = await gallery.page(q="cat", limit=2)
    assert page["total"] is None
    walked = await gallery.walk(q="cat", limit=2)
    assert [item["name"] for item in walked] == await gallery.names(q="cat")


@pytest.mark.parametrize("typed", ["hart", "haert", "heartt", "hear", "geart", "HEART", "hëart"])
async def test_a_typing_error_is_forgiven(gallery: Gallery, typed: str) -> None:
    await gallery.bring(animals())
    assert "red heart" in await gallery.names(q=typed)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("blakc cat", "black cat"),
        ("caterpilar", "caterpillar"),
        ("catepillar", "caterpillar"),
        ("dna gniwav", None),
        ("cta", "cat"),
        ("red cat", None),
        ("hand waving", "waving hand"),
        ("cafe creme", "café crème"),
        ("CAFÉ", "café crème"),
        ("thumbsup", "thumbs up"),
        ("cre", "café crème"),
        ("c", "cat"),
        ("rown", None),
    ],
)
async def test_words_are_found_in_any_order_and_spelling(
    gallery: Gallery, typed: str, name: str | None
) -> None:
    await gallery.bring(animals())
    names = await gallery.names(q=typed)
    assert names == [] if name is None else name in names


@pytest.mark.parametrize("typed", ["❤️", "❤", " ❤️ ", "❤\ufe0e"])
async def test_the_character_itself_is_found_however_it_is_written(
    gallery: Gallery, typed: str
) -> None:
    await gallery.bring(animals())
    assert await gallery.names(q=typed) == ["red heart"]


async def test_a_typed_skin_tone_means_the_base_unless_variants_are_listed(
    gallery: Gallery,
) -> None:
    await gallery.bring(animals())
    assert await gallery.names(q="👋🏿") == ["waving hand"]
    assert await gallery.names(q="👋🏿", include_variants=True) == ["waving hand: dark"]


async def test_filters_narrow_a_search(gallery: Gallery) -> None:
    await gallery.bring(animals())
    await gallery.bring(pack_of("cat-two", name="other", category="others"))
    assert await gallery.names(q="cat", category="others") == ["cat two"]
    assert await gallery.names(q="cat", pack="animals", tier="business", by="business") == [
        "cat crown"
    ]
    items = await gallery.walk()
    ids = ",".join(item["id"] for item in items if item["name"] in ("lion", "cat two"))
    assert await gallery.names(q="cat", ids=ids) == ["cat two", "lion"]


async def test_names_in_other_languages_are_searched_and_shown(gallery: Gallery) -> None:
    await gallery.bring(animals())
    assert await gallery.names(q="Katze", locale="de") == ["katze"]
    assert await gallery.names(q="Kaze", locale="de") == ["katze"]
    assert await gallery.names(q="ネコ", locale="ja") == ["ネコ"]
    assert await gallery.names(q="قطة", locale="ar") == ["قطة"]
    assert await gallery.names(q="COEUR", locale="fr") == ["cœur rouge"]
    assert await gallery.names(q="Katze") == []


async def test_the_packs_own_names_follow_those_of_the_language(gallery: Gallery) -> None:
    pack = pack_of("gift", "poison", "hart", "heart")
    pack.change("poison", name_de="Gift").change("heart", name_de="Herz")
    await gallery.bring(pack)
    assert await gallery.names(q="gift", locale="de") == ["Gift", "gift"]
    assert await gallery.names(q="heart", locale="de") == ["Herz", "hart"]


async def test_what_changes_is_found_by_its_new_words_alone(gallery: Gallery) -> None:
    pack = pack_of("sun", tags="bright")
    await gallery.bring(pack)
    await gallery.curate("sun", name="moon", tags=["pale"])
    assert await gallery.names(q="sun") == []
    assert await gallery.names(q="bright") == []
    assert await gallery.names(q="moon") == ["moon"]
    assert await gallery.names(q="pale") == ["moon"]


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
async def test_whatever_is_typed_is_answered(gallery: Gallery, locale: str) -> None:
    await gallery.bring(animals())
    for typed in NAUGHTY:
        response = await gallery.ask("/gallery", query={"q": typed, "locale": locale})
        assert response.status_code == 200, typed


async def test_a_nul_is_refused(gallery: Gallery) -> None:
    response = await gallery.ask("/gallery", query={"q": "a\0b"})
    assert (response.status_code, response.json()["code"]) == (422, "validation_error")


async def test_a_blank_query_asks_for_everything(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    page = await gallery.page(q="  ")
    assert (page["total"], len(page["items"])) == (2, 2)


async def test_what_has_no_words_finds_nothing(gallery: Gallery) -> None:
    await gallery.bring(pack_of("a", "b"))
    assert await gallery.names(q="%") == []


async def test_a_search_ends_after_a_thousand_hits(gallery: Gallery) -> None:
    await gallery.bring(pack_of("seed"))
    ((pack_id,),) = await gallery.rows("SELECT id FROM gallery.packs")
    await gallery.rows(
        "INSERT INTO gallery.emojis (id, pack_id, key, name, names, tags, aliases, category, "
        "subcategory, tier, tier_rank, position, is_active, digest, width, height, animated, "
        "vector, curated, created_at, updated_at) "
        "SELECT gen_random_uuid(), :pack, 'n' || n, 'seed', '{}', '{}', '{}', 'things', '', "
        "'free', 10, 5000 + n, true, repeat('0', 64), 1, 1, false, false, '{}', now(), now() "
        "FROM generate_series(1, 1200) n",
        pack=pack_id,
    )
    await gallery.rows(
        "INSERT INTO gallery.search_texts SELECT e.id, '', 'seed', t.words, t.words "
        "FROM gallery.emojis e, gallery.search_texts t WHERE e.key LIKE 'n%' AND t.locale = ''"
    )
    walked = await gallery.walk(q="seed", limit=200)
    assert len(walked) == 1000
    assert [item["position"] for item in walked[:3]] == [1000, 5001, 5002]
    assert len({item["id"] for item in walked}) == 1000
