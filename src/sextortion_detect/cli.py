"""The command line: score one text, scan files, describe the model.

Results go to standard output or ``--out``; everything else (progress, bad rows, the summary, errors) goes to standard
error. No message text is printed or logged unless ``--show-text`` asks for it.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import click

from sextortion_detect.errors import SextortionDetectError
from sextortion_detect.inputs import Item
from sextortion_detect.lexicon_files import load_lexicons
from sextortion_detect.mail import decode_text
from sextortion_detect.report import JsonLines, Report, Table, harmless, verdict_lines
from sextortion_detect.results import Level
from sextortion_detect.scan import Scan, bundled_detector
from sextortion_detect.sources import KINDS, STDIN, OnBytes, Source, find_sources
from sextortion_detect.version import __version__

__all__ = ["main"]

_LEVELS = tuple(level.value for level in Level)
_BUDGETS = (1e-2, 1e-3, 1e-4, 1e-5)


class _OneLineErrors(click.Group):
    """Says every expected error in one line and exits with 2."""

    def main(self, *args: Any, standalone_mode: bool = True, **options: Any) -> Any:
        options["standalone_mode"] = False
        if not standalone_mode:
            return super().main(*args, **options)
        try:
            code = super().main(*args, **options)
        except click.Abort:
            code = _fail("stopped", 130)  # as shells count Ctrl-C
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "sextortion-detect"
            code = _fail(f"{error.format_message()} Try '{path} --help'.")
        except click.ClickException as error:
            code = _fail(error.format_message())
        except SextortionDetectError as error:
            code = _fail(str(error))
        sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 2) -> int:
    click.echo(f"sextortion-detect: {harmless(message)}", err=True)
    return code


@click.group(cls=_OneLineErrors, no_args_is_help=False)
@click.version_option(__version__, prog_name="sextortion-detect")
def main() -> None:
    """Recognise webcam blackmail (sextortion) messages, offline."""


_show_text = click.option("--show-text", is_flag=True, help="Also show message text: the words that mattered.")


# --- score --------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@_show_text
def score(text: tuple[str, ...], form: str, show_text: bool) -> None:
    """Score one TEXT, or standard input as one message with -.

    Put -- before a text that begins with a dash.
    """
    message = decode_text(sys.stdin.buffer.read()).rstrip("\r\n") if text == (STDIN,) else " ".join(text)
    verdict = bundled_detector().score(message).to_dict()
    if form == "jsonl":
        JsonLines(_stdout(), show_text=show_text).row(Item("-", 1, None, message), verdict)
        return
    for line in verdict_lines(verdict, message if show_text else None):
        click.echo(line, file=_stdout())


def _stdout() -> TextIO:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a code page that lacks a letter must not end a scan
    return sys.stdout


# --- info ---------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(as_json: bool) -> None:
    """Describe the model: name, version, hashes, languages, thresholds."""
    detector = bundled_detector()
    described = {
        "package_version": __version__,
        **detector.model_info,
        "languages": sorted(lexicon.language for lexicon in load_lexicons()),
        "patterns": list(detector.pattern_ids),
        "thresholds": {f"fpr {budget:g}": float(detector.threshold(fpr=budget)) for budget in _BUDGETS},
    }
    if as_json:
        click.echo(json.dumps(described, indent=2, default=str))
        return
    for name, value in _flat(described):
        click.echo(f"{name:<34} {value}", file=_stdout())


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


# --- scan ---------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH... | -")
@click.option("--input-format", type=click.Choice(KINDS), help="Kind of standard input (default txt) and named files.")
@click.option("--text-column", default="text", show_default=True, help="Column of csv and parquet, field of jsonl.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write results to this file.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that score.")
@click.option("--min-level", type=click.Choice(_LEVELS), help="Lowest level shown (table: protect, jsonl: none).")
@_show_text
def scan(
    *,
    paths: tuple[str, ...],
    input_format: str | None,
    text_column: str,
    form: str,
    out: Path | None,
    workers: int,
    min_level: str | None,
    show_text: bool,
) -> None:
    """Scan files and folders (txt, jsonl, csv, parquet, eml, mbox, and .gz of the text kinds), or standard input.

    Exits with 0 when the scan ran, with 2 when nothing could be read.
    """
    level = min_level or ("protect" if form == "table" else "none")
    with ExitStack() as stack:
        stream = _open_out(out, paths, stack)
        report: Report = JsonLines(stream, show_text=show_text)
        if form == "table":
            colour = stream.isatty() and "NO_COLOR" not in os.environ
            report = Table(stream, show_text=show_text, colour=colour)
        on_bytes, clear = _progress(paths, input_format, stack)
        run = Scan(text_column, Level(level), workers, _fail, on_bytes)
        for rows in run.run(find_sources(paths, input_format, out)):
            if rows and stream.isatty():
                clear()
            for item, verdict in rows:
                report.row(item, verdict)
            stream.flush()
        if not run.nothing_read:
            report.close(level)
    _finish(run)


def _finish(run: Scan) -> None:
    if not run.nothing_read:
        click.echo(run.summary(), err=True)
        return
    if run.bad_rows:
        _fail(f"none of {run.bad_rows:,} rows could be read; check --input-format and --text-column")
    click.get_current_context().exit(2)


def _open_out(out: Path | None, paths: Iterable[str], stack: ExitStack) -> TextIO:
    if out is None:
        return _stdout()
    if out.exists() and any(path != STDIN and Path(path).exists() and out.samefile(path) for path in paths):
        raise click.UsageError("--out names a file that is to be scanned; choose another name.")
    try:
        return stack.enter_context(out.open("w", encoding="utf-8", errors="replace"))
    except OSError as error:
        raise click.UsageError(f"--out cannot be written ({error.strerror}); choose another place.") from error


def _progress(
    paths: tuple[str, ...], input_format: str | None, stack: ExitStack
) -> tuple[OnBytes, Callable[[], object]]:
    """Show a bar by bytes of input if somebody is watching; also return what clears it for a line of results."""
    if not sys.stderr.isatty() or STDIN in paths:
        return (lambda n: None), (lambda: None)
    found = (s for s in find_sources(paths, input_format) if isinstance(s, Source))
    size = sum(Path(source.path).stat().st_size for source in found)
    bar = stack.enter_context(click.progressbar(length=max(1, size), label="scanning", file=sys.stderr))
    return bar.update, lambda: click.echo("\r\x1b[K", nl=False, err=True)
