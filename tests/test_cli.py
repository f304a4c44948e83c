import io
import json
import os
import pty
import re
import runpy
import select
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sextortion_detect.cli import _OneLineErrors, main
from sextortion_detect.errors import ModelNotFoundError
from sextortion_detect.inputs import Item
from sextortion_detect.report import Table, harmless, verdict_lines
from sextortion_detect.results import PATTERN_IDS
from sextortion_detect.version import __version__

INBOX = Path(__file__).parents[1] / "examples" / "inbox"
THREAT = "I recorded you. Pay $500 in bitcoin within 24 hours or your family and friends get the video."
LUNCH = "see you at lunch"
CANARY = "zebrafinch"  # stands in messages, and must not come out unless asked for


def run(*args: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin)


def records(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_error_line(result: Result) -> str:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("sextortion-detect: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    file = tmp_path / "chat.txt"
    file.write_text(f"{LUNCH}\n\n{THREAT} {CANARY}\n{LUNCH}\n", encoding="utf-8")
    return file


# --- score and info -----------------------------------------------------------------------------------------------


def test_score_tells_level_patterns_and_scheme_but_no_text() -> None:
    result = run("score", f"{THREAT} {CANARY}")
    assert result.exit_code == 0
    assert re.search(r"level +(protect|review)", result.stdout)
    assert "patterns" in result.stdout
    assert CANARY not in result.output
    assert "bitcoin" not in result.output


def test_score_joins_words_and_reads_standard_input() -> None:
    words = run("score", "--format", "jsonl", *LUNCH.split())
    stream = run("score", "--format", "jsonl", "-", stdin=LUNCH + "\n")
    assert records(words) == records(stream)
    assert records(words)[0]["level"] == "none"
    marked = run("score", "--format", "jsonl", "--show-text", "-", stdin="\ufefffrüh".encode("utf-16-le"))
    assert records(marked)[0]["text"] == "früh"


def test_score_quotes_words_only_when_asked() -> None:
    assert "words" in run("score", "--show-text", THREAT).stdout
    assert '"' in run("score", "--show-text", THREAT).stdout
    assert re.search(r"words +-", run("score", "--show-text", LUNCH).stdout)


def test_info_describes_the_model() -> None:
    lines = run("info").stdout
    for word in ("name", "version", "languages", "thresholds", "en"):
        assert word in lines
    described = json.loads(run("info", "--json").stdout)
    assert {"en", "es", "fr", "de", "it", "pt"} <= set(described["languages"])
    assert described["patterns"] == list(PATTERN_IDS)
    values = list(described["thresholds"].values())
    assert values == sorted(values)


def test_version() -> None:
    assert __version__ in run("--version").stdout


# --- scan: what is shown ------------------------------------------------------------------------------------------


def test_the_table_shows_what_matters_and_no_text(chat: Path) -> None:
    result = run("scan", chat)
    assert result.exit_code == 0
    header, *lines = result.stdout.splitlines()
    assert header.split() == ["level", "chance", "patterns", "frame", "/", "scheme", "where"]
    assert lines[0].startswith(("protect", "review"))
    assert "chat.txt:3" in result.stdout
    assert "chat.txt:1" not in result.stdout
    assert CANARY not in result.output
    assert "bitcoin" not in result.output
    assert "\x1b" not in result.output
    assert max(map(len, result.stdout.splitlines())) <= 160


def test_the_table_quotes_the_words_when_asked(chat: Path) -> None:
    text = run("scan", "--show-text", chat).stdout
    quotes = re.findall(r'"([^"]+)"', " ".join(text.split()))
    assert quotes
    assert all(quote in f"{THREAT} {CANARY}" for quote in quotes if not quote.endswith("…"))
    assert all(line.startswith("         ") for line in text.splitlines() if '"' in line)


def test_levels_can_be_chosen(chat: Path, tmp_path: Path) -> None:
    assert len(run("scan", "--min-level", "none", chat).stdout.splitlines()) > 3
    assert "chat.txt:1" in run("scan", "--min-level", "none", chat).stdout
    quiet = tmp_path / "quiet.txt"
    quiet.write_text(LUNCH)
    assert run("scan", quiet).stdout == "nothing at level protect or above\n"
    quiet.write_text("")
    assert run("scan", "--min-level", "none", quiet).stdout == "no messages\n"
    assert run("scan", "--format", "jsonl", "--min-level", "protect", quiet).stdout == ""


def test_jsonl_rows_hold_everything_but_the_text(chat: Path) -> None:
    result = run("scan", "--format", "jsonl", chat)
    rows = records(result)
    assert [row["row"] for row in rows] == [1, 3, 4]
    keys = ["source", "row", "id", "probability", "level", "patterns", "evidence", "frame", "scheme"]
    assert all(list(row) == keys for row in rows)
    assert set(rows[0]["patterns"]) == set(PATTERN_IDS)  # type: ignore[call-overload]
    assert rows[1]["level"] in {"protect", "review"}
    assert CANARY not in result.output
    shown = records(run("scan", "--format", "jsonl", "--show-text", chat))
    assert [row.pop("text") for row in shown] == [LUNCH, f"{THREAT} {CANARY}", LUNCH]
    assert shown == rows


def test_the_summary_counts(chat: Path) -> None:
    assert re.fullmatch(
        r"scanned 3 messages: 2 none, \d protect, \d review; 0 bad rows; [\d.]+ seconds, [\d,]+ messages a second\n",
        run("scan", chat).stderr,
    )


def test_results_go_to_a_file(chat: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run("scan", chat, "--format", "jsonl", "--out", out).stdout == ""
    assert len(out.read_text().splitlines()) == 3
    again = run("scan", tmp_path, "--format", "jsonl", "--out", out)  # the folder holds the results, too
    assert again.exit_code == 0
    assert len(out.read_text().splitlines()) == 3


def test_workers_give_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text("".join(f"{THREAT if i % 500 == 0 else LUNCH} {i}\n" for i in range(9_000)))
    alone = run("scan", file, "--format", "jsonl", "--min-level", "protect")
    together = run("scan", file, "--format", "jsonl", "--min-level", "protect", "--workers", "2")
    assert alone.exit_code == together.exit_code == 0
    assert alone.stdout == together.stdout
    assert [row["row"] for row in records(alone)] == [i + 1 for i in range(0, 9_000, 500)]


# --- scan: what goes in -------------------------------------------------------------------------------------------


def test_every_kind_of_file_can_be_scanned(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": THREAT, "id": "first"}))
    (tmp_path / "b.csv").write_text(f'n;text\n1;"{THREAT}"\n')
    (tmp_path / "c.eml").write_text(f"Subject: you\n\n{THREAT}\n")
    (tmp_path / "d.mbox").write_text(f"From a Mon Nov 16 08:00:00 2026\nSubject: you\n\n{THREAT}\n")
    result = run("scan", "--format", "jsonl", tmp_path)
    assert [row["level"] in {"protect", "review"} for row in records(result)] == [True] * 4
    assert records(result)[0]["id"] == "first"
    assert "(first)" in run("scan", tmp_path).stdout


def test_the_examples_can_be_scanned() -> None:
    result = run("scan", "--show-text", INBOX)
    assert result.exit_code == 0
    assert "0 bad rows" in result.stderr
    assert "mail_en" in run("scan", "--format", "jsonl", "--min-level", "protect", INBOX).stdout


def test_standard_input_and_its_format() -> None:
    assert records(run("scan", "-", "--format", "jsonl", stdin=f"{LUNCH}\n{THREAT}\n"))[1]["level"] != "none"
    rows = records(
        run("scan", "-", "--input-format", "csv", "--text-column", "body", "--format", "jsonl", stdin="body\na b\n")
    )
    assert [(row["source"], row["row"]) for row in rows] == [("-", 2)]
    assert "standard input, row 1" in run("scan", "-", "--input-format", "jsonl", stdin='{\n{"text": "a"}').stderr


def test_long_messages_are_batched_by_size(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text(f"{'lunch ' * 1_500_000}\n{THREAT}\n")
    result = run("scan", file)
    assert result.exit_code == 0
    assert "long.txt:2" in result.stdout


# --- scan: what is wrong ------------------------------------------------------------------------------------------


def test_bad_rows_are_reported_by_place_and_never_fatal(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{{"text": "{LUNCH}"}}\n{{"text": "{CANARY}\n{{"{CANARY}": 1}}\n')
    result = run("scan", file)
    assert result.exit_code == 0
    assert "rows.jsonl, row 2: broken JSON" in result.stderr
    assert "rows.jsonl, row 3: " in result.stderr
    assert "2 bad rows" in result.stderr
    assert CANARY not in result.output


def test_very_many_bad_rows_are_counted_but_not_all_listed(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{\n" * 500 + f'{{"text": "{LUNCH}"}}\n')
    result = run("scan", file)
    assert result.stderr.count("broken JSON") == 100
    assert result.stderr.count("counted, not listed") == 1
    assert "500 bad rows" in result.stderr


def test_bad_files_among_good_ones_are_skipped(chat: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("scan", tmp_path / "gone.txt", tmp_path)
    assert result.exit_code == 0
    assert "gone.txt: no such file" in result.stderr
    assert "picture.txt: is a picture" in result.stderr
    assert "2 bad files" in result.stderr
    assert "chat.txt:3" in result.stdout


@pytest.mark.parametrize(
    ("content", "name", "hint"),
    [
        (None, "gone.txt", "check the path"),
        (b"\x89PNG", "a.txt", "extract"),
        (b"x", "a.xyz", "--input-format"),
        (b"a,b\n1,2\n", "a.csv", "--text-column"),
        (b"no mbox", "a.mbox", "--input-format eml"),
        (b"\x1f\x8bbroken", "a.txt.gz", "new copy"),
    ],
)
def test_unreadable_input_is_one_clear_line(tmp_path: Path, content: bytes | None, name: str, hint: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert hint in one_error_line(run("scan", tmp_path / name))


def test_nothing_but_bad_rows_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n{\n")
    result = run("scan", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].endswith(
        "none of 2 rows could be read; check --input-format and --text-column"
    )


def test_empty_files_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    result = run("scan", tmp_path, tmp_path / "gone.txt")
    assert result.exit_code == 0
    assert "scanned 0 messages" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nothing"],
        ["scan"],
        ["scan", "--frmat", "x", "a"],
        ["scan", "--workers", "0", "a"],
        ["scan", "--min-level", "high", "a"],
        ["score"],
        ["score", "--format", "html", "a"],
    ],
)
def test_bad_usage_is_one_clear_line(args: list[str]) -> None:
    assert "--help" in one_error_line(run(*args))


def test_results_never_replace_the_input(chat: Path, tmp_path: Path) -> None:
    before = chat.read_text()
    assert "choose another" in one_error_line(run("scan", chat, "--out", chat))
    assert chat.read_text() == before
    assert "choose another" in one_error_line(run("scan", "-", chat, "--out", tmp_path / "no" / "folder"))


def test_expected_errors_are_one_line_and_others_are_not_hidden() -> None:
    @click.group(cls=_OneLineErrors)
    @click.argument("kind")
    def group(kind: str) -> None:
        errors = [
            ModelNotFoundError("no model;\ntrain one"),
            click.Abort(),
            click.ClickException("odd"),
            click.UsageError("u"),
        ]
        raise errors[int(kind)]

    group.add_command(click.Command("x"))
    told = [CliRunner().invoke(group, [str(kind), "x"]) for kind in range(4)]
    assert [result.exit_code for result in told] == [2, 130, 2, 2]
    assert "no model; train one" in told[0].stderr
    assert "stopped" in told[1].stderr
    assert all(result.stderr.count("\n") == 1 for result in told)
    with pytest.raises(click.ClickException, match="odd"):
        group.main(["2", "x"], standalone_mode=False)


# --- terminals ----------------------------------------------------------------------------------------------------


def on_screen(monkeypatch: pytest.MonkeyPatch, *args: object) -> str:
    """Run with a real terminal in place of both output streams; return what a person would see there."""
    person, program = pty.openpty()
    with monkeypatch.context() as patch, os.fdopen(program, "w", encoding="utf-8") as screen:
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stderr", screen)
        with pytest.raises(SystemExit):
            main([str(arg) for arg in args], prog_name="sextortion-detect")
        screen.flush()
        assert select.select([person], [], [], 10)[0], "nothing was written"
        shown = os.read(person, 100_000)
    os.close(person)
    return shown.decode("utf-8", "replace")


def test_a_terminal_gets_colours_and_a_bar(chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = on_screen(monkeypatch, "scan", chat)
    assert "\x1b[3" in shown
    assert "scanning" in shown
    assert "chat.txt:3" in shown
    assert "scanned 3 messages" in shown


def test_colours_can_be_switched_off(chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in on_screen(monkeypatch, "scan", chat)


def test_output_survives_a_poor_code_page(chat: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    chat.write_text(f"{THREAT} çşж 漢\n", encoding="utf-8")
    command = [sys.executable, "-m", "sextortion_detect", "scan", "--show-text", str(chat)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_output_may_be_replaced_by_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    main(["score", LUNCH], standalone_mode=False)
    assert "none" in stream.getvalue()


@pytest.mark.parametrize("args", [["scan", "gone.txt"], ["scan", "--nonsense"], ["nothing"]])
def test_exit_codes_of_the_installed_program(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sextortion_detect", *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_the_package_can_be_run_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sextortion_detect", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sextortion_detect", run_name="__main__")
    assert ended.value.code == 0


def test_the_program_reads_a_pipe() -> None:
    command = [sys.executable, "-m", "sextortion_detect", "scan", "-", "--format", "jsonl"]
    done = subprocess.run(command, input=f"{LUNCH}\n{THREAT}\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [json.loads(line)["level"] == "none" for line in done.stdout.splitlines()] == [True, False]


# --- the table alone ----------------------------------------------------------------------------------------------


def verdict(text: str, *spans: tuple[int, int], **changes: object) -> dict[str, object]:
    evidence = [{"pattern": "recording_claim", "start": s, "end": e, "weight": 1.0} for s, e in spans]
    strong = {"recording_claim": 0.9, "payment_demand": 0.8, "authority_impersonation": 0.7, "webcam_lure": 0.6}
    usual = {"probability": 1.0, "level": "review", "frame": "help_seeking", "scheme": "image_coercion"}
    return {**usual, "patterns": dict.fromkeys(PATTERN_IDS, 0.0) | strong, "evidence": evidence, **changes}


def table(item: Item, row: dict[str, object], *, width: int = 100, show_text: bool = True) -> list[str]:
    out = io.StringIO()
    Table(out, show_text=show_text, colour=False, width=width).row(item, row)
    return out.getvalue().splitlines()


def test_hostile_words_cannot_command_the_terminal() -> None:
    text = "\x1b]0;title\x07 i\u200b re\u202ecorded\r\n\x9b31myou \ud800"
    lines = table(Item("a\x1b[2J.txt", 1, "\x1b[31mid", text), verdict(text, (0, len(text))))
    joined = "\n".join(lines)
    assert all(char.isprintable() for line in lines for char in line)
    assert "·" in joined
    assert joined.encode()


def test_harmless_keeps_honest_letters_of_every_script() -> None:
    for text in ("Grüße, façade", "привет как дела", "مرحبا", "नमस्ते", "漢字かな", "😀 ok"):
        assert harmless(text) == text
    assert harmless("a\n\n b\tc") == "a b c"


@pytest.mark.parametrize("width", [40, 100, 130, 400])
def test_lines_fit_and_wrap(width: int) -> None:
    text = "漢字 words " * 30 + "x" * 300
    spans = [(i * 8, i * 8 + 8) for i in range(10)] + [(0, 200)]
    item = Item("/very/long/path/" * 20 + "漢字.jsonl", 123_456, "identifier-" * 5, text)
    lines = table(item, verdict(text, *spans), width=width)
    assert max(map(len, lines)) <= min(max(width, 100), 160)
    assert ".jsonl:123456" in lines[1]
    assert lines[2].startswith(" " * 9)
    assert sum(line.count("漢字 words") for line in lines) <= 6


def test_a_long_quote_is_shortened_and_overlaps_are_shown_once() -> None:
    text = "y" * 500
    quoted = " ".join(table(Item("a", 1, None, text), verdict(text, (0, 500), (10, 20))))
    assert quoted.count("recording claim:") == 1
    assert "…" in quoted
    assert "y" * 61 not in quoted


def test_a_table_without_likely_patterns_or_text() -> None:
    row = verdict("", patterns=dict.fromkeys(PATTERN_IDS, 0.1), scheme=None, level="none", frame="direct")
    header, line = table(Item("a", 1, None, "text"), row, show_text=False)
    assert line.split() == ["none", "99.9%", "-", "direct", "a:1"]
    assert header.startswith("level")
    assert table(Item("a", 1, None, "text"), row) == [header, line]  # no evidence, nothing to quote
    assert list(verdict_lines(row))[-1] == "scheme    -"
