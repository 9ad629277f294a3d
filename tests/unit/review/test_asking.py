"""Questions put a few at a time, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from draftproof.domain.asking import Answer, Question
from draftproof.review.asking import Asker, spoken
from tests.fakes.model import FakeModel


class Counting(FakeModel):
    """Answers each question with its own text, and says that each takes ten seconds."""

    name = "counting"

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []

    def answer(self, questions: Sequence[Question], told: Callable[[int], None]) -> list[Answer]:
        self.groups.append(len(questions))
        for count in range(1, len(questions) + 1):
            told(count)
        return [Answer(question.text) for question in questions]

    def seconds_for(self, questions: Sequence[Question]) -> float:
        return 10.0 * len(questions)


class Told:
    """Keeps what a progress is told."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.done: list[int] = []

    def stage(self, name: str, total: int | None = None) -> None:
        self.stages.append((name, total))

    def advance(self, done: int) -> None:
        self.done.append(done)


def questions(count: int) -> list[Question]:
    return [Question("system", str(number), {}, 10) for number in range(count)]


def test_every_answer_comes_back_in_order_and_each_is_told() -> None:
    model, told = Counting(), Told()
    answers = Asker(model).ask("is asked", questions(40), told)
    assert [answer.text for answer in answers if answer] == [str(number) for number in range(40)]
    assert sum(model.groups) == 40
    assert len(model.groups) > 1
    assert told.done == list(range(1, 41))


def test_what_it_will_take_is_said_before_the_first_question() -> None:
    told = Told()
    Asker(Counting()).ask("is asked about 40 checks", questions(40), told)
    assert told.stages == [("counting is asked about 40 checks, about 7 min", 40)]


def test_when_the_time_is_over_the_rest_has_no_answer() -> None:
    left = iter([1000.0, 0.0])
    model = Counting()
    answers = Asker(model, lambda: next(left)).ask("is asked", questions(40), Told())
    assert len(answers) == 40
    assert sum(answer is not None for answer in answers) == model.groups[0]
    assert answers[-1] is None


def test_where_the_time_is_short_fewer_are_put_together_and_one_at_least() -> None:
    left = iter([85.0, 45.0, 5.0, -1.0])
    model = Counting()
    answers = Asker(model, lambda: next(left)).ask("is asked", questions(40), Told())
    assert model.groups == [8, 4, 1]
    assert sum(answer is None for answer in answers) == 27


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (600, "10 min"), (7200, "2.0 h")]
)
def test_durations_as_a_person_says_them(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
