"""Words find words, vectors find meaning, and both lists are joined."""

from __future__ import annotations

import numpy as np
import pytest

from draftproof.documents.lexical import words
from draftproof.review.search import PassageSearch, searchable
from tests.fakes.documents import design, passage
from tests.fakes.embedder import FakeEmbedder

PASSAGES = design(
    "# Orders\n\nPayments are stored in PostgreSQL.\n\nA consumer reads the Kafka topic.\n\nMail is sent at night.\n"
).passages


def search(embedded: bool = False) -> PassageSearch:
    vectors = FakeEmbedder().embed([searchable(p) for p in PASSAGES]) if embedded else None
    return PassageSearch(PASSAGES, vectors)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dead_letter_topic", ["dead", "letter", "topic"]),
        ("OrderEvent", ["order", "event"]),
        ("Testing and tested", ["test", "test"]),
        ("the of and", []),
        ("12 partitions", ["12", "partition"]),
        ("", []),
    ],
)
def test_words_are_split_stemmed_and_without_stop_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_singular_and_plural_are_one_word() -> None:
    assert words("topic consumer") == words("topics consumers")


def test_word_that_ends_in_ss_keeps_its_end() -> None:
    assert words("process access") == ["process", "access"]


def test_nearest_heading_is_searched_with_the_text() -> None:
    assert searchable(passage("x", headings=("A", "B"))) == "B: x"
    assert searchable(passage("x")) == "x"


def test_passage_with_the_words_has_the_best_score() -> None:
    assert int(search().bm25("which topic does the consumer read").argmax()) == 1


def test_words_that_stand_nowhere_score_nothing() -> None:
    assert search().bm25("zeppelin").tolist() == [0, 0, 0]


@pytest.mark.parametrize("text", ["", "the of", "!?"])
def test_query_without_words_scores_nothing(text: str) -> None:
    assert search().bm25(text).tolist() == [0, 0, 0]


def test_without_an_embedder_all_similarities_are_zero() -> None:
    assert search().similarity(np.ones((2, 4), dtype=np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_similarity_is_the_cosine() -> None:
    vectors = FakeEmbedder().embed([searchable(PASSAGES[2])])

    assert search(embedded=True).similarity(vectors)[0].argmax() == 2
    assert search(embedded=True).similarity(vectors)[0][2] == pytest.approx(1, abs=1e-5)


def test_fusion_without_vectors_follows_the_words() -> None:
    fused = search().fused(["kafka consumer", "kafka topic"], None)

    assert int(fused.argmax()) == 1
    assert fused[0] == 0


def test_fusion_joins_words_and_vectors() -> None:
    texts = ["night mail"]
    fused = search(embedded=True).fused(texts, FakeEmbedder().embed(texts))
    words_alone = search(embedded=True).fused(texts, None)

    assert int(fused.argmax()) == 2
    assert fused[2] > words_alone[2]


def test_passages_of_stop_words_alone_can_be_indexed() -> None:
    made = PassageSearch((passage("the of"), passage("and")), None)

    assert made.bm25("order").tolist() == [0, 0]
