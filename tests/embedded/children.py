"""A run of the embedded servers in a process of its own, which a test may kill."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emoji_gallery.embedded.parts import embedded_parts


@contextmanager
def run_in_child(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the servers up; the block begins when they answer."""
    command = [sys.executable, "-m", "tests.embedded.children", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "up\n"
            yield child
        finally:
            child.kill()


async def _hold(data_dir: Path) -> None:
    async with embedded_parts(data_dir, durability="durable"):
        sys.stdout.write("up\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_hold(Path(sys.argv[1])))
