"""Documents in, reports out: what is read, what is refused, and nothing half written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from draftproof.adapters.files import (
    LONG_LINE,
    MAX_BYTES,
    check_writable,
    data_folder,
    read_document,
    read_folder,
    write_text,
    write_texts,
)
from draftproof.domain.document import Document, DocumentName, PassageKind
from draftproof.errors import DataError, InputError, OutputError

WORDS = "# Größe\n\nOrders cost 5 €.\n"


def read(raw: bytes, folder: Path, name: str = "design.md") -> Document:
    path = folder / name
    path.write_bytes(raw)
    return read_document(path, DocumentName.DESIGN)


def texts(document: Document) -> list[str]:
    return [p.text for p in document.passages]


# Reading


def test_plain_file_is_read_without_a_notice(tmp_path: Path) -> None:
    document = read(WORDS.encode(), tmp_path)

    assert (document.title, texts(document), document.notices) == ("Größe", ["Orders cost 5 €."], ())
    assert document.path == str(tmp_path / "design.md")
    assert len(document.sha256) == 64


def test_hash_is_of_the_bytes_and_not_of_the_text(tmp_path: Path) -> None:
    assert read(b"# A\n\nx\n", tmp_path).sha256 != read(b"# A\r\n\r\nx\r\n", tmp_path).sha256


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_become_line_feeds_and_keep_the_lines(tmp_path: Path, end: str) -> None:
    document = read(f"# A{end}{end}one{end}two{end}{end}- three{end}".encode(), tmp_path)

    assert [(p.text, str(p.span)) for p in document.passages] == [("one\ntwo", "3-4"), ("three", "6")]
    assert not any("\r" in line for line in document.lines)


def test_byte_order_mark_of_utf8_is_no_part_of_the_text(tmp_path: Path) -> None:
    document = read(b"\xef\xbb\xbf" + WORDS.encode(), tmp_path)

    assert (document.title, document.notices) == ("Größe", ())
    assert document.lines[0] == "# Größe"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_with_its_mark_is_read_with_a_notice(tmp_path: Path, encoding: str) -> None:
    mark = {"utf-16": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]
    document = read(mark + WORDS.encode(encoding), tmp_path)

    assert document.lines[0] == "# Größe"
    assert document.notices == ("design.md was read as UTF-16.",)


def test_half_a_utf16_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="starts like utf-16 and is not"):
        read(b"\xff\xfe" + WORDS.encode("utf-16-le")[:-1], tmp_path)


def test_latin1_is_read_with_a_notice(tmp_path: Path) -> None:
    document = read("# Größe\n\nÜbersicht über Aufträge.\n".encode("latin-1"), tmp_path)

    assert (document.title, texts(document)) == ("Größe", ["Übersicht über Aufträge."])
    assert document.notices == ("design.md is not UTF-8 and was read as Windows-1252 (Latin-1).",)


def test_tabs_stay_in_the_lines_and_do_not_move_them(tmp_path: Path) -> None:
    document = read(b"# A\n\n-\tone\n\t- two\n\n```\n\tx = 1\n```\n", tmp_path)

    assert [(p.kind, p.text.strip(), str(p.span)) for p in document.passages] == [
        (PassageKind.LIST_ITEM, "one", "3"),
        (PassageKind.LIST_ITEM, "two", "4"),
        (PassageKind.CODE, "x = 1", "7"),
    ]
    assert document.lines[3] == "\t- two"


def test_title_is_the_files_name_where_there_is_no_heading(tmp_path: Path) -> None:
    document = read(b"just prose\n", tmp_path, "order_service-v2.md")

    assert document.title == "Order Service V2"
    assert document.notices == ("order_service-v2.md has no headings; the review goes by passages alone.",)


def test_very_long_line_gets_a_notice(tmp_path: Path) -> None:
    document = read(b"# A\n\n" + b"word " * (LONG_LINE // 4), tmp_path)

    assert document.notices == ("design.md has a line of 25,000 characters; citations point at the whole line.",)


@pytest.mark.parametrize("text", ["**All orders are encrypted**\n", "Term\n: meaning\n", "[a]: http://b\n", "# A\n"])
def test_document_of_one_construct_is_readable(tmp_path: Path, text: str) -> None:
    assert len(read(text.encode(), tmp_path).passages) >= 1


# Refusals


@pytest.mark.parametrize(
    ("name", "noun"), [(DocumentName.DESIGN, "technical design"), (DocumentName.REQUIREMENTS, "requirements")]
)
def test_missing_file_is_refused_with_its_path_and_role(tmp_path: Path, name: DocumentName, noun: str) -> None:
    with pytest.raises(InputError, match="does not exist") as caught:
        read_document(tmp_path / "none.md", name)

    assert str(tmp_path / "none.md") in caught.value.message
    assert noun in caught.value.hint


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_document(tmp_path, DocumentName.DESIGN)


def test_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(InputError, match="cannot be read"):
        read_document(tmp_path / "file" / "design.md", DocumentName.DESIGN)


@pytest.mark.parametrize("raw", [b"", b"\n\n", b" \t\r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(InputError, match="is empty"):
        read(raw, tmp_path)


def test_file_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no readable text"):
        read(b"---\n\n***\n", tmp_path)


@pytest.mark.parametrize(
    "raw", [b"%PDF-1.7\x00\x01", b"PK\x03\x04\x00\x00", b"text and \x00", "text".encode("utf-16-le"), b"\x89PNG\x00"]
)
def test_binary_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(InputError, match="is a binary file"):
        read(raw, tmp_path)


def test_noise_without_a_zero_byte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not text"):
        read(bytes(range(1, 256)) * 20, tmp_path)


def test_too_large_file_is_refused_with_its_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has 5\.0 MB; at most 2 MB"):
        read(b"x" * 5_000_000, tmp_path)


def test_file_of_just_the_limit_is_read(tmp_path: Path) -> None:
    assert read(b"x" * MAX_BYTES, tmp_path).passages[0].span.first == 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device")
def test_endless_device_is_refused() -> None:
    with pytest.raises(InputError, match="at most 2 MB"):
        read_document(Path("/dev/zero"), DocumentName.DESIGN)


# Data files


@pytest.mark.parametrize("name", ["knowledge", "prompts"])
def test_products_folder_is_found(name: str) -> None:
    assert data_folder(name).is_dir()


def test_unknown_folder_of_the_product_is_reported() -> None:
    with pytest.raises(DataError, match="'nothing' is missing"):
        data_folder("nothing")


def test_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "c.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    assert list(read_folder(tmp_path, "*.md").values()) == ["a.md", "b.md"]


def test_absent_folder_is_empty(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "none", "*") == {}


def test_data_file_that_is_not_utf8_is_reported_by_path(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xff")

    with pytest.raises(DataError, match=r"a\.md cannot be read as UTF-8"):
        read_folder(tmp_path, "*.md")


# Writing


def test_report_is_written_with_line_feeds_in_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "review.md", "a\nü\n")

    assert (tmp_path / "new" / "review.md").read_bytes() == "a\nü\n".encode()


def test_report_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("old " * 1000)
    write_text(tmp_path / "review.md", "new")

    assert (tmp_path / "review.md").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["review.md"]


def test_report_keeps_the_permissions_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "review.md"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")

    assert path.stat().st_mode & 0o777 == 0o640


def test_new_report_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "review.md", "new")
    finally:
        os.umask(before)

    assert (tmp_path / "review.md").stat().st_mode & 0o777 == 0o640


def test_report_over_a_folder_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "review.md").mkdir()

    with pytest.raises(OutputError, match="is no regular file"):
        write_text(tmp_path / "review.md", "new")

    assert [p.name for p in tmp_path.iterdir()] == ["review.md"]


def test_device_is_refused_and_stays_a_device() -> None:
    with pytest.raises(OutputError, match="is no regular file"):
        write_text(Path("/dev/null"), "new")

    assert Path("/dev/null").is_char_device()


def test_report_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("old", encoding="utf-8")
    (tmp_path / "link.md").symlink_to("real.md")

    write_text(tmp_path / "link.md", "new")

    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text(encoding="utf-8") == "new"


def test_two_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "review.json").mkdir()
    (tmp_path / "review.md").write_text("old", encoding="utf-8")

    with pytest.raises(OutputError):
        write_texts({tmp_path / "review.md": "new", tmp_path / "review.json": "new"})

    assert (tmp_path / "review.md").read_text(encoding="utf-8") == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["review.json", "review.md"]


@pytest.mark.parametrize("act", [check_writable, lambda path: write_text(path, "new")], ids=["check", "write"])
def test_report_below_a_file_is_refused(tmp_path: Path, act: object) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(OutputError, match="cannot be written"):
        act(tmp_path / "file" / "review.md")  # type: ignore[operator]

    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
@pytest.mark.parametrize("act", [check_writable, lambda path: write_text(path, "new")], ids=["check", "write"])
def test_report_in_a_read_only_folder_is_refused_and_the_old_one_stays(tmp_path: Path, act: object) -> None:
    (tmp_path / "review.md").write_text("old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            act(tmp_path / "review.md")  # type: ignore[operator]
    finally:
        tmp_path.chmod(0o700)

    assert (tmp_path / "review.md").read_text() == "old"


def test_text_that_cannot_be_encoded_leaves_the_old_report_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "review.md").write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "review.md", "fine so far \ud800")

    assert (tmp_path / "review.md").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["review.md"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from draftproof.adapters.files import write_text
from draftproof.errors import OutputError

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), "new " * 100_000)
except OutputError as error:
    print(error.message)
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files are of POSIX")
def test_old_report_stays_whole_when_the_disk_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "review.md"
    path.write_text("old " * 400)
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stdout
    assert path.read_text() == "old " * 400
    assert [p.name for p in tmp_path.iterdir()] == ["review.md"]


def test_check_writes_nothing_and_makes_the_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "review.md")

    assert list((tmp_path / "new").iterdir()) == []


def test_check_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)
