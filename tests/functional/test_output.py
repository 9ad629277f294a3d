"""Where reports go: never over a document, never half, never instead of an earlier one."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.command import BM25, DESIGN, DRAFTPROOF, draftproof, process, unshared

SMALL = "# Design\n\nOrders are written to PostgreSQL and published to Kafka.\n"
OLD_REPORT, OLD_JSON = b"# An earlier report\n", b'{"earlier": true}\n'


@pytest.fixture
def earlier(folder: Path) -> Path:
    """A folder with a design and the reports of an earlier run."""
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    (folder / "tech-design-review.md").write_bytes(OLD_REPORT)
    (folder / "review.json").write_bytes(OLD_JSON)
    return folder


def assert_as_it_was(folder: Path) -> None:
    assert (folder / "tech-design-review.md").read_bytes() == OLD_REPORT
    assert (folder / "review.json").read_bytes() == OLD_JSON
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-o design.md", "design.md is one of the documents to read."),
        ("-o ./sub/../design.md", "design.md is one of the documents to read."),
        ("-o link.md", "link.md is one of the documents to read."),
        ("--json design.md", "design.md is one of the documents to read."),
        ("-o same.json --json same.json", "same.json cannot be both the report and the JSON."),
        ("-o sub", "sub is a folder. Name a file with --output."),
        ("-o review.json", "review.json cannot be both the report and the JSON."),
        ("-o design.md/review.md", "design.md/review.md cannot be written"),
        ("-o /proc/no-such-folder/review.md", "/proc/no-such-folder/review.md cannot be written"),
        ("--json /proc/review.json", "/proc/review.json cannot be written"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_review(earlier: Path, options: str, says: str):
    (earlier / "sub").mkdir()
    (earlier / "link.md").symlink_to("design.md")
    run = draftproof("review", "design.md", *BM25, *options.split())

    assert run.code == 2
    assert says in run.err
    assert run.err.count("\n") == 1
    assert (earlier / "design.md").read_text(encoding="utf-8") == SMALL
    assert_as_it_was(earlier)


def test_a_new_report_takes_the_place_of_an_earlier_one(earlier: Path):
    os.chmod(earlier / "tech-design-review.md", 0o640)
    run = draftproof("review", "design.md", *BM25)

    assert run.code == 0
    assert (earlier / "tech-design-review.md").read_bytes().startswith(b"# Technical Design Review: Design\n")
    assert (earlier / "tech-design-review.md").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in earlier.iterdir() if path.name.startswith(".")] == []


def test_a_disk_that_fills_up_leaves_the_earlier_report_as_it_was(earlier: Path):
    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))

    run = process([*DRAFTPROOF, "review", "design.md", *BM25], preexec_fn=little)

    assert run.code == 2
    assert "tech-design-review.md cannot be written: File too large." in run.err
    assert_as_it_was(earlier)


def test_a_full_disk_is_told_and_leaves_the_earlier_report_as_it_was(earlier: Path):
    prefix = unshared("-rm")
    if prefix is None:
        pytest.skip("mounting a small disk in a namespace of its own is not permitted here")
    (earlier / "disk").mkdir()
    script = (
        "mount -t tmpfs -o size=24k tmpfs disk || exit 77; cp tech-design-review.md review.json disk/ || exit 77\n"
        f"{' '.join([*DRAFTPROOF, 'review', 'design.md', *BM25])} -o disk/tech-design-review.md; code=$?\n"
        "cmp disk/tech-design-review.md tech-design-review.md && cmp disk/review.json review.json && ls -A disk\n"
        "exit $code"
    )
    run = process([*prefix, "sh", "-c", script])
    if run.code == 77:
        pytest.skip("a small disk cannot be mounted here")

    assert run.code == 2
    assert run.err.startswith("draftproof: The disk is full: disk/tech-design-review.md was not written")
    assert run.out.split() == ["review.json", "tech-design-review.md"]


def test_a_folder_that_may_only_be_read_is_told(earlier: Path):
    prefix = unshared("-rm")
    if prefix is None:
        pytest.skip("mounting read-only in a namespace of its own is not permitted here")
    (earlier / "fixed").mkdir()
    script = (
        "mount --bind fixed fixed && mount -o remount,ro,bind fixed || exit 77\n"
        f"{' '.join([*DRAFTPROOF, 'review', 'design.md', *BM25])} -o fixed/review.md"
    )
    run = process([*prefix, "sh", "-c", script])
    if run.code == 77:
        pytest.skip("a folder cannot be mounted read-only here")

    assert run.code == 2
    assert run.err == (
        "draftproof: fixed/review.md cannot be written: Read-only file system. Choose another place with --output.\n"
    )


def interrupted(folder: Path, feed: Callable[[Path], None]) -> tuple[int, str]:
    """Start a review that reads its design from a pipe, feed it, and press Ctrl-C."""
    pipe = folder / "pipe.md"
    os.mkfifo(pipe)
    running = subprocess.Popen(
        [*DRAFTPROOF, "review", "pipe.md", *BM25], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        feed(pipe)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
        pipe.unlink()
    assert out == ""
    return running.returncode, err


def test_ctrl_c_while_reading_leaves_everything_as_it_was(earlier: Path):
    def feed(pipe: Path) -> None:
        # This waits until the command has opened the other end, which then waits for text.
        opened.append(os.open(pipe, os.O_WRONLY))

    opened: list[int] = []
    code, err = interrupted(earlier, feed)
    os.close(opened[0])

    assert code == 130
    assert err == "draftproof: interrupted; nothing was written.\n"
    assert_as_it_was(earlier)


def test_ctrl_c_in_the_middle_of_a_review_leaves_everything_as_it_was(earlier: Path):
    def feed(pipe: Path) -> None:
        # Once all has been read, long passages keep the review busy for seconds.
        pipe.write_text(DESIGN.read_text(encoding="utf-8") * 12, encoding="utf-8")
        time.sleep(1)

    code, err = interrupted(earlier, feed)

    assert code == 130
    assert err == "draftproof: interrupted; nothing was written.\n"
    assert_as_it_was(earlier)


def test_several_designs_are_reviewed_in_one_run_into_a_folder(folder: Path) -> None:
    for name in ("first", "second"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nOrders are kept in PostgreSQL.\n", encoding="utf-8")
    run = draftproof("review", "first.md", "second.md", *BM25, "--output", "reports", "--fail-on", "critical")
    assert run.code == 1, run.err
    for name in ("first", "second"):
        assert name in (folder / "reports" / f"{name}-review.md").read_text(encoding="utf-8")
        assert json.loads((folder / "reports" / f"{name}-review.json").read_text(encoding="utf-8"))["title"] == name


def test_nothing_is_written_where_one_of_several_cannot_be_read(folder: Path) -> None:
    (folder / "first.md").write_text("# First\n\nText.\n", encoding="utf-8")
    run = draftproof("review", "first.md", "missing.md", *BM25, "--output", "reports")
    assert run.code == 2
    assert "missing.md" in run.err
    assert not list((folder / "reports").glob("*")) if (folder / "reports").exists() else True


def test_two_designs_of_one_name_are_refused(folder: Path) -> None:
    (folder / "a").mkdir()
    for path in (folder / "x.md", folder / "a" / "x.md"):
        path.write_text("# X\n\nText.\n", encoding="utf-8")
    run = draftproof("review", "x.md", "a/x.md", *BM25)
    assert run.code == 2
    assert "Several designs are called x" in run.err
