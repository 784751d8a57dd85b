from __future__ import annotations

import asyncio
from io import BytesIO
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from PIL import Image

from emoji_gallery.assets.rules.links import AssetFacts
from emoji_gallery.assets.rules.signing import Audience
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.media.sniff import sniff
from emoji_gallery.media.types import Shape
from tests.assets.stage import Stage, svg

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALWAYS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "accept-ranges": "bytes",
}


def png(width: int, height: int, *, colour: str = "red") -> bytes:
    """A raster source."""
    file = BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def gif(width: int, height: int) -> bytes:
    """An animated source."""
    frames = [Image.new("RGB", (width, height), colour) for colour in ("red", "blue")]
    file = BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def altered(url: str, **changes: str | None) -> str:
    """The URL with other query parameters; None leaves one out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


class TestGetMedia:
    async def test_a_signed_url_answers_the_picture(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(stage.url(facts, "128.webp"))
        assert answer.status_code == 200
        assert sniff(answer.content) == "webp"
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["etag"] == f'"{facts.digest}-128.webp"'
        assert answer.headers.items() >= ALWAYS.items()

    async def test_every_rendition_is_what_its_name_says(self, stage: Stage) -> None:
        still = await stage.keep(png(600, 300))
        moving = await stage.keep(gif(300, 300))
        asked = [(still, "64.png"), (still, "512.avif"), (moving, "256.gif"), (moving, "256.png")]
        for facts, name in asked:
            answer = await stage.get(stage.url(facts, name))
            assert answer.status_code == 200
            assert answer.headers["content-type"] == f"image/{name.partition('.')[2]}"
            assert sniff(answer.content) == name.partition(".")[2]

    async def test_animation_is_kept_in_webp_and_left_out_of_png(self, stage: Stage) -> None:
        facts = await stage.keep(gif(64, 64))
        frames = {
            name: getattr(
                Image.open(BytesIO((await stage.get(stage.url(facts, name))).content)),
                "n_frames",
                1,
            )
            for name in ("64.webp", "64.png")
        }
        assert frames == {"64.webp": 2, "64.png": 1}

    @pytest.mark.parametrize(
        ("size", "had", "missing"),
        [
            ((40, 40), "64.webp", "128.webp"),
            ((100, 50), "128.webp", "256.webp"),
            ((512, 512), "512.avif", "1024.png"),
        ],
    )
    async def test_a_raster_is_never_enlarged(
        self, stage: Stage, size: tuple[int, int], had: str, missing: str
    ) -> None:
        facts = await stage.keep(png(*size))
        largest = await stage.get(stage.url(facts, had))
        assert Image.open(BytesIO(largest.content)).size == size
        assert (await stage.get(stage.url(facts, missing))).status_code == 404

    @pytest.mark.parametrize("name", ["256.gif", "512.gif"])
    async def test_a_still_has_no_gif(self, stage: Stage, name: str) -> None:
        facts = await stage.keep(svg("red"))
        assert (await stage.get(stage.url(facts, name))).status_code == 404

    @pytest.mark.parametrize(
        "name", ["65.webp", "64.jpg", "64", "webp", "64.WEBP", "original", "64.webp.png", "%00"]
    )
    async def test_names_outside_the_catalogue_are_not_found(self, stage: Stage, name: str) -> None:
        facts = await stage.keep(svg("red"), public=True)
        with stage.queries() as queries:
            answer = await stage.get(f"/media/{facts.digest}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert queries == []

    @pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "G" * 64, "A" * 64, "..", "x"])
    async def test_what_is_no_digest_is_not_found(self, stage: Stage, digest: str) -> None:
        answer = await stage.get(f"/media/{digest}/64.webp")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_the_source_is_never_served(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"), public=True)
        for name in ("source", "original.svg", "", "."):
            assert (await stage.get(f"/media/{facts.digest}/{name}")).status_code == 404

    async def test_a_picture_that_turns_out_damaged_is_not_found_and_not_tried_again(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(png(100, 100))
        # The rows say what the header promised, and the pixels are gone.
        await stage.objects.delete([f"sources/{facts.digest[:2]}/{facts.digest}"])
        await stage.objects.put_if_absent(
            f"sources/{facts.digest[:2]}/{facts.digest}", png(100, 100)[:-30]
        )
        answers = [await stage.get(stage.url(facts)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
        assert stage.counted("emoji_renditions_failed", reason="damaged") == 1

    async def test_a_lost_source_is_not_found(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        await stage.objects.delete([f"sources/{facts.digest[:2]}/{facts.digest}"])
        assert (await stage.get(stage.url(facts))).status_code == 404

    async def test_a_lost_rendition_is_made_again(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        first = await stage.get(stage.url(facts))
        await stage.objects.delete([f"renditions/{facts.digest[:2]}/{facts.digest}-64.webp"])
        stage.clock.advance(minutes=2)
        again = await stage.get(stage.url(facts))
        assert (again.status_code, again.content) == (200, first.content)

    async def test_unknown_query_parameters_are_refused(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        assert (await stage.get(stage.url(facts) + "&size=3")).status_code == 422


class TestSignatures:
    async def test_what_is_not_public_needs_one(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(f"/media/{facts.digest}/64.webp")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "changes",
        [
            {"signature": "A" * 43},
            {"signature": None},
            {"key": None},
            {"expires": None},
            {"expires": "99999999999"},
            {"key": "x.u"},
            {"signature": "", "key": "", "expires": ""},
        ],
        ids=repr,
    )
    async def test_a_bad_one_is_refused(self, stage: Stage, changes: dict[str, str | None]) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(altered(stage.url(facts), **changes))
        assert answer.status_code == 403

    async def test_one_for_users_cannot_be_made_one_for_shared_caches(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts, audience=Audience.USER)
        in_house = dict(parse_qsl(urlsplit(stage.url(facts)).query))["key"]
        assert (await stage.get(url)).status_code == 200
        assert (await stage.get(altered(url, key=in_house))).status_code == 403

    async def test_it_does_not_open_another_size_or_picture(self, stage: Stage) -> None:
        red, blue = await stage.keep(svg("red")), await stage.keep(svg("blue"))
        url = stage.url(red, "64.webp")
        for other in (
            url.replace("/64.webp", "/512.webp"),
            url.replace(red.digest, blue.digest),
        ):
            assert (await stage.get(other)).status_code == 403

    async def test_an_expired_one_is_refused(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        stage.clock.advance(hours=35)
        assert (await stage.get(url)).status_code == 200
        stage.clock.advance(hours=1)
        assert (await stage.get(url)).status_code == 403

    async def test_a_refusal_does_not_tell_whether_the_picture_exists(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        unknown = AssetFacts(Digest("0" * 64), Shape(1, 1))

        async def refusals(one: AssetFacts) -> list[dict[str, object]]:
            answers = [
                await stage.get(url)
                for url in (
                    f"/media/{one.digest}/64.webp",
                    altered(stage.url(one), signature="A" * 43),
                    altered(stage.url(one), expires="1000"),
                )
                for _ in range(2)
            ]
            return [
                {
                    "status": answer.status_code,
                    "headers": set(answer.headers.items()),
                    "body": answer.text.replace(one.digest, ""),
                }
                for answer in answers
            ]

        assert await refusals(facts) == await refusals(unknown)

    async def test_unknown_and_existing_pictures_cost_a_stranger_the_same(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        for digest in (facts.digest, "0" * 64):
            strict = stage.sibling(AssetSettings(media_misses_per_minute=3))
            statuses = [
                (await strict.get(f"/media/{digest}/64.webp")).status_code for _ in range(4)
            ]
            assert statuses == [403, 403, 403, 429]

    async def test_a_url_of_a_rotated_key_holds(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        old, new = f"old:{'o' * 32}", f"new:{'n' * 32}"
        before = stage.sibling(AssetSettings(media_signing_keys=old))
        after = stage.sibling(AssetSettings(media_signing_keys=f"{new},{old}"))
        for url in (before.url(facts), after.url(facts)):
            assert (await after.get(url)).status_code == 200
        assert before.url(facts) != after.url(facts)
        assert (await before.get(after.url(facts))).status_code == 403


class TestPublicArt:
    async def test_it_needs_no_signature(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"), public=True)
        url = stage.url(facts, audience=Audience.PUBLIC)
        answer = await stage.get(url)
        assert "?" not in url
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["surrogate-key"] == f"media media-{facts.digest}"

    async def test_an_old_signature_does_no_harm(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"), public=True)
        answer = await stage.get(altered(stage.url(facts), signature="A" * 43))
        assert answer.status_code == 200

    async def test_withdrawn_art_needs_a_signature_again(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"), public=True)
        assert (await stage.get(f"/media/{facts.digest}/64.webp")).status_code == 200
        async with stage.db.transaction() as tx:
            await stage.assets.withdraw(tx, [facts.digest])
        assert (await stage.get(f"/media/{facts.digest}/64.webp")).status_code == 403
        assert (await stage.get(stage.url(facts))).status_code == 200

    async def test_art_that_was_refused_a_moment_ago_is_served_once_published(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        assert (await stage.get(f"/media/{facts.digest}/64.webp")).status_code == 403
        async with stage.db.transaction() as tx:
            await stage.assets.publish(tx, [facts.digest])
        assert (await stage.get(f"/media/{facts.digest}/64.webp")).status_code == 200

    async def test_art_that_another_process_published_is_served_within_a_second(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        elsewhere = stage.sibling()
        assert (await elsewhere.get(f"/media/{facts.digest}/64.webp")).status_code == 403
        async with stage.db.transaction() as tx:
            await stage.assets.publish(tx, [facts.digest])
        stage.clock.advance(seconds=1)
        assert (await elsewhere.get(f"/media/{facts.digest}/64.webp")).status_code == 200


class TestCaching:
    async def test_in_house_art_may_be_shared_until_its_url_expires(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(stage.url(facts, audience=Audience.INHOUSE))
        # Noon of one day to the midnight after the next.
        assert answer.headers["cache-control"] == f"public, max-age={36 * 3600}, immutable"
        assert answer.headers["surrogate-key"] == f"media media-{facts.digest}"

    async def test_users_pictures_are_never_shared(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(stage.url(facts, audience=Audience.USER))
        assert answer.headers["cache-control"] == f"private, max-age={36 * 3600}, immutable"
        assert "surrogate-key" not in answer.headers

    @pytest.mark.parametrize("validator", ['"{tag}"', 'W/"{tag}"', '"x", "{tag}"', "*"])
    async def test_who_has_the_picture_is_told_so(self, stage: Stage, validator: str) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        answer = await stage.get(url, If_None_Match=validator.format(tag=f"{facts.digest}-64.webp"))
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{facts.digest}-64.webp"'
        assert "max-age" in answer.headers["cache-control"]

    async def test_who_has_another_picture_gets_this_one(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.get(stage.url(facts), If_None_Match=f'"{facts.digest}-128.webp"')
        assert answer.status_code == 200

    async def test_who_had_a_picture_that_is_gone_is_told_so(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        tag = (await stage.get(url)).headers["etag"]
        await stage.let_go(facts.digest)
        await stage.assets.collect_now([facts.digest])
        assert (await stage.get(url, If_None_Match=tag)).status_code == 404

    async def test_if_match_of_another_picture_fails(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        failed = await stage.get(url, If_Match='"x"')
        assert (failed.status_code, failed.json()["code"]) == (412, "precondition_failed")
        assert (await stage.get(url, If_Match=f'"{facts.digest}-64.webp"')).status_code == 200


class TestRanges:
    @pytest.mark.parametrize("limit_mib", [0, 64], ids=["streamed", "from memory"])
    async def test_a_part_is_answered_as_such(self, stage: Stage, limit_mib: int) -> None:
        process = stage.sibling(AssetSettings(media_cache_mib=limit_mib))
        facts = await process.keep(svg("red"))
        url = process.url(facts)
        whole = (await process.get(url)).content
        size = len(whole)
        for header, start, stop in (
            ("bytes=0-9", 0, 10),
            ("bytes=10-", 10, size),
            ("bytes=-7", size - 7, size),
            (f"bytes=5-{size + 100}", 5, size),
        ):
            answer = await process.get(url, Range=header)
            assert answer.status_code == 206
            assert answer.content == whole[start:stop]
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
            assert answer.headers["content-length"] == str(stop - start)

    async def test_a_range_past_the_end_says_how_long_the_file_is(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        size = len((await stage.get(url)).content)
        answer = await stage.get(url, Range=f"bytes={size}-")
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["content-range"] == f"bytes */{size}"
        assert answer.headers["cache-control"] == "no-store"

    async def test_several_ranges_are_answered_with_the_whole(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        assert (await stage.get(stage.url(facts), Range="bytes=0-1,3-4")).status_code == 200

    async def test_if_range_of_another_state_is_answered_with_the_whole(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        tag = (await stage.get(url)).headers["etag"]
        answers = [
            await stage.get(url, Range="bytes=0-1", If_Range=state) for state in (tag, '"other"')
        ]
        assert [answer.status_code for answer in answers] == [206, 200]

    async def test_who_has_the_whole_is_told_so_before_any_part_is_cut(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        tag = (await stage.get(url)).headers["etag"]
        answer = await stage.get(url, Range="bytes=0-1", If_None_Match=tag)
        assert answer.status_code == 304


class TestHeadMedia:
    async def test_it_answers_the_headers_of_get(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        head, get = await stage.request("HEAD", url), await stage.get(url)
        assert (head.status_code, head.content) == (200, b"")
        assert set(head.headers.items()) == set(get.headers.items())

    async def test_it_knows_no_ranges(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        for header in ("bytes=0-1", "bytes=999999-"):
            assert (await stage.request("HEAD", url, Range=header)).status_code == 200

    async def test_it_needs_a_signature_too(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        answer = await stage.request("HEAD", f"/media/{facts.digest}/64.webp")
        assert answer.status_code == 403

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    async def test_other_methods_are_not_allowed(self, stage: Stage, method: str) -> None:
        facts = await stage.keep(svg("red"))
        assert (await stage.request(method, stage.url(facts))).status_code == 405


class TestDemand:
    async def test_64_who_ask_at_once_have_it_made_once(self, stage: Stage) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts, "512.webp")
        answers = await asyncio.gather(*(stage.get(url) for _ in range(64)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert stage.counted("emoji_renditions_made", name="512.webp") == 1

    async def test_a_hot_file_costs_no_query(self, stage: Stage) -> None:
        signed, public = await stage.keep(svg("red")), await stage.keep(svg("blue"), public=True)
        urls = [stage.url(signed), stage.url(public, audience=Audience.PUBLIC)]
        # The process that registered them, and one that did not.
        for process in (stage, stage.sibling()):
            for url in urls:
                await process.get(url)
            with process.queries() as queries:
                answers = [await process.get(url) for url in urls for _ in range(3)]
            assert {answer.status_code for answer in answers} == {200}
            assert queries == []

    async def test_a_signed_file_that_is_stored_costs_no_query_in_a_new_process(
        self, stage: Stage
    ) -> None:
        facts = await stage.keep(svg("red"))
        url = stage.url(facts)
        await stage.get(url)
        process = stage.sibling()
        with process.queries() as queries:
            assert (await process.get(url)).status_code == 200
        assert queries == []

    async def test_an_unknown_digest_costs_one_query_in_60_seconds(self, stage: Stage) -> None:
        url = stage.url(AssetFacts(Digest("0" * 64), Shape(1, 1)))
        lookups = []
        for _ in range(3):
            with stage.queries() as queries:
                answers = [await stage.get(url) for _ in range(5)]
            assert {answer.status_code for answer in answers} == {404}
            assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
            lookups.append(sum("assets.assets.digest =" in query for query in queries))
            stage.clock.advance(seconds=30)
        assert lookups == [1, 0, 1]

    async def test_an_unknown_digest_is_known_as_soon_as_it_is_registered_here(
        self, stage: Stage
    ) -> None:
        url = stage.url(AssetFacts(stage.digest_of(svg("red")), Shape(1, 1)))
        assert (await stage.get(url)).status_code == 404
        await stage.keep(svg("red"))
        assert (await stage.get(url)).status_code == 200

    async def test_a_lookup_between_registering_and_commit_is_not_remembered(
        self, stage: Stage
    ) -> None:
        source = svg("red")
        url = stage.url(AssetFacts(stage.digest_of(source), Shape(1, 1)))
        digest = await stage.ingest(source)
        async with stage.db.transaction() as tx:
            await stage.assets.register(tx, digest, await stage.probe(source), size=len(source))
            assert (await stage.get(url)).status_code == 404
        assert (await stage.get(url)).status_code == 200

    async def test_another_process_knows_a_new_digest_within_a_second(self, stage: Stage) -> None:
        elsewhere = stage.sibling()
        url = stage.url(AssetFacts(stage.digest_of(svg("red")), Shape(1, 1)))
        assert (await elsewhere.get(url)).status_code == 404
        await stage.keep(svg("red"))
        stage.clock.advance(seconds=1)
        assert (await elsewhere.get(url)).status_code == 200

    async def test_only_so_many_digests_are_remembered(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("emoji_gallery.assets.service.known._MAX_ASSETS", 2)
        urls = [
            stage.url(AssetFacts(Digest(letter * 64), Shape(1, 1))) for letter in ("0", "1", "2")
        ]
        for url in urls:
            await stage.get(url)
        with stage.queries() as queries:
            for url in urls[1:]:
                await stage.get(url)
        assert queries == []
        with stage.queries() as queries:
            await stage.get(urls[0])
        assert len(queries) == 1

    async def test_an_address_that_misses_too_often_is_told_to_wait(self, stage: Stage) -> None:
        process = stage.sibling(AssetSettings(media_misses_per_minute=2))
        facts = await process.keep(svg("red"))
        names = ("64.webp", "128.webp", "256.webp")
        answers = [await process.get(process.url(facts, name)) for name in names]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json()["code"] == "rate_limited"
        assert int(answers[-1].headers["retry-after"]) in range(1, 61)
        hits = [await process.get(process.url(facts, name)) for name in names[:2]]
        assert [answer.status_code for answer in hits] == [200, 200]
