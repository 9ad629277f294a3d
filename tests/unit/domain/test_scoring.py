"""Verdicts to scores and grades: every lost point has its check."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from draftproof.domain.findings import Finding, Severity, Verdict
from draftproof.domain.review import OVERALL_GRADES, READINESS_GRADES, Assessment
from draftproof.domain.rubric import Aspect, Check, Rubric
from draftproof.domain.scoring import GradeRule, ScoreRule, ScoringRule, assess, ticked
from tests.fakes.product import rubric as product_rubric
from tests.fakes.product import scoring as product_scoring

MET, PARTIAL, MISSING, FLAWED, OUT = (
    Verdict.MET,
    Verdict.PARTIAL,
    Verdict.MISSING,
    Verdict.FLAWED,
    Verdict.NOT_APPLICABLE,
)
RULE = ScoringRule(
    weights={Severity.CRITICAL: 3, Severity.RECOMMENDED: 2, Severity.SUGGESTED: 1},
    scores={
        "completeness": ScoreRule("", "", ("said", "sound"), {MET: 1, PARTIAL: 0.5, FLAWED: 0.75, MISSING: 0}),
        "soundness": ScoreRule("", "", ("sound",), {MET: 1, PARTIAL: 0.6, FLAWED: 0, MISSING: 0.3}),
        "section": ScoreRule("", "", ("said", "sound"), {MET: 1, PARTIAL: 0.5, FLAWED: 0, MISSING: 0}),
    },
    overall=(GradeRule("Excellent", 0, 9, 9), GradeRule("Good", 1, 5, 5), GradeRule("Requires Rework")),
    readiness=(GradeRule("Ready", 0, 9, 9), GradeRule("Major Changes Required")),
    partial_share=0.5,
    second_look=0.5,
    model=product_scoring().model,
)


def check(name: str, absence: Severity, criterion: str = "sound", section: str = "One", item: str = "line") -> Check:
    aspect = Aspect("a", "a", 1, re.compile("x"), None, "")
    return Check(
        id=name,
        title=name.title(),
        section=section,
        criterion=criterion,
        readiness_item=item,
        question="",
        verdicts={},
        severity={MISSING: absence, FLAWED: absence, PARTIAL: Severity.SUGGESTED},
        queries=("q",),
        aspects=(aspect,),
        flaws=(),
    )


RUBRIC = Rubric(
    (
        check("heavy", Severity.CRITICAL),
        check("middle", Severity.RECOMMENDED, criterion="said"),
        check("light", Severity.SUGGESTED, section="Two", item="other"),
    )
)


def findings(rubric: Rubric, verdicts: Mapping[str, Verdict], default: Verdict = MET) -> list[Finding]:
    found = []
    for item in rubric:
        verdict = verdicts.get(item.id, default)
        found.append(Finding(item.id, verdict, item.severity.get(verdict), 0.9, {verdict: 1.0}))
    return found


def assessed(**verdicts: Verdict) -> Assessment:
    return assess(RUBRIC, findings(RUBRIC, verdicts), RULE)


def test_all_met_loses_nothing() -> None:
    result = assessed()

    assert (result.completeness.value, result.soundness.value) == (10, 10)
    assert (result.completeness.lost, result.soundness.lost) == ((), ())
    assert (result.overall, result.readiness) == ("Excellent", "Ready")


def test_missing_check_loses_its_share_of_the_weights() -> None:
    result = assessed(heavy=MISSING)

    (lost,) = result.completeness.lost

    assert (lost.check_id, lost.verdict, lost.severity) == ("heavy", MISSING, Severity.CRITICAL)
    assert lost.points == pytest.approx(10 * 3 / 6)
    assert result.completeness.value == 5.0
    # Soundness counts two checks, and what is not said keeps 0.3.
    assert result.soundness.lost[0].points == pytest.approx(10 * 3 * 0.7 / 4)
    assert result.soundness.value == round(10 - 10 * 3 * 0.7 / 4, 1)


@pytest.mark.parametrize(
    ("verdict", "completeness", "soundness"),
    [(MET, 0, 0), (PARTIAL, 2.5, 3.0), (FLAWED, 1.25, 7.5), (MISSING, 5, 5.25)],
)
def test_each_verdict_loses_what_its_credit_says(verdict: Verdict, completeness: float, soundness: float) -> None:
    result = assessed(heavy=verdict)

    assert sum(x.points for x in result.completeness.lost) == pytest.approx(completeness)
    assert sum(x.points for x in result.soundness.lost) == pytest.approx(soundness)


def test_check_of_another_criterion_does_not_count() -> None:
    assert assessed(middle=MISSING).soundness.value == 10


def test_not_applicable_check_leaves_the_sum_of_weights() -> None:
    (lost,) = assessed(heavy=OUT, middle=MISSING).completeness.lost

    assert lost.points == pytest.approx(10 * 2 / 3)


def test_nothing_applicable_is_ten_and_not_a_division_by_zero() -> None:
    result = assessed(heavy=OUT, middle=OUT, light=OUT)

    assert (result.completeness.value, result.soundness.value, result.sections["One"].value) == (10, 10, 10)


def test_all_missing_is_zero() -> None:
    result = assessed(heavy=MISSING, middle=MISSING, light=MISSING)

    assert result.completeness.value == 0
    assert sum(x.points for x in result.completeness.lost) == pytest.approx(10)


def test_largest_loss_comes_first() -> None:
    result = assessed(heavy=PARTIAL, middle=MISSING, light=MISSING)

    assert [x.check_id for x in result.completeness.lost] == ["middle", "heavy", "light"]


def test_section_counts_its_own_checks() -> None:
    result = assessed(light=MISSING)

    assert (result.sections["One"].value, result.sections["Two"].value) == (10, 0)
    assert list(result.sections) == ["One", "Two"]


def test_order_of_the_findings_does_not_matter() -> None:
    found = findings(RUBRIC, {"heavy": MISSING, "light": PARTIAL})

    assert assess(RUBRIC, found, RULE) == assess(RUBRIC, found[::-1], RULE)


def test_first_grade_whose_limits_hold_is_given() -> None:
    assert assessed(light=MISSING).overall == "Good"
    assert assessed(heavy=MISSING, middle=MISSING).overall == "Requires Rework"


def test_reasons_say_which_limits_of_the_grade_above_are_not_kept() -> None:
    assert assessed().reasons == ("Every limit of Excellent is kept.",)
    assert assessed(heavy=FLAWED).reasons == ('"Good" takes a soundness of 5/10.',)
    assert assessed(heavy=FLAWED, light=PARTIAL, middle=PARTIAL).overall == "Requires Rework"
    assert '"Excellent" takes a completeness of 9/10.' in assessed(middle=MISSING).reasons


def test_critical_findings_above_the_limit_are_a_reason() -> None:
    rubric = Rubric(tuple(check(f"c{n}", Severity.CRITICAL) for n in range(10)))
    result = assess(rubric, findings(rubric, {"c1": MISSING, "c2": MISSING}), RULE)

    assert result.overall == "Requires Rework"
    assert result.reasons == ('"Good" allows 1 critical findings, there are 2.',)


# The checklist


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({}, True),
        ({"heavy": PARTIAL}, True),
        ({"heavy": PARTIAL, "middle": PARTIAL}, False),
        ({"heavy": MISSING}, False),
        ({"heavy": FLAWED}, False),
        ({"heavy": OUT, "middle": OUT}, True),
        ({"heavy": OUT, "middle": PARTIAL}, False),
        ({"light": MISSING}, True),
    ],
)
def test_checklist_line_is_ticked_by_the_checks_behind_it(verdicts: dict[str, Verdict], expected: bool) -> None:
    by_check = {f.check_id: f for f in findings(RUBRIC, verdicts)}

    assert ticked("line", RUBRIC, by_check, RULE) is expected


# The product's own rule


@pytest.mark.parametrize("default", [MET, PARTIAL, MISSING, FLAWED])
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_lost_points_and_value_sum_to_ten_in_every_score(default: Verdict, every: int) -> None:
    rubric, rule = product_rubric(), product_scoring()
    verdicts = {item.id: default for number, item in enumerate(rubric) if number % every == 0}
    result = assess(rubric, findings(rubric, verdicts), rule)

    for score in (result.completeness, result.soundness, *result.sections.values()):
        assert sum(x.points for x in score.lost) + score.value == pytest.approx(10, abs=0.051)
        assert all(verdicts[x.check_id] is x.verdict for x in score.lost)
        assert all(x.points > 0 for x in score.lost)
        assert 0 <= score.value <= 10


def test_every_defect_costs_in_its_section() -> None:
    rubric, rule = product_rubric(), product_scoring()
    for item in rubric:
        result = assess(rubric, findings(rubric, {item.id: MISSING}), rule)

        assert [x.check_id for x in result.sections[item.section].lost] == [item.id]
        assert [x.check_id for x in result.completeness.lost] == [item.id]


def test_better_verdicts_never_lower_a_score() -> None:
    rubric, rule = product_rubric(), product_scoring()
    ranking = {
        "completeness": (MISSING, PARTIAL, FLAWED, MET),
        "soundness": (FLAWED, MISSING, PARTIAL, MET),
    }
    for name, order in ranking.items():
        values = [getattr(assess(rubric, findings(rubric, {}, default), rule), name).value for default in order]

        assert values == sorted(values)
        assert values[-1] == 10


def test_grades_are_those_of_the_specification() -> None:
    assert {grade.grade for grade in product_scoring().overall} == set(OVERALL_GRADES)
    assert {grade.grade for grade in product_scoring().readiness} == set(READINESS_GRADES)


def test_all_missing_is_the_worst_grade_and_all_met_the_best() -> None:
    rubric, rule = product_rubric(), product_scoring()
    worst = assess(rubric, findings(rubric, {}, MISSING), rule)
    best = assess(rubric, findings(rubric, {}, MET), rule)

    assert (worst.overall, worst.readiness) == ("Requires Rework", "Major Changes Required")
    assert (best.overall, best.readiness) == ("Excellent", "Ready")
