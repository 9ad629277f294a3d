"""The cache of vectors: each text is embedded once, a broken file is made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from draftproof.adapters.vectors import VectorCache
from tests.fakes.embedder import DIMENSION, FakeEmbedder

# numpy leaves a file open that it cannot read.
LEFT_OPEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TEXTS = ("keep orders", "pay orders", "send mail")


def test_vectors_come_in_the_order_of_the_texts(tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    rows = VectorCache(tmp_path, embedder).vectors(TEXTS)

    assert (rows.shape, rows.dtype) == ((3, DIMENSION), np.float32)
    np.testing.assert_allclose(rows, FakeEmbedder().embed(TEXTS), atol=1e-3)


def test_known_texts_are_not_embedded_again(tmp_path: Path) -> None:
    VectorCache(tmp_path, FakeEmbedder()).vectors(TEXTS)
    embedder = FakeEmbedder()
    rows = VectorCache(tmp_path, embedder).vectors(TEXTS)

    assert embedder.seen == []
    np.testing.assert_allclose(rows, FakeEmbedder().embed(TEXTS), atol=1e-3)


def test_only_new_texts_are_embedded(tmp_path: Path) -> None:
    VectorCache(tmp_path, FakeEmbedder()).vectors(TEXTS)
    embedder = FakeEmbedder()
    rows = VectorCache(tmp_path, embedder).vectors(["new one", *TEXTS, "another"])

    assert embedder.seen == ["new one", "another"]
    np.testing.assert_allclose(rows[1:4], FakeEmbedder().embed(TEXTS), atol=1e-3)


def test_text_that_stands_twice_is_embedded_once(tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    rows = VectorCache(tmp_path, embedder).vectors(["same", "other", "same"])

    assert embedder.seen == ["same", "other"]
    np.testing.assert_array_equal(rows[0], rows[2])


def test_texts_asked_for_before_stay_known(tmp_path: Path) -> None:
    VectorCache(tmp_path, FakeEmbedder()).vectors(["one"])
    VectorCache(tmp_path, FakeEmbedder()).vectors(["two"])
    embedder = FakeEmbedder()
    VectorCache(tmp_path, embedder).vectors(["one", "two"])

    assert embedder.seen == []


def test_each_embedder_has_a_file_of_its_own(tmp_path: Path) -> None:
    one, other = (VectorCache(tmp_path, FakeEmbedder(name)) for name in ("fake 1", "fake 2"))
    one.vectors(TEXTS)
    other.vectors(TEXTS)

    assert one.path != other.path
    assert len(list(tmp_path.iterdir())) == 2


@LEFT_OPEN
@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no file of vectors at all",
        b"PK\x03\x04 half a file",
    ],
    ids=["empty", "noise", "zip that breaks off"],
)
def test_broken_file_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    cache = VectorCache(tmp_path, FakeEmbedder())
    cache.path.write_bytes(broken)
    embedder = FakeEmbedder()
    rows = VectorCache(tmp_path, embedder).vectors(TEXTS)

    assert embedder.seen == list(TEXTS)
    assert rows.shape == (3, DIMENSION)
    again = FakeEmbedder()
    VectorCache(tmp_path, again).vectors(TEXTS)

    assert again.seen == []


@LEFT_OPEN
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_file_that_breaks_off_is_made_anew(tmp_path: Path, share: float) -> None:
    cache = VectorCache(tmp_path, FakeEmbedder())
    cache.vectors(TEXTS)
    raw = cache.path.read_bytes()
    cache.path.write_bytes(raw[: int(len(raw) * share)])
    embedder = FakeEmbedder()
    VectorCache(tmp_path, embedder).vectors(TEXTS)

    assert embedder.seen == list(TEXTS)


def test_file_of_another_layout_is_made_anew(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, FakeEmbedder())
    with cache.path.open("wb") as stream:
        np.savez(stream, other=np.zeros(3))
    embedder = FakeEmbedder()
    VectorCache(tmp_path, embedder).vectors(TEXTS)

    assert embedder.seen == list(TEXTS)


def test_no_part_of_a_file_is_left_behind(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "new", FakeEmbedder())
    cache.vectors(TEXTS)

    assert list((tmp_path / "new").iterdir()) == [cache.path]


def test_text_itself_is_not_kept(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, FakeEmbedder())
    cache.vectors(["a telling sentence"])

    assert b"telling" not in cache.path.read_bytes()


def test_progress_counts_new_texts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    texts = [f"text {number}" for number in range(150)]
    cache = VectorCache(tmp_path, FakeEmbedder())
    cache.vectors(texts[:10])
    cache.vectors(texts, lambda done, total: told.append((done, total)))

    assert told == [(64, 140), (128, 140), (140, 140)]


def test_folder_that_cannot_be_written_costs_a_notice_and_no_vector(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    said: list[str] = []
    rows = VectorCache(tmp_path / "file" / "below", FakeEmbedder(), said.append).vectors(TEXTS)

    np.testing.assert_allclose(rows, FakeEmbedder().embed(TEXTS), atol=1e-3)
    assert len(said) == 1
    assert "cannot be written" in said[0]
