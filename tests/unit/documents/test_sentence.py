"""The sentence of the original command."""

from __future__ import annotations

from pathlib import Path

import pytest

from draftproof.documents.sentence import NamedFiles, read_sentence
from draftproof.errors import CommandSentenceError

DESIGN = Path("tech-design.md")
REQUIREMENTS = Path("docs/requirements.md")
REVIEW = Path("tech-design-review.md")
ORIGINAL = (
    "Requirements are in docs/requirements.md file. Tech design as tech-design.md file. "
    "Save the review comments in tech-design-review.md file"
)


def test_original_sentence_names_all_three() -> None:
    assert read_sentence(ORIGINAL) == NamedFiles(DESIGN, REQUIREMENTS, REVIEW)


@pytest.mark.parametrize(
    "sentence",
    [
        "Tech design as tech-design.md file. Requirements are in docs/requirements.md file. "
        "Save the review comments in tech-design-review.md file",
        "Save the review comments in tech-design-review.md file. Requirements are in docs/requirements.md file. "
        "Tech design as tech-design.md file",
        "Save the review comments in tech-design-review.md. The requirements are docs/requirements.md and the design "
        "is tech-design.md",
        "Requirements are in docs/requirements.md file, Tech design as tech-design.md file, "
        "Save the review comments in tech-design-review.md file",
        "requirements: docs/requirements.md\ndesign: tech-design.md\noutput: tech-design-review.md",
        "Use the requirements in docs/requirements.md, the design tech-design.md, result in tech-design-review.md",
        "Review tech-design.md against docs/requirements.md and write tech-design-review.md",
        "Read the requirements document docs/requirements.md, check the tech design tech-design.md and save the "
        "report as tech-design-review.md",
        "docs/requirements.md holds the requirements, tech-design.md is the tech design, "
        "save the comments to tech-design-review.md",
        "tech-design.md is the design. docs/requirements.md are the requirements. "
        "tech-design-review.md is where to save the comments.",
        "REQUIREMENTS ARE IN docs/requirements.md FILE. TECH DESIGN AS tech-design.md FILE. "
        "SAVE THE REVIEW COMMENTS IN tech-design-review.md FILE",
        "Requirements are in `docs/requirements.md`. Tech design as 'tech-design.md'. "
        'Save the review comments in "tech-design-review.md"',
        "Requirements are in docs/requirements.md. Requirements are in docs/requirements.md. "
        "Tech design as tech-design.md. Save the review comments in tech-design-review.md.",
    ],
)
def test_other_wordings_name_the_same(sentence: str) -> None:
    assert read_sentence(sentence) == NamedFiles(DESIGN, REQUIREMENTS, REVIEW)


@pytest.mark.parametrize(("opened", "closed"), [('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("«", "»")])
def test_quoted_names_may_have_spaces(opened: str, closed: str) -> None:
    sentence = (
        f"Requirements are in {opened}docs/our requirements.md{closed} file. "
        f"Tech design as {opened}tech design v2.md{closed} file. "
        f"Save the review comments in {opened}my review.md{closed} file"
    )

    assert read_sentence(sentence) == NamedFiles(
        Path("tech design v2.md"), Path("docs/our requirements.md"), Path("my review.md")
    )


def test_design_alone_is_enough() -> None:
    assert read_sentence("Tech design as tech-design.md file") == NamedFiles(DESIGN, None, None)


def test_role_is_told_by_the_files_own_name_where_the_words_are_silent() -> None:
    assert read_sentence("Look at tech-design.md") == NamedFiles(DESIGN, None, None)


def test_word_in_front_weighs_more_than_the_files_own_name() -> None:
    assert read_sentence("Tech design as requirements.md. Requirements are in design.md") == NamedFiles(
        Path("requirements.md"), Path("design.md"), None
    )


@pytest.mark.parametrize(
    "name", ["../docs/design.md", "./design.v2.md", "/srv/x/design.markdown", "a_b/c-d/design.txt"]
)
def test_path_of_any_form_is_read_whole(name: str) -> None:
    assert read_sentence(f"Tech design as {name}.").design == Path(name)


def test_tilde_is_the_home_folder(own_home: Path) -> None:
    assert read_sentence("Tech design as ~/docs/design.md file").design == own_home / "docs" / "design.md"


@pytest.mark.parametrize("sentence", ["", "no file here", "Review my design please."])
def test_sentence_without_a_file_is_refused(sentence: str) -> None:
    with pytest.raises(CommandSentenceError, match="names no file"):
        read_sentence(sentence)


def test_missing_design_is_refused() -> None:
    with pytest.raises(CommandSentenceError, match="does not name the tech design"):
        read_sentence("Requirements are in docs/requirements.md file. Save the review comments in review.md file")


@pytest.mark.parametrize(
    "sentence",
    [
        "Tech design as a.md file. Tech design as b.md file.",
        "Tech design as a-design.md and b-design.md.",
        "Is design.md the tech design or is tech-design.md?",
    ],
)
def test_two_designs_are_refused_with_both_names(sentence: str) -> None:
    with pytest.raises(CommandSentenceError, match=r"several files as design: \S+\.md, \S+\.md"):
        read_sentence(sentence)


def test_two_outputs_are_refused() -> None:
    with pytest.raises(CommandSentenceError, match="several files as output"):
        read_sentence("Tech design as d.md. Save comments in a.md. Save comments in b.md.")


def test_file_without_a_role_is_refused_by_name() -> None:
    with pytest.raises(CommandSentenceError, match=r"does not say what foo\.md is"):
        read_sentence("Tech design as design.md. See foo.md")


def test_refusal_shows_how_to_write_it() -> None:
    with pytest.raises(CommandSentenceError) as caught:
        read_sentence("")

    assert ORIGINAL in caught.value.hint
    assert caught.value.exit_code == 2
