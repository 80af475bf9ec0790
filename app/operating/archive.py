"""The file of a backup: manifest.json (the schema's revision, and rows and SHA-256 of each table), tables/NAME.jsonl, secrets.

It is a zip archive where its name says so, a tar.gz under any other name. It is written whole, and checked before
anything of it is used.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zipfile
import zlib
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
    (folder / "manifest.json").write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    members = {"manifest.json": folder / "manifest.json"}
    members |= {f"tables/{name}.jsonl": folder / name for name in manifest.tables}
    for name, key in keys.items():
        (folder / name).write_bytes(key)
        members[f"secrets/{name}"] = folder / name
    for path in members.values():
        path.chmod(0o600)
    packed = folder / "archive"
    packed.touch(mode=0o600)
    (_write_zip if is_zip(file) else _write_tar)(packed, members)
    with packed.open("rb") as whole:
        os.fsync(whole.fileno())
    packed.replace(file)  # a backup that was interrupted leaves the one before it


def is_zip(file: Path) -> bool:
    return file.suffix.lower() == ".zip"


def _write_tar(file: Path, members: Mapping[str, Path]) -> None:
    with tarfile.open(file, "w:gz", compresslevel=6) as archive:
        for name, path in members.items():
            archive.add(path, name, filter=_anonymous)


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _write_zip(file: Path, members: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6, strict_timestamps=False) as archive:
        for name, path in members.items():
            archive.write(path, name)


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that is open for reading."""

    file: Path
    manifest: Manifest
    packed: tarfile.TarFile | zipfile.ZipFile

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
    """Open a backup; raises BadBackup for what is none, is damaged where it is read, or is of a newer version."""
    try:
        with _packed(file) as packed:
            yield Archive(file, _manifest(packed, file), packed)
    except (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        told = f"no archive of `adjacent backup`, or a damaged one ({error})"
        raise BadBackup(f"{file}: {told}; use another backup") from error


def _packed(file: Path) -> tarfile.TarFile | zipfile.ZipFile:
    with file.open("rb") as whole:
        begins_as_zip = whole.read(2) == b"PK"
    return zipfile.ZipFile(file) if begins_as_zip else tarfile.open(file, "r:gz")


def _manifest(packed: tarfile.TarFile | zipfile.ZipFile, file: Path) -> Manifest:
    try:
        told = orjson.loads(_member(packed, "manifest.json", file).read())
        manifest = Manifest(**told | {"tables": {name: Part(**part) for name, part in told["tables"].items()}})
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise BadBackup(f"{file}: its manifest is not one of ours ({error})") from error
    if manifest.format != FORMAT or manifest.schema > newest_revision():
        raise BadBackup(f"{file}: made by a newer version (schema {manifest.schema}); restore it with that version")
    return manifest


def _member(packed: tarfile.TarFile | zipfile.ZipFile, name: str, file: Path) -> IO[bytes]:
    try:
        member = packed.open(name) if isinstance(packed, zipfile.ZipFile) else packed.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise BadBackup(f"{file}: holds no {name}; use another backup")
    return member
