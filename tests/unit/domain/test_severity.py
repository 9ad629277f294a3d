"""Severity: the rubric's table, shifted by what is at stake, and capped."""

from __future__ import annotations

import pytest

from draftproof.bootstrap import Library
from draftproof.domain.findings import Finding, Severity, Verdict
from draftproof.domain.severity import SeverityRule
from draftproof.errors import DataError
from draftproof.knowledge.loading import load_severity
from draftproof.settings import load_settings

LIBRARY = Library(load_settings())
CHECKS = {check.id: check for check in LIBRARY.rubric}
LOSSLESS = ["No confirmed booking must not be lost.", "RPO 0 for acknowledged values."]


def severity(rule: SeverityRule, check: str, verdict: Verdict, texts: list[str]) -> Finding:
    return rule.applied(Finding(check, verdict, None, 1.0, {}), CHECKS[check], rule.present(texts))


def test_what_is_at_stake_makes_a_defect_one_step_harder_and_says_why() -> None:
    plain = severity(LIBRARY.severity, "evt.retries", Verdict.PARTIAL, ["Recipes are ranked."])
    harder = severity(LIBRARY.severity, "evt.retries", Verdict.PARTIAL, LOSSLESS)
    assert (plain.severity, harder.severity) == (Severity.RECOMMENDED, Severity.CRITICAL)
    assert plain.basis == ()
    assert "nothing may be lost" in harder.basis[-1].statement


def test_a_missing_makefile_is_never_critical() -> None:
    for verdict in (Verdict.MISSING, Verdict.PARTIAL, Verdict.FLAWED):
        found = severity(LIBRARY.severity, "ci.makefile", verdict, LOSSLESS)
        assert found.severity is not Severity.CRITICAL


@pytest.mark.parametrize("verdict", [Verdict.MET, Verdict.NOT_APPLICABLE])
def test_what_is_no_defect_has_no_severity(verdict: Verdict) -> None:
    assert severity(LIBRARY.severity, "evt.dlq", verdict, LOSSLESS).severity is None


def test_a_context_needs_as_many_places_as_it_says() -> None:
    once = LIBRARY.severity.present(["A payment is made."])
    often = LIBRARY.severity.present(["A payment is made."] * 4)
    assert "money" not in {c.id for c in once}
    assert "money" in {c.id for c in often}


def test_a_context_that_names_no_check_is_refused() -> None:
    text = "contexts:\n  - {id: a, name: b, least: 1, patterns: [x], harder: [no.such]}\n"
    with pytest.raises(DataError, match=r"no\.such"):
        load_severity(text, "severity.yaml", CHECKS)
