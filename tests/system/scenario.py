"""The main job, end to end, as a client sees it: one scenario for every shape of the product."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from PIL import Image

from tests.waiting import blocking_until

# How many emojis each tier sees of the in-house pack, and of which licence.
VISIBLE: Final = {"free": 1923, "premium": 2248, "business": 2465}
_FREE_UPLOADS: Final = 5
_READY_SECONDS: Final = 30.0

# Makes a token: of a user, on a tier, with options such as `--scope service`.
MakeToken = Callable[..., str]

_Json = dict[str, Any]


@dataclass(frozen=True)
class Maker:
    """A movie maker with a client that carries the maker's token."""

    user_id: str
    client: httpx.Client

    def upload(self, picture: bytes, **headers: str) -> httpx.Response:
        """Post a picture as a browser would."""
        return self.client.post("/emoji/", files={"file": ("party.png", picture)}, headers=headers)

    def emoji(self, emoji_id: str) -> _Json:
        """The emoji as it is now."""
        answer: _Json = self.client.get(f"/emoji/{emoji_id}").raise_for_status().json()
        return answer

    def ready(self, emoji_id: str) -> _Json:
        """The emoji once it is ready."""
        blocking_until(lambda: self.emoji(emoji_id)["status"] == "ready", within=_READY_SECONDS)
        return self.emoji(emoji_id)

    def listed(self) -> list[str]:
        """The ids of the maker's emojis, newest first."""
        page: _Json = self.client.get(f"/user/emojis/{self.user_id}").raise_for_status().json()
        assert page["total"] == len(page["items"])
        return [item["id"] for item in page["items"]]


@dataclass(frozen=True)
class MainJob:
    """Plays the scenario against a service."""

    url: str
    make_token: MakeToken
    _clients: ExitStack = field(default_factory=ExitStack)

    def maker(self, user_id: str, tier: str, *options: str) -> Maker:
        """A maker with a token of that tier."""
        token = self.make_token(user_id, tier, *options)
        headers = {"Authorization": f"Bearer {token}"}
        return Maker(user_id, self._client(headers))

    def play(self) -> None:
        """Browse by tier, upload to the limit, reuse, rename, delete, restore, erase."""
        with self._clients:
            self.browse_by_tier()
            maker = self.maker("scenario-maker", "free")
            ids = self.upload_to_the_limit(maker)
            self.look_at_pictures(maker, ids[0])
            self.rename(maker, ids[0])
            self.delete_and_restore(maker, ids)
            self.erase(maker, ids[0])

    def browse_by_tier(self) -> None:
        """Each tier sees its emojis, and each of them once."""
        for tier, count in VISIBLE.items():
            client = self.maker(f"scenario-{tier}", tier).client
            seen, cursor = [], None
            while True:
                query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
                page = client.get("/gallery", params=query).raise_for_status().json()
                assert page["total"] == count
                seen += [item["id"] for item in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            assert len(seen) == len(set(seen)) == count

    def upload_to_the_limit(self, maker: Maker) -> list[str]:
        """Five are taken, the sixth is not; a picture that is there takes no slot."""
        pictures = [picture(hue) for hue in range(_FREE_UPLOADS + 1)]
        ids = []
        for content in pictures[:-1]:
            answer = maker.upload(content)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            ids.append(answer.json()["id"])
            assert answer.headers["location"] == f"/emoji/{ids[-1]}"
        refused = maker.upload(pictures[-1])
        assert refused.status_code == httpx.codes.FORBIDDEN
        assert refused.json()["code"] == "upload_limit_reached"
        assert (refused.json()["limit"], refused.json()["used"]) == (5, 5)
        again = maker.upload(pictures[0])
        assert (again.status_code, again.json()["id"]) == (httpx.codes.OK, ids[0])
        assert maker.listed() == ids[::-1]
        return ids

    def look_at_pictures(self, maker: Maker, emoji_id: str) -> None:
        """The renditions are what the item says, for those who were given the address."""
        emoji = maker.ready(emoji_id)
        visitor = self._client({})
        for rendition in emoji["renditions"].values():
            answer = visitor.get(rendition["url"]).raise_for_status()
            assert answer.headers["content-type"] == rendition["type"]
            assert answer.headers["cache-control"].startswith("private")
            with Image.open(io.BytesIO(answer.content)) as shown:
                assert shown.size == (rendition["width"], rendition["height"])
        unsigned = httpx.URL(emoji["renditions"]["64.webp"]["url"]).copy_with(query=None)
        assert visitor.get(unsigned).status_code == httpx.codes.FORBIDDEN

    def rename(self, maker: Maker, emoji_id: str) -> None:
        """The owner gives another name; for anybody else there is nothing."""
        answer = maker.client.patch(f"/emoji/{emoji_id}", json={"name": "confetti"})
        assert answer.json()["name"] == "confetti"
        stranger = self.maker("scenario-stranger", "business").client
        for method in ("GET", "PATCH", "DELETE"):
            body = {"name": "mine"} if method == "PATCH" else None
            refused = stranger.request(method, f"/emoji/{emoji_id}", json=body)
            assert refused.status_code == httpx.codes.NOT_FOUND
        assert maker.emoji(emoji_id)["name"] == "confetti"

    def delete_and_restore(self, maker: Maker, ids: list[str]) -> None:
        """A deleted emoji gives its slot back, and comes back with its name."""
        assert maker.client.delete(f"/emoji/{ids[0]}").status_code == httpx.codes.NO_CONTENT
        assert maker.client.get(f"/emoji/{ids[0]}").status_code == httpx.codes.NOT_FOUND
        uploads = maker.client.get("/me").json()["uploads"]
        assert uploads == {"limit": 5, "used": 4, "remaining": 1}
        restored = maker.client.post(f"/emoji/{ids[0]}/restore")
        assert (restored.status_code, restored.json()["name"]) == (httpx.codes.OK, "confetti")
        assert maker.listed() == ids[::-1]

    def erase(self, maker: Maker, emoji_id: str) -> None:
        """Nothing is left of an erased user, who may begin afresh."""
        url = maker.ready(emoji_id)["renditions"]["64.webp"]["url"]
        service = self.maker("scenario-editor", "business", "--scope", "service").client
        erased = service.delete(f"/users/{maker.user_id}")
        assert erased.status_code in {httpx.codes.ACCEPTED, httpx.codes.NO_CONTENT}
        blocking_until(lambda: maker.listed() == [], within=_READY_SECONDS)
        blocking_until(
            lambda: maker.client.get(url).status_code == httpx.codes.NOT_FOUND, within=90
        )
        assert maker.client.get("/me").json()["uploads"]["used"] == 0
        assert maker.upload(picture(0)).status_code == httpx.codes.CREATED

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        return self._clients.enter_context(client)


def picture(hue: int) -> bytes:
    """A PNG of 96 pixels a side that differs by its hue."""
    file = io.BytesIO()
    Image.new("RGBA", (96, 96), (40 * hue, 255 - 40 * hue, 128, 200)).save(file, "PNG")
    return file.getvalue()
