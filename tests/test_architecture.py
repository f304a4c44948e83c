"""The shape of the house: imports run one way, rooms are small, the public surface is what it says."""

import ast
import contextlib
import io
from pathlib import Path

import pytest

import sextortion_detect

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "sextortion_detect"
# Left to right along the data flow; a module imports only from its left.
FLOW = (
    "version", "errors", "results", "characters", "tape", "disguises", "normalise", "passages", "ngrams",
    "lexicon_files", "concepts", "features", "model", "scoring", "explain", "detector", "__init__", "matrix",
    "estimators", "visible", "mail", "sources", "inputs", "scan", "report", "cli", "__main__",
)  # fmt: skip
CODE = [p for folder in (PACKAGE, ROOT / "training", ROOT / "benchmarks") for p in sorted(folder.rglob("*.py"))]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sextortion_detect"):
            module = node.module.partition(".")[2]
            yield from [module] if module else (["__init__"] if path.stem != "__init__" else [])


def test_every_module_has_its_place_in_the_flow():
    assert sorted(p.stem for p in PACKAGE.glob("*.py")) == sorted(FLOW)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda p: p.stem)
def test_imports_run_one_way(path):
    wrong = [m for m in imports(path) if FLOW.index(m) >= FLOW.index(path.stem)]
    assert not wrong


def test_nothing_in_the_package_imports_training():
    assert not [
        p for p in PACKAGE.rglob("*.py") if "from training" in p.read_text() or "import training" in p.read_text()
    ]


@pytest.mark.parametrize("path", CODE, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_rooms_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 310
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or body[-1].end_lineno - body[0].lineno < 42, node.name
    assert path.stem not in {"utils", "helpers", "common", "manager"}


def test_architecture_page_is_short_and_names_every_module():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 120
    missing = [m for m in FLOW if m not in {"__init__", "__main__", "version"} and f"{m}.py" not in page]
    assert not missing


def test_exported_members():
    assert sorted(sextortion_detect.__all__) == sextortion_detect.__all__
    for name in sextortion_detect.__all__:
        assert hasattr(sextortion_detect, name)


def test_readme_code_prints_what_it_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n", 1)[1].split("```", 1)[0]
    expected = readme.split("```text\n", 1)[1].split("```", 1)[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().strip() == expected.strip()
