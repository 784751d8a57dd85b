"""The command: see the package's docstring."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path

import httpx
from rich.progress import Progress

from tests.corpus.judge import complaints
from tests.corpus.manifest import Case, read_manifest
from tests.corpus.uploads import upload
from tests.service import running_service

_AT_ONCE = 4


async def judge_all(url: str, token: str, cases: list[Case]) -> int:
    """Upload every case and print what went wrong; returns how many did."""
    verdicts: Counter[str] = Counter()
    wrong: list[str] = []
    places = asyncio.Semaphore(_AT_ONCE)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        with Progress(disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("Uploading", total=len(cases))

            async def judge(case: Case) -> None:
                async with places:
                    outcome = await upload(client, case)
                verdicts[f"{case.expectation}: {outcome.state} ({outcome.status})"] += 1
                wrong.extend(f"{case.name}: {text}" for text in complaints(case, outcome))
                progress.advance(bar)

            await asyncio.gather(*(judge(case) for case in cases))
        (await client.get("/health/live")).raise_for_status()
    for verdict, count in sorted(verdicts.items()):
        print(f"{count:5} {verdict}")
    print("\n".join(["", *sorted(wrong)]))
    return len(wrong)


def main() -> None:
    """Exit with 1 when anything was judged wrong."""
    parser = argparse.ArgumentParser(description="Post a corpus of images and judge the answers.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", help="a running service; without it one is started")
    parser.add_argument("--token", help="a business user's token for that service")
    given = parser.parse_args()
    cases = read_manifest(given.folder)
    if given.url:
        wrong = asyncio.run(judge_all(given.url, given.token, cases))
    else:
        with running_service() as service:
            wrong = asyncio.run(judge_all(service.url, service.token("corpus", "business"), cases))
    print(f"{len(cases) - wrong} of {len(cases)} files came out as they must, {wrong} complaints")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
