"""Servers without the watch that is kept over those of a run."""

from __future__ import annotations

from pathlib import Path

from emoji_gallery.embedded.binaries import Binaries, installed, within_reach
from emoji_gallery.embedded.folders import make_data_dir, prepare
from emoji_gallery.embedded.parts import EmbeddedParts
from emoji_gallery.embedded.postgres import PostgresServer
from emoji_gallery.embedded.valkey import ValkeyServer


def servers_on(data_dir: Path, programs: Binaries | None = None) -> EmbeddedParts:
    """Both servers, stopped."""
    folders = prepare(make_data_dir(data_dir))
    binaries = programs or within_reach(installed(), folders.account, stage=folders.stage)
    return EmbeddedParts(
        postgres=PostgresServer(
            binaries=binaries,
            account=folders.account,
            cluster=folders.cluster,
            sockets=folders.sockets,
            config=folders.config,
            log=folders.logs / "postgres.log",
            durability="fast",
        ),
        valkey=ValkeyServer(
            binaries=binaries,
            account=folders.account,
            folder=folders.valkey,
            sockets=folders.sockets,
            log=folders.logs / "valkey.log",
        ),
    )
