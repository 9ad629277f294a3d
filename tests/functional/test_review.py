"""The main command on the example: what it writes, and that all of it is true."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from draftproof.cli.review import ORIGINAL_NAME
from tests.functional.command import (
    BM25,
    DESIGN,
    DRAFTPROOF,
    REQUIREMENTS,
    ROOT,
    draftproof,
    process,
    quotations,
    stands_at,
)
from tests.functional.conftest import Reviewed

# Word for word as the specification has them, in its order.
HEADINGS = [
    "## Review Summary",
    "## Strengths",
    "## Critical Issues (Must Fix)",
    "## Recommendations (Should Fix)",
    "## Suggestions (Could Fix)",
    "## Section-by-Section Review",
    "### Business Requirements",
    "### Architecture & Design",
    "### Data Model",
    "### API Design",
    "### Event-Driven Components",
    "### Integration Strategy",
    "### Testing Strategy",
    "### Security & Compliance",
    "### Operational Concerns",
    "### Performance & Scalability",
    "### CI/CD Pipeline",
    "## Missing Elements",
    "## Alternative Approaches",
    "## Risk Assessment Review",
    "## Implementation Readiness Checklist",
    "## Recommended Next Steps",
]
CHECKLIST = [
    "Business requirements clearly defined",
    "Architecture decisions justified",
    "Data model specified with migration strategy",
    "API contracts defined with Pydantic models",
    "Kafka topics and message schemas defined",
    "Event flow documented",
    "Consumer error handling strategy defined",
    "Testing strategy outlined (unit, integration, e2e)",
    "Security considerations addressed",
    "Monitoring and observability approach defined",
    "Docker Compose configuration planned",
    "CI/CD pipeline defined (pre-commit, pytest, Makefile)",
    "Deployment strategy specified",
    "Risk mitigation planned",
]
SENTENCE = (
    "Requirements are in docs/requirements.md file. Tech design as tech-design.md file. "
    "Save the review comments in tech-design-review.md file"
)
SMALL = "# Design\n\nOrders are written to PostgreSQL and published to Kafka.\n"
QUOTED = re.compile(r"^\s*> (?P<which>requirements, )?lines? (?P<first>\d+)(?:-(?P<last>\d+))?:$")


def rubric() -> list[dict[str, str]]:
    files = sorted((ROOT / "knowledge" / "rubric").glob("*.yaml"))
    return [check for path in files for check in yaml.safe_load(path.read_text(encoding="utf-8"))["checks"]]


def without_fences(report: str) -> list[str]:
    """Return the report's lines outside of fenced blocks."""
    lines, fence = [], ""
    for line in report.split("\n"):
        bare = line.lstrip("> ")
        if not fence and bare.startswith("```"):
            fence = re.match("`+", bare)[0]
        elif fence and bare.rstrip() == fence:
            fence = ""
        elif not fence:
            lines.append(line)
    return lines


def quoted_blocks(report: str) -> list[tuple[bool, int, int, str]]:
    """Return each quotation of a report: of the requirements or not, its lines, its text."""
    found, lines = [], iter(report.split("\n"))
    for line in lines:
        match = QUOTED.match(line)
        if not match:
            continue
        fence = re.search("`{3,}", next(lines))[0]
        text = []
        for inner in lines:
            inner = inner.lstrip().removeprefix("> ")
            if inner == fence:
                break
            text.append(inner)
        first = int(match["first"])
        found.append((bool(match["which"]), first, int(match["last"] or first), "\n".join(text)))
    return found


def project(folder: Path) -> None:
    """Lay the example out as the original command names it."""
    (folder / "docs").mkdir()
    shutil.copy(REQUIREMENTS, folder / "docs" / "requirements.md")
    shutil.copy(DESIGN, folder / "tech-design.md")


def test_a_review_succeeds_and_names_both_files_it_has_written(example: Reviewed):
    assert example.run.code == 0
    assert "written: tech-design-review.md and review.json" in example.run.out
    assert example.run.err == ""


def test_the_report_has_every_heading_of_the_specification_in_its_order(example: Reviewed):
    lines = without_fences(example.report)

    assert lines[0] == "# Technical Design Review: Fare Capping Service: Technical Design"
    assert [line for line in lines[1:] if line.startswith("#")] == HEADINGS


def test_the_four_lines_of_the_summary_have_legal_values(example: Reviewed):
    lines = example.report.split("\n")
    start = lines.index("## Review Summary") + 1

    assert re.fullmatch(
        r"- \*\*Overall Assessment\*\*: (Excellent|Good|Needs Improvement|Requires Rework)", lines[start]
    )
    assert re.fullmatch(r"- \*\*Completeness Score\*\*: (10|\d(\.\d)?)/10", lines[start + 1])
    assert re.fullmatch(r"- \*\*Technical Soundness Score\*\*: (10|\d(\.\d)?)/10", lines[start + 2])
    assert re.fullmatch(
        r"- \*\*Implementation Readiness\*\*: (Ready|Minor Changes|Major Changes Required)", lines[start + 3]
    )


def test_the_checklist_has_its_fourteen_lines_word_for_word(example: Reviewed):
    boxes = [line for line in without_fences(example.report) if re.match(r"- \[[ x]\] ", line)]

    assert [line[len("- [ ] ") :] for line in boxes] == CHECKLIST


def test_the_json_keeps_the_schema_that_the_command_prints(example: Reviewed):
    schema = json.loads(draftproof("schema").out)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example.data, schema)


def test_the_json_has_all_72_checks_in_the_order_of_the_report(example: Reviewed):
    ids = [check["id"] for check in example.data["checks"]]

    assert len(ids) == 72
    assert sorted(ids) == sorted(check["id"] for check in rubric())


def test_the_report_has_a_line_for_each_of_the_72_checks(example: Reviewed):
    lines = without_fences(example.report)
    titles = [check["title"] for check in rubric()]

    assert [title for title in titles if not any(line.startswith(f"- **{title}**: ") for line in lines)] == []


def test_every_quotation_of_the_json_stands_at_its_lines(example: Reviewed):
    texts = {"design": DESIGN.read_text(encoding="utf-8"), "requirements": REQUIREMENTS.read_text(encoding="utf-8")}
    found = list(quotations(example.data))
    wrong = [q for q in found if not stands_at(q["quote"], texts[q["document"]], q["start_line"], q["end_line"])]

    assert {q["document"] for q in found} == {"design", "requirements"}
    assert len(found) > 100
    assert wrong == []


def test_every_quotation_of_the_report_stands_at_its_lines(example: Reviewed):
    design, requirements = DESIGN.read_text(encoding="utf-8"), REQUIREMENTS.read_text(encoding="utf-8")
    found = quoted_blocks(example.report)
    wrong = [q for q in found if not stands_at(q[3], requirements if q[0] else design, q[1], q[2])]

    assert len(found) > 20
    assert wrong == []


def test_a_defect_has_a_severity_its_check_allows_and_nothing_else_has_one(example: Reviewed):
    allowed = {check["id"]: check["severity"] for check in rubric()}
    for check in example.data["checks"]:
        if check["verdict"] in ("missing", "partial", "flawed"):
            said = allowed[check["id"]][check["verdict"]]
            raised = [b for b in check["basis"] if b["statement"].startswith(f"severity {said} made ")]
            expected = raised[0]["statement"].split(" made ")[1].split(",")[0] if raised else said
            assert check["severity"] == expected, check["id"]
            assert check["recommendation"], check["id"]
        else:
            assert check["severity"] is None, check["id"]


def test_what_is_met_or_flawed_is_quoted(example: Reviewed):
    unproven = [c["id"] for c in example.data["checks"] if c["verdict"] in ("met", "flawed") and not c["evidence"]]

    assert unproven == []


def test_each_requirement_of_the_document_has_a_row_in_the_table(example: Reviewed):
    ids = re.findall(r"^- \*\*(N?FR-\d+)\*\*", REQUIREMENTS.read_text(encoding="utf-8"), re.M)
    rows = re.findall(r"^\| (N?FR-\d+) \| ", example.report, re.M)

    assert len(ids) == 26
    assert rows == ids
    assert [item["id"] for item in example.data["requirements"]] == ids


def test_probabilities_of_each_check_add_up_to_one(example: Reviewed):
    sums = [sum(check["probabilities"].values()) for check in example.data["checks"]]

    assert sums == pytest.approx([1.0] * 72, abs=0.01)


def test_a_review_says_that_nothing_left_the_machine(example: Reviewed):
    made = example.data["provenance"]

    assert made["bytes_sent"] == 0
    assert made["connections_refused"] == 0
    assert made["embedder"] == "none (BM25 and patterns alone)"
    assert "bytes sent off the machine: 0" in example.report


def test_the_same_documents_give_the_same_review_twice(example: Reviewed, folder: Path):
    # The first ran with another hash seed, in a process of its own.
    draftproof("review", DESIGN, "--requirements", REQUIREMENTS, *BM25)
    data = json.loads((folder / "review.json").read_text(encoding="utf-8"))
    data["provenance"]["seconds"] = example.data["provenance"]["seconds"]

    assert (folder / "tech-design-review.md").read_text(encoding="utf-8") == example.report
    assert data == example.data


def test_the_original_command_writes_what_review_writes(
    example: Reviewed, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DRAFTPROOF_EMBEDDER", "none")
    project(folder)
    run = draftproof(ORIGINAL_NAME, SENTENCE)
    data = json.loads((folder / "review.json").read_text(encoding="utf-8"))
    report, provenance = (folder / "tech-design-review.md").read_text(encoding="utf-8").rsplit("\n---\n", 1)

    assert run.code == 0
    assert report == example.report.rsplit("\n---\n", 1)[0]
    assert "; docs/requirements.md (" in provenance
    assert {**data, "provenance": None} == {**example.data, "provenance": None}


def test_the_original_command_understands_its_sentence_without_quotes(folder: Path):
    run = draftproof(ORIGINAL_NAME, *SENTENCE.replace("tech-design.md", "nothing.md").split())

    assert run.code == 2
    assert run.err == "draftproof: nothing.md does not exist. Check the path of the technical design.\n"


def test_the_original_command_says_how_to_write_a_sentence_that_it_does_not_understand():
    run = draftproof(ORIGINAL_NAME, "Please be so kind")

    assert run.code == 2
    assert run.err.startswith("draftproof: The sentence names no file. Write it as: ")


def test_without_requirements_the_review_says_that_coverage_was_not_checked(folder: Path):
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", *BM25)
    report = (folder / "tech-design-review.md").read_text(encoding="utf-8")

    assert run.code == 0
    assert "No requirements were given; coverage was not checked." in report
    assert "| Requirement |" not in report


@pytest.mark.parametrize(("level", "code"), [("never", 0), ("critical", 1), ("recommended", 1), ("suggested", 1)])
def test_a_poor_design_fails_from_the_severity_that_was_asked_for(folder: Path, level: str, code: int):
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", *BM25, "--fail-on", level)

    assert run.code == code
    assert (folder / "tech-design-review.md").exists()


def test_json_goes_where_it_was_asked_for(folder: Path):
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", *BM25, "--json", "deep/down/result.json", "-o", "reports/r.md", "--quiet")

    assert run == type(run)(0, "", "")
    assert json.loads((folder / "deep" / "down" / "result.json").read_text(encoding="utf-8"))["schema_version"] == 1
    assert (folder / "reports" / "r.md").exists()
    assert not (folder / "reports" / "review.json").exists()


def test_verbose_prints_the_seconds_of_each_stage_on_standard_error(folder: Path):
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", *BM25, "--verbose")

    assert re.search(r"^ +\d+\.\d\d s  Judging 72 checks$", run.err, re.M)


def test_without_an_embedder_the_review_goes_by_bm25_and_says_so(folder: Path):
    (folder / "design.md").write_text(SMALL, encoding="utf-8")
    run = draftproof("review", "design.md", "--data-dir", folder / "empty")

    assert run.code == 0
    assert "The review goes by BM25 and patterns alone." in run.err
    assert "Run `make setup`" in run.err


def test_a_reader_that_closes_the_pipe_leaves_no_complaint(folder: Path):
    run = process(["sh", "-c", f"{' '.join(DRAFTPROOF)} schema | head -1; {' '.join(DRAFTPROOF)} schema | true"])

    assert run.out == "{\n"
    assert run.err == ""
