r"""
What constrained decoding costs: the own decoder against the ready paths, in one run.

The questions are those that a review puts about a design, each with its own schema. The
model has random weights in the shape of a real one (``tools/random_gguf.py``), since speed
does not depend on what the weights say. Each contender answers in a process of its own, so
that its memory can be told; seconds count from a loaded model to the last answer.

::

    make bench-decode
    python tools/decode_bench.py --model models/random-0.5b.gguf --questions 24 --rivals 6
    python tools/decode_bench.py --questions 72 --rivals 4 --sections

``--rivals`` limits all others to the first so many questions; their seconds are then given
for each answer. ``--sections`` adds what a plain loop over the checks would do: one call of
outlines for each, with the section that the check is about in the prompt. ``BENCH_OUT`` names a
folder or file for the same figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_output import keep_figures

if TYPE_CHECKING:
    from draftproof.domain.asking import Question
    from draftproof.domain.document import Document

ROOT = Path(__file__).resolve().parents[1]
WINDOW = 12288
WARM = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "benchmarks" / "models" / "random-0.5b-q4_k_m.gguf")
    parser.add_argument("--design", type=Path, default=ROOT / "examples" / "tech-design.md")
    parser.add_argument("--requirements", type=Path, default=ROOT / "examples" / "requirements.md")
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--rivals", type=int, default=24)
    parser.add_argument("--sections", action="store_true")
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--asked", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        asked = json.loads(options.asked.read_text(encoding="utf-8"))
        print(json.dumps(CONTENDERS[options.contender](options.model, asked) | {"peak_mb": peak_mb()}))
        return
    if not options.model.exists():
        command = [sys.executable, str(ROOT / "tools" / "random_gguf.py"), "0.5B", "--out", str(options.model)]
        subprocess.run(command, check=True)
    with tempfile.TemporaryDirectory() as folder:
        run_all(options, Path(folder))


def run_all(options: argparse.Namespace, folder: Path) -> None:
    """Let each contender answer, and print the table."""
    asked = questions(options.design, options.requirements, options.questions)
    figures: dict[str, dict[str, Any]] = {}
    for name in CONTENDERS:
        if name == SECTIONS and not options.sections:
            continue
        few = asked if name == OURS else asked[: options.rivals]
        place = folder / f"{name}.json"
        place.write_text(json.dumps(few), encoding="utf-8")
        command = [sys.executable, __file__, "--model", str(options.model), "--contender", name, "--asked", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: failed\n{done.stderr[-2000:]}", file=sys.stderr)
            continue
        figures[name] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: {figures[name]['seconds']:.1f} s for {figures[name]['answers']} answers", flush=True)
    report(figures, options)


def questions(design: Path, requirements: Path, count: int) -> list[dict[str, Any]]:
    """Return the questions about the checks that the judge is least sure of."""
    from draftproof.adapters.scripted import ScriptedLanguageModel
    from draftproof.bootstrap import Library, make_reviewer, read_inputs
    from draftproof.domain.asking import Effort
    from draftproof.review.adjudicate import Adjudicator
    from draftproof.review.asking import Asker
    from draftproof.review.prepare import prepare
    from draftproof.settings import load_settings

    settings = load_settings({})
    reviewer = make_reviewer(settings, lambda text: print(text, file=sys.stderr))
    library = Library(settings)
    document, needs, _ = read_inputs(design, requirements)
    document, needs, _ = reviewer.marked(document, needs)
    material = prepare(document, needs, reviewer.reference, lambda _: None)
    findings = reviewer.judge.judge(reviewer.reference.rubric, material)
    # The questions alone are wanted; the model is never asked.
    nobody = ScriptedLanguageModel(ROOT / "examples" / "model-script.json")
    asker = Adjudicator(
        Asker(nobody), library.prompts["adjudicate"], library.knowledge, library.scoring.model, Effort.THOROUGH
    )
    doubtful = sorted(findings.values(), key=lambda f: (f.confidence, f.check_id))[:count]
    checks = [reviewer.reference.rubric.by_id[finding.check_id] for finding in doubtful]
    return [
        {
            "system": question.system,
            "text": question.text,
            "schema": question.schema,
            "most": question.most,
            "member": question.member,
            "values": question.values,
            "opening": question.opening,
            "numbered": chapter(document, question.schema["properties"]["lines"]["items"]["enum"]),
        }
        for question in (asking.question for asking in asker.questions(checks, findings, material))
    ]


def chapter(document: Document, lines: Sequence[int]) -> list[tuple[int, str]]:
    """Return the numbered lines of the chapter that holds most of some lines, the first of them where several do."""
    levels = Counter(section.level for section in document.sections)
    level = min(level for level, count in levels.items() if count > 1)
    spans = [section.span for section in document.sections if section.level == level]
    best = max(spans, key=lambda span: sum(span.first <= line <= span.last for line in lines))
    shown = enumerate(document.lines[best.first - 1 : best.last], best.first)
    return [(number, line) for number, line in shown if line.strip()]


# -- the contenders -----------------------------------------------------------------------


def ours(parallel: int, twice: bool = False) -> Callable[[Path, list[dict[str, Any]]], dict[str, Any]]:
    """Return the own decoder with so many answers decoded together."""

    def answer(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
        from draftproof.adapters.llamacpp.engine import EngineOptions
        from draftproof.adapters.llamacpp.language_model import GgufLanguageModel
        from draftproof.adapters.llamacpp.prefixes import distinct_tokens

        model = GgufLanguageModel(path, EngineOptions(window=WINDOW, parallel=parallel))
        asking = [_question(item) for item in asked]
        started = time.perf_counter()
        answers = model.answer(asking)
        seconds = time.perf_counter() - started
        timing = model.decoder.timing
        figures: dict[str, Any] = {
            "seconds": seconds,
            "answers": len(answers),
            "texts": [item.text for item in answers],
            "errors": sum(bool(item.error) for item in answers),
            "valid": _valid([item.text for item in answers], asked),
            "written": timing.written,
            "evaluated": model.engine.evaluated,
            "distinct": distinct_tokens([model.template.tokens(_messages(item)) for item in asked]),
            "mask_share": timing.mask / max(timing.model, 1e-9),
            "swap_share": timing.swapping / max(timing.model, 1e-9),
            "model_seconds": timing.model,
            "decode_rate": timing.written / max(timing.decoding, 1e-9),
        }
        if twice:
            again = [item.text for item in model.answer(asking[:WARM])]
            figures["warm_same"] = again == figures["texts"][:WARM]
        return figures

    return answer


def unconstrained(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Write freely with llama-cpp-python's own interface, 64 tokens to each question."""
    model = _llama(path)
    started = time.perf_counter()
    written = decode_seconds = 0.0
    for item in asked:
        # The second call finds its prompt evaluated, so that writing alone is timed.
        model.create_completion(_plain(item), max_tokens=1, temperature=0)
        before = time.perf_counter()
        done = model.create_completion(_plain(item), max_tokens=64, temperature=0)
        decode_seconds += time.perf_counter() - before
        written += done["usage"]["completion_tokens"]
    return {
        "seconds": time.perf_counter() - started,
        "answers": len(asked),
        "written": written,
        "decode_rate": written / decode_seconds,
    }


def outlines_llguidance(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask outlines with its llguidance backend, as its documentation shows."""
    import outlines
    from outlines.inputs import Chat
    from outlines.types import JsonSchema

    llama = _llama(path)
    model = outlines.from_llamacpp(llama)
    started = time.perf_counter()
    texts = []
    for item in asked:
        generator = outlines.Generator(model, JsonSchema(json.dumps(item["schema"])), backend="llguidance")
        texts.append(str(generator(Chat(_messages(item)), max_tokens=item["most"], temperature=0)))
    return {"seconds": time.perf_counter() - started} | _answered(llama, texts, asked)


def outlines_compact(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """
    Ask outlines for answers without blanks between members, by llguidance's own extension of a schema.

    As documented, blanks may follow each other without end, and random weights write nothing else
    up to the limit; so this is the same work.
    """
    guidance = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    return outlines_llguidance(path, [item | {"schema": {"x-guidance": guidance} | item["schema"]} for item in asked])


def _answered(model: Any, texts: list[str], asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Return answers with how many tokens they take and how many keep to their schema."""
    return {
        "answers": len(asked),
        "texts": texts,
        "written": sum(len(model.tokenize(text.encode(), add_bos=False)) for text in texts),
        "valid": _valid(texts, asked),
    }


def _valid(texts: list[str], asked: list[dict[str, Any]]) -> int:
    from wild_schemas import fault

    return sum(not fault(text, item["schema"]) for text, item in zip(texts, asked, strict=True))


def outlines_sections(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask outlines about the whole section instead of single lines."""
    return outlines_llguidance(path, [_over_section(item) for item in asked])


def _over_section(item: dict[str, Any]) -> dict[str, Any]:
    before, _, rest = item["text"].partition("<lines>\n")
    after = rest[rest.index("</lines>") :]
    numbered = dict(item["numbered"])
    schema = json.loads(json.dumps(item["schema"]))
    schema["properties"]["lines"]["items"]["enum"] = list(numbered)
    lines = "".join(f"{number}| {line}\n" for number, line in numbered.items())
    return item | {"text": f"{before}<lines>\n{lines}{after}", "schema": schema}


def gbnf(path: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Ask llama-cpp-python with a grammar that it makes of the schema."""
    model = _llama(path)
    started = time.perf_counter()
    texts = []
    for item in asked:
        done = model.create_chat_completion(
            _messages(item),
            response_format={"type": "json_object", "schema": item["schema"]},
            max_tokens=item["most"],
            temperature=0,
        )
        texts.append(done["choices"][0]["message"]["content"])
    return {"seconds": time.perf_counter() - started} | _answered(model, texts, asked)


OURS = "ours, 8 together"
SECTIONS = "outlines, section in the prompt"
CONTENDERS: dict[str, Callable[[Path, list[dict[str, Any]]], dict[str, Any]]] = {
    OURS: ours(8, twice=True),
    "ours, 1 at a time": ours(1),
    "unconstrained, one sequence": unconstrained,
    "outlines, llguidance": outlines_llguidance,
    "outlines, llguidance, no blanks": outlines_compact,
    SECTIONS: outlines_sections,
    "llama-cpp-python, GBNF": gbnf,
}


def _question(item: dict[str, Any]) -> Question:
    from draftproof.domain.asking import Question

    known = {name: item[name] for name in ("system", "text", "schema", "most", "member", "opening")}
    return Question(**known, values=tuple(item["values"]))


def _llama(path: Path) -> Any:
    import llama_cpp

    from draftproof.adapters.llamacpp.engine import usable_cores

    cores = usable_cores()
    return llama_cpp.Llama(str(path), n_ctx=WINDOW // 2, n_threads=cores, n_threads_batch=cores, verbose=False)


def _messages(item: dict[str, Any]) -> list[dict[str, str]]:
    return [{"role": "system", "content": item["system"]}, {"role": "user", "content": item["text"]}]


def _plain(item: dict[str, Any]) -> str:
    return f"{item['system']}\n\n{item['text']}\n"


def peak_mb() -> float:
    """Return the most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform != "darwin" else 1) / 1e6


def report(figures: dict[str, dict[str, Any]], options: argparse.Namespace) -> None:
    """Print the figures as a table of ratios to the own decoder, and write them where asked."""
    own = figures[OURS]
    each = own["seconds"] / own["answers"]
    print(f"\n{own['answers']} questions on {options.design.name}, {options.model.name}; seconds for each answer")
    print("| contender | s an answer | times ours | tokens an answer | valid | peak MB |\n|---|---|---|---|---|---|")
    for name, item in figures.items():
        rate = item["seconds"] / item["answers"]
        valid = f"{item['valid']} of {item['answers']}" if "valid" in item else ""
        written = item["written"] / item["answers"]
        print(f"| {name} | {rate:.2f} | {rate / each:.1f} | {written:.0f} | {valid} | {item['peak_mb']:.0f} |")
    one = figures.get("ours, 1 at a time", {})
    free = figures.get("unconstrained, one sequence", {})
    rows = {
        "tokens read against distinct prompt tokens": (own["evaluated"] - own["written"]) / own["distinct"],
        "mask and Python against the model's time": own["mask_share"],
        "moving answers against the model's time": own["swap_share"],
        "one at a time gives the same bytes": one.get("texts") == own["texts"][: one.get("answers", 0)],
        "warm gives the same bytes as cold": own.get("warm_same"),
        "answers without error": own["answers"] - own["errors"],
        "model file, MB": options.model.stat().st_size / 1e6,
    }
    if free:
        rows["tokens/s while answers are written"] = own["decode_rate"]
        rows["unconstrained, one sequence, tokens/s"] = free["decode_rate"]
        rows["against unconstrained"] = own["decode_rate"] / free["decode_rate"]
    for name, value in rows.items():
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")
    keep_figures("decode", {"figures": figures, "rows": rows})


if __name__ == "__main__":
    main()
