"""`emoji-gallery tasks`: the tasks that failed for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer

from emoji_gallery.bootstrap import Resources
from emoji_gallery.cli.listing import show
from emoji_gallery.cli.working import fail, with_resources
from emoji_gallery.kit.outbox.dead_letters import (
    Choice,
    DeadLetter,
    DeadLetters,
    UnknownLetterError,
)

app = typer.Typer(
    name="tasks", help="Tasks that failed for good (dead letters).", no_args_is_help=True
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Like user_emojis/12.")]
Task = Annotated[str | None, typer.Option(help="Only those of a name, like user_emojis.process.")]
Everything = Annotated[bool, typer.Option("--all", help="Every one there is.")]


@app.command("list")
def list_letters(
    task: Task = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show them, the latest first."""

    async def work(resources: Resources) -> Sequence[DeadLetter]:
        return await DeadLetters(resources.database).list(Choice(task=task), limit=limit)

    columns = ["ID", "TASK", "FAILED", "TRIED", "REASON", "PAYLOAD"]
    show(columns, (_row(letter) for letter in with_resources(work)))


@app.command()
def retry(ids: Ids = None, *, task: Task = None, everything: Everything = False) -> None:
    """Run them again, as if they were new."""
    _change(_choice(ids, task, everything=everything), lambda dead, chosen: dead.retry(chosen))


@app.command()
def drop(ids: Ids = None, *, task: Task = None, everything: Everything = False) -> None:
    """Forget them; what they were to do stays undone."""
    _change(_choice(ids, task, everything=everything), lambda dead, chosen: dead.drop(chosen))


@app.command()
def bury(
    task: Annotated[str, typer.Argument(help="The name, like user_emojis.process.")],
) -> None:
    """Put waiting tasks that nobody handles any more among those that failed."""

    async def work(resources: Resources) -> int:
        return await DeadLetters(resources.database).bury(task)

    _tell(with_resources(work))


def _choice(ids: list[str] | None, task: str | None, *, everything: bool) -> Choice:
    if sum((bool(ids), task is not None, everything)) != 1:
        fail("Name ids, or --task NAME, or --all.")
    return Choice(letter_ids=ids or None, task=task)


def _change(choice: Choice, change: Callable[[DeadLetters, Choice], Awaitable[int]]) -> None:
    async def work(resources: Resources) -> int:
        return await change(DeadLetters(resources.database), choice)

    try:
        changed = with_resources(work)
    except UnknownLetterError as error:
        fail(str(error))
    _tell(changed)


def _tell(count: int) -> None:
    typer.echo(f"{count} task{'' if count == 1 else 's'}")


def _row(letter: DeadLetter) -> Sequence[object]:
    return (
        letter.letter_id,
        letter.task,
        letter.failed_at,
        letter.deliveries,
        # One line: reasons are what exceptions said.
        " ".join(letter.reason.split()),
        " ".join(letter.payload.split()),
    )
