from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import pytest_asyncio
from typing_extensions import override

from emoji_gallery.assets.rules.conditions import Span
from emoji_gallery.assets.rules.keys import rendition_key
from emoji_gallery.assets.service import files, making
from emoji_gallery.assets.settings import AssetSettings
from emoji_gallery.contracts.ids import Digest
from emoji_gallery.kit.database import DatabaseSettings, connect
from emoji_gallery.kit.errors import NotFoundError, UnavailableError
from emoji_gallery.media.errors import ImageRejectedError, Rejection, RendererUnavailableError
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.renderer import Renderer, Source
from emoji_gallery.media.turnstile import Priority
from emoji_gallery.media.types import Probe, Rendered
from tests.assets.stage import Stage, svg
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZES = ["64.webp", "128.webp", "512.webp"]


class ScriptedRenderer(Renderer):
    """Counts what it is asked for, and waits or fails as it is told."""

    def __init__(self, inner: Renderer) -> None:
        super().__init__()
        self.inner = inner
        self.asked: list[Sequence[str]] = []
        self.priorities: list[Priority] = []
        self.errors: list[Exception] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    @override
    async def render(
        self,
        source: Source,
        probe: Probe,
        names: Sequence[str],
        *,
        priority: Priority = Priority.UPLOAD,
    ) -> dict[str, Rendered]:
        self.asked.append(names)
        self.priorities.append(priority)
        await self.go_on.wait()
        if self.errors:
            raise self.errors.pop()
        return await self.inner.render(source, probe, names, priority=priority)


@pytest.fixture
def scripted(stage: Stage) -> ScriptedRenderer:
    """A renderer that does as it is told."""
    return ScriptedRenderer(stage.renderer)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def other_children() -> AsyncIterator[Renderer]:
    """Children of another process."""
    async with Renderer(Bounds(children=1)) as renderer:
        yield renderer


@pytest_asyncio.fixture(loop_scope="session")
async def other(
    stage: Stage, shared_database_url: str, other_children: Renderer
) -> AsyncIterator[Stage]:
    """A second process: connections and children of its own."""
    settings = DatabaseSettings(database_url=shared_database_url)
    pool = connect(settings, application_name="other")
    other = stage.sibling(db=pool, renderer=other_children)
    async with other.running():
        yield other
    await pool.close()


def made(*stages: Stage) -> float:
    """How many files children drew."""
    return sum(
        stage.counted("emoji_renditions_made", name=name) for stage in stages for name in SIZES
    )


async def sizes_in_rows(stage: Stage, digest: Digest) -> dict[str, int]:
    """What the rows say of finished renditions."""
    rows = await stage.run(
        "SELECT name, bytes FROM assets.renditions WHERE digest = :digest AND bytes IS NOT NULL",
        digest=digest,
    )
    return {str(name): int(str(size)) for name, size in rows}


async def test_what_is_rendered_is_stored_and_noted(stage: Stage) -> None:
    facts = await stage.keep(svg("red"))
    await stage.assets.render(facts.digest, SIZES)
    stored = {name: await stage.objects.head(rendition_key(facts.digest, name)) for name in SIZES}
    assert await sizes_in_rows(stage, facts.digest) == {
        name: info.size for name, info in stored.items() if info is not None
    }
    assert made(stage) == 3


async def test_several_are_drawn_in_one_go(stage: Stage, scripted: ScriptedRenderer) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    await process.assets.render(facts.digest, SIZES)
    assert [sorted(names) for names in scripted.asked] == [sorted(SIZES)]


async def test_only_what_is_missing_is_drawn(stage: Stage, scripted: ScriptedRenderer) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    await stage.assets.render(facts.digest, SIZES[:2])
    await process.assets.render(facts.digest, SIZES)
    await process.assets.render(facts.digest, SIZES)
    assert scripted.asked == [SIZES[2:]]


async def test_tasks_go_before_requests(stage: Stage, scripted: ScriptedRenderer) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    await process.assets.render(facts.digest, SIZES[:1])
    await process.get(process.url(facts, SIZES[1]))
    assert scripted.priorities == [Priority.UPLOAD, Priority.MISS]


async def test_two_processes_draw_a_rendition_once(stage: Stage, other: Stage) -> None:
    for colour in ("red", "green", "blue"):
        facts = await stage.keep(svg(colour))
        asked = [
            process.get(process.url(facts, name))
            for name in SIZES
            for process in (stage, other)
            for _ in range(4)
        ]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200}
    assert made(stage, other) == 9


async def test_a_task_and_requests_of_another_process_draw_once(stage: Stage, other: Stage) -> None:
    facts = await stage.keep(svg("red"))
    rendering = asyncio.create_task(other.assets.render(facts.digest, SIZES))
    answers = await asyncio.gather(*(stage.get(stage.url(facts, name)) for name in SIZES))
    await rendering
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert made(stage, other) == 3


async def test_who_waits_for_another_process_gets_its_failure(
    stage: Stage, scripted: ScriptedRenderer
) -> None:
    drawing, waiting = stage.sibling(renderer=scripted), stage.sibling()
    facts = await stage.keep(svg("red"))
    scripted.go_on.clear()
    scripted.errors.append(ImageRejectedError(Rejection.DAMAGED))
    first = asyncio.create_task(drawing.assets.render(facts.digest, SIZES))
    await eventually(lambda: scripted.asked, within=20)
    second = asyncio.create_task(waiting.assets.render(facts.digest, SIZES))
    scripted.go_on.set()
    for task in (first, second):
        with pytest.raises(ImageRejectedError) as failure:
            await task
        assert failure.value.reason is Rejection.DAMAGED
    assert made(drawing, waiting) == 0


async def test_a_failure_is_tried_again_after_a_rest(
    stage: Stage, scripted: ScriptedRenderer
) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    scripted.errors.append(ImageRejectedError(Rejection.TIMEOUT))
    for _ in range(2):
        with pytest.raises(ImageRejectedError):
            await process.assets.render(facts.digest, SIZES)
    assert len(scripted.asked) == 1
    await stage.run("UPDATE assets.renditions SET leased_until = now() - interval '1 second'")
    await process.assets.render(facts.digest, SIZES)
    assert made(process) == 3


async def test_without_a_free_child_it_is_unavailable_and_free_for_the_next(
    stage: Stage, scripted: ScriptedRenderer
) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    scripted.errors.append(RendererUnavailableError("busy"))
    answer = await process.get(process.url(facts))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"
    assert (await process.get(process.url(facts))).status_code == 200


async def test_what_a_dead_process_began_is_drawn_by_the_next(
    stage: Stage, scripted: ScriptedRenderer
) -> None:
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    await stage.run(
        "INSERT INTO assets.renditions (digest, name, lease_token, leased_until) "
        "VALUES (:digest, '64.webp', gen_random_uuid(), now() + interval '1 hour')",
        digest=facts.digest,
    )
    waiting = asyncio.create_task(process.assets.render(facts.digest, ["64.webp"]))
    await stage.run("UPDATE assets.renditions SET leased_until = now()")
    await waiting
    assert scripted.asked == [["64.webp"]]


async def test_a_lease_is_renewed_while_its_holder_draws(
    stage: Stage, scripted: ScriptedRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_RENEW_SECONDS", 0.02)
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    scripted.go_on.clear()
    drawing = asyncio.create_task(process.assets.render(facts.digest, ["64.webp"]))
    await eventually(lambda: scripted.asked, within=20)
    await stage.run("UPDATE assets.renditions SET leased_until = now()")
    await eventually(lambda: _is_leased(stage), within=20)
    scripted.go_on.set()
    await drawing
    assert not await _is_leased(stage)


async def test_who_waits_in_vain_is_told_to_come_again(stage: Stage) -> None:
    facts = await stage.keep(svg("red"))
    await stage.run(
        "INSERT INTO assets.renditions (digest, name, lease_token, leased_until) "
        "VALUES (:digest, '64.webp', gen_random_uuid(), now() + interval '1 hour')",
        digest=facts.digest,
    )
    asset = await stage.assets.known.look_up(facts.digest)
    assert asset is not None
    with pytest.raises(UnavailableError):
        await stage.assets.making.make(
            asset, ["64.webp"], patience=timedelta(0), priority=Priority.MISS
        )


async def test_who_waits_for_an_asset_that_goes_is_told_so(stage: Stage) -> None:
    facts = await stage.keep(svg("red"))
    asset = await stage.assets.known.look_up(facts.digest)
    assert asset is not None
    await stage.let_go(facts.digest)
    await stage.assets.collect_now([facts.digest])
    with pytest.raises(NotFoundError):
        await stage.assets.making.make(
            asset, ["64.webp"], patience=timedelta(minutes=1), priority=Priority.MISS
        )


async def test_an_unknown_asset_cannot_be_rendered(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        await stage.assets.render(Digest("0" * 64), SIZES)


async def test_when_too_many_wait_the_next_is_sent_away(
    stage: Stage, scripted: ScriptedRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoji_gallery.assets.feature.cpu_count", lambda: 1)
    process = stage.sibling(AssetSettings(media_queue=1), renderer=scripted)
    kept = [await stage.keep(svg(colour)) for colour in ("red", "green", "blue", "white")]
    scripted.go_on.clear()
    asked = [asyncio.create_task(process.get(process.url(facts))) for facts in kept[:3]]
    # Two are served at once, one waits.
    await eventually(lambda: len(scripted.asked) == 2, within=20)
    refused = await eventually(lambda: _refused(process, process.url(kept[3])), within=20)
    assert refused == {"code": "unavailable", "retry": "2"}
    scripted.go_on.set()
    assert [(await answer).status_code for answer in asked] == [200, 200, 200]


async def test_a_request_that_waits_too_long_leaves_the_work_to_the_next(
    stage: Stage, scripted: ScriptedRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_REQUEST_SECONDS", 0.05)
    process = stage.sibling(renderer=scripted)
    facts = await stage.keep(svg("red"))
    scripted.go_on.clear()
    answer = await process.get(process.url(facts))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    scripted.go_on.set()
    await eventually(lambda: _is_served(process, process.url(facts)), within=20)
    assert scripted.asked == [["64.webp"]]


async def test_a_file_that_goes_before_it_is_streamed_is_not_found(stage: Stage) -> None:
    process = stage.sibling(AssetSettings(media_cache_mib=0))
    facts = await stage.keep(svg("red"))
    await process.get(process.url(facts))
    found = await process.delivery.files.find(facts.digest, "64.webp")
    assert found is not None
    await stage.let_go(facts.digest)
    await stage.assets.collect_now([facts.digest])
    with pytest.raises(NotFoundError):
        await process.delivery.files.stream(found, Span(0, found.size))


async def _is_served(process: Stage, url: str) -> bool:
    return (await process.get(url)).status_code == 200


async def _refused(process: Stage, url: str) -> dict[str, str] | None:
    answer = await process.get(url)
    if answer.status_code != 503:
        return None
    return {"code": answer.json()["code"], "retry": answer.headers["retry-after"]}


async def _is_leased(stage: Stage) -> bool:
    return bool(await stage.run("SELECT 1 FROM assets.renditions WHERE leased_until > now()"))
