"""`emoji-gallery packs`: bring packs into the gallery and write them out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from emoji_gallery.bootstrap import Resources
from emoji_gallery.bootstrap.features import build_features
from emoji_gallery.cli.working import fail, with_resources
from emoji_gallery.edge.provide import service_of
from emoji_gallery.gallery.service.exporting import ExportPack
from emoji_gallery.gallery.service.importing import ImportPack, ImportReport
from emoji_gallery.gallery.service.pack_files import PackFiles, PackUnreadableError, open_pack
from emoji_gallery.gallery.service.pack_reading import openmoji_pack
from emoji_gallery.gallery.service.pack_writing import PackExistsError
from emoji_gallery.gallery.store.packs import PackSummary, summarise_packs

app = typer.Typer(help="Packs of in-house emojis.", no_args_is_help=True)

# A pack that was imported, but for some of its entries.
EXIT_FAULTS: Final = 2

PackPath = Annotated[
    Path | None,
    typer.Argument(help="A folder or zip archive with a pack.toml; the OpenMoji pack without."),
]
PackName = Annotated[str, typer.Argument(help="The pack's name, as `packs list` shows it.")]
Target = Annotated[Path, typer.Argument(help="A new folder, or a new file that ends in .zip.")]
Reset = Annotated[bool, typer.Option(help="Undo what curators changed, as the pack says.")]


@app.command("import")
def import_command(path: PackPath = None, *, reset: Reset = False) -> None:
    """Import a pack; what did not change is left alone. Ends with 2 when entries were faulty."""
    source = openmoji_pack() if path is None else open_pack(path)

    async def work(resources: Resources) -> ImportReport:
        return await import_pack(resources, source, reset=reset)

    try:
        report = with_resources(work)
    except PackUnreadableError as error:
        fail(str(error))
    _show(report)
    if report.faults:
        raise typer.Exit(EXIT_FAULTS)


@app.command("export")
def export_command(name: PackName, path: Target) -> None:
    """Write a pack, with what curators changed, in the form that `packs import` reads."""

    async def work(resources: Resources) -> int:
        export = service_of(build_features(resources)["gallery"].services, ExportPack)
        with shown_progress(f"Exporting {name}") as progress:
            return await export.run(name, path, progress=progress)

    try:
        count = with_resources(work)
    except PackExistsError as error:
        fail(str(error))
    typer.echo(f"{count} emojis written to {path}.")


@app.command("list")
def list_command() -> None:
    """List the packs and how many emojis each has."""

    async def work(resources: Resources) -> list[PackSummary]:
        async with resources.database.reading() as connection:
            return list(await summarise_packs(connection))

    table = Table("name", "label", "licence", "active", "all", box=None)
    for pack in with_resources(work):
        table.add_row(pack.name, pack.label, pack.licence, str(pack.active), str(pack.items))
    Console().print(table)


async def import_pack(
    resources: Resources, source: AbstractContextManager[PackFiles], *, reset: bool = False
) -> ImportReport:
    """Import a pack under a progress bar; raises what `ImportPack.run` and `open_pack` raise."""
    importer = service_of(build_features(resources)["gallery"].services, ImportPack)
    async with resources.renderer:
        with source as files, shown_progress("Importing") as progress:
            return await importer.run(files, reset=reset, progress=progress)


@contextmanager
def shown_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, and what moves it; nothing is drawn where there is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(report: ImportReport) -> None:
    for fault in report.faults:
        typer.echo(f"{fault.file}: {fault.reason}", err=True)
    typer.echo(
        f"{report.pack}: {report.added} added, {report.changed} changed "
        f"({report.new_art} with new art), {report.vanished} switched off, "
        f"{report.unchanged} unchanged, {len(report.faults)} faulty."
    )
    if report.kept_inactive:
        typer.echo(f"{report.kept_inactive} are in the pack, but stay switched off; see --reset.")
