"""The disk: documents in, data files in, reports out."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from draftproof.documents.markdown import parse
from draftproof.domain.document import Document, DocumentName
from draftproof.errors import DataError, InputError, OutputError

# Text of a design beyond this takes minutes to embed and is no single design.
MAX_BYTES = 2_000_000
LONG_LINE = 20_000


def data_folder(name: str) -> Path:
    """
    Return the folder ``knowledge``, ``prompts`` or ``models`` of the product.

    In an installed package it stands inside the package, in a checkout at the root.
    """
    packaged = Path(str(files("draftproof"))) / "data" / name
    checkout = Path(str(files("draftproof"))).parents[1] / name
    for folder in (packaged, checkout):
        if folder.is_dir():
            return folder
    raise DataError(f"The product's folder {name!r} is missing.", "Install Draftproof once more.")


def read_folder(folder: Path, pattern: str) -> dict[str, str]:
    """Return the text of each matching file by its path, sorted; empty for no folder."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.glob(pattern)):
        try:
            found[str(path)] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read as UTF-8: {error}.") from error
    return found


def read_document(path: Path, name: DocumentName) -> Document:
    """
    Read and parse a document.

    Raises:
        InputError: It is missing, a folder, empty, binary, too large or not text.

    """
    raw = _read_bytes(path, name)
    text, notices = _decode(raw, path)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{path} is empty.", f"Give the file that holds the {_noun(name)}.")
    longest = max(len(line) for line in text.split("\n"))
    if longest > LONG_LINE:
        notices.append(f"{path.name} has a line of {longest:,} characters; citations point at the whole line.")
    parsed = parse(text)
    if not parsed.passages:
        raise InputError(f"{path} holds no readable text.")
    if not parsed.sections:
        notices.append(f"{path.name} has no headings; the review goes by passages alone.")
    return Document(
        name=name,
        path=str(path),
        text=text,
        sha256=hashlib.sha256(raw).hexdigest(),
        title=parsed.title or path.stem.replace("-", " ").replace("_", " ").title(),
        sections=parsed.sections,
        passages=parsed.passages,
        notices=tuple(notices),
    )


def _noun(name: DocumentName) -> str:
    return "technical design" if name is DocumentName.DESIGN else "requirements"


def _read_bytes(path: Path, name: DocumentName) -> bytes:
    if path.is_dir():
        raise InputError(f"{path} is a folder.", f"Name the file with the {_noun(name)}.")
    try:
        # Read no further than the limit: a device or a pipe has no size to ask for.
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            size = max(path.stat().st_size, len(raw))
            raise InputError(
                f"{path} has {size / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB of text are reviewed at once.",
                "Split it into one file for each design.",
            )
        return raw
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.", f"Check the path of the {_noun(name)}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def _decode(raw: bytes, path: Path) -> tuple[str, list[str]]:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError as error:
                raise InputError(f"{path} starts like {encoding} and is not.") from error
            notices = [] if encoding == "utf-8-sig" else [f"{path.name} was read as UTF-16."]
            return text, notices
    if b"\x00" in raw[:8192]:
        raise InputError(f"{path} is a binary file.", "Export the document as Markdown.")
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
        odd = sum(c < 32 and c not in (9, 10, 12, 13) for c in raw)
        if odd > len(raw) // 50:
            raise InputError(f"{path} is not text.", "Export the document as Markdown.") from None
        return text, [f"{path.name} is not UTF-8 and was read as Windows-1252 (Latin-1)."]


@contextlib.contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OutputError(
                f"The disk is full: {path} was not written; an earlier version is as it was.",
                "Free some space and run again.",
            ) from error
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Raise :class:`OutputError` early, before minutes of work, if a report cannot be written."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder.", "Name a file with --output.")
    with _as_output_error(path):
        path = _regular(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: beside it first, then renamed over it."""
    write_texts({path: text})


def write_texts(texts: Mapping[Path, str]) -> None:
    """
    Write files that belong together: each is whole beside its place before the first is renamed.

    Raises:
        OutputError: One cannot be written. All are whole beside their places before the first is
            renamed, so that only a failing rename can part them.

    """
    parts: dict[Path, str] = {}
    try:
        for path, text in texts.items():
            with _as_output_error(path):
                target = _regular(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                handle, parts[target] = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                    stream.write(text)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.chmod(parts[target], _mode_of(target))
        for target in list(parts):
            with _as_output_error(target):
                os.replace(parts[target], target)
                del parts[target]
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                os.unlink(part)


def file_hash(path: Path) -> str:
    """
    Return the SHA-256 of a file of any size, hexadecimal; 25 MB take a twentieth of a second.

    Raises:
        OSError: It cannot be read.

    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _regular(path: Path) -> Path:
    """Return where a link leads, and refuse devices and the like: a rename would replace them."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, by the version of Python
        raise OutputError(f"{path} leads nowhere: {error}.") from error
    if target.exists() and not target.is_file():
        raise OutputError(f"{path} is no regular file.", "Name a file with --output.")
    return target


def _mode_of(path: Path) -> int:
    """Keep an existing file's permissions; new files are as the umask has them."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
