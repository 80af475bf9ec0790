"""The file of a backup: manifest.json (the schema's revision, and rows and SHA-256 of each table), tables/NAME.jsonl, secrets.

It is written whole, and checked before anything of it is used.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import orjson

from app.db import newest_revision

FORMAT = 1


class BadBackup(Exception):  # noqa: N818
    """An archive cannot be restored, or not here; the message says what was found and what would help."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table in an archive."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    schema: str
    made_at: str
    tables: dict[str, Part]
    secrets: list[str]
    format: int = FORMAT


def pack(folder: Path, manifest: Manifest, keys: Mapping[str, bytes], file: Path) -> None:
    """Write an archive of the files of a folder, one a table, which only its owner can read."""
    packed = folder / "archive"
    packed.touch(mode=0o600)
    with tarfile.open(packed, "w:gz", compresslevel=6) as archive:
        _add(archive, "manifest.json", orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        for name in manifest.tables:
            archive.add(folder / name, f"tables/{name}.jsonl", filter=_anonymous)
        for name, key in keys.items():
            _add(archive, f"secrets/{name}", key)
    with packed.open("rb") as whole:
        os.fsync(whole.fileno())
    packed.replace(file)  # a backup that was interrupted leaves the one before it


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that is open for reading."""

    file: Path
    manifest: Manifest
    packed: tarfile.TarFile

    def rows(self, table: str) -> IO[bytes]:
        """Return the rows of a table, a JSON object a line."""
        return _member(self.packed, f"tables/{table}.jsonl", self.file)

    def keys(self) -> dict[str, bytes]:
        """Return the secrets by the names of their files."""
        return {name: _member(self.packed, f"secrets/{name}", self.file).read() for name in self.manifest.secrets}

    def check(self) -> None:
        """Raise BadBackup unless every table is what was written."""
        for name, part in self.manifest.tables.items():
            digest, number = hashlib.sha256(), 0
            with self.rows(name) as lines:
                for line in lines:
                    digest.update(line)
                    number += 1
            if Part(number, digest.hexdigest()) != part:
                raise BadBackup(f"{self.file}: {name} is damaged ({number} rows of {part.rows}); use another backup")


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """Open a backup; raises BadBackup for what is none, or one of a newer version."""
    with _packed(file) as packed:
        yield Archive(file, _manifest(packed, file), packed)


def _packed(file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(file, "r:gz")
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(f"{file}: no archive of `adjacent backup` ({error})") from error


def _manifest(packed: tarfile.TarFile, file: Path) -> Manifest:
    try:
        told = orjson.loads(_member(packed, "manifest.json", file).read())
        manifest = Manifest(**told | {"tables": {name: Part(**part) for name, part in told["tables"].items()}})
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise BadBackup(f"{file}: its manifest is not one of ours ({error})") from error
    if manifest.format != FORMAT or manifest.schema > newest_revision():
        raise BadBackup(f"{file}: made by a newer version (schema {manifest.schema}); restore it with that version")
    return manifest


def _member(packed: tarfile.TarFile, name: str, file: Path) -> IO[bytes]:
    try:
        member = packed.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise BadBackup(f"{file}: holds no {name}; use another backup")
    return member


def _add(archive: tarfile.TarFile, name: str, body: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(body), 0o600
    archive.addfile(info, io.BytesIO(body))


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info
