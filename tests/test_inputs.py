import codecs
import gzip
import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sextortion_detect import inputs
from sextortion_detect.errors import UnreadableInputError
from sextortion_detect.inputs import BadRow, Item, read_source
from sextortion_detect.sources import BadFile, Source, find_sources

DATA = Path(__file__).parent / "data"
INBOX = Path(__file__).parents[1] / "examples" / "inbox"
HAS_ARROW = importlib.util.find_spec("pyarrow") is not None
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")


def read(path: Path, kind: str, data: bytes | str | None = None, column: str = "text") -> list[Item | BadRow]:
    if data is not None:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_source(Source(str(path), kind), column))


def rows(entries: list[Item | BadRow]) -> list[tuple[int, str]]:
    return [(entry.row, entry.text if isinstance(entry, Item) else "BAD") for entry in entries]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


# --- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n  \n\t\n", []),
        (b"one\n\ntwo", [(1, "one"), (3, "two")]),
        (b"one\r\ntwo\r\n", [(1, "one"), (2, "two")]),
        (codecs.BOM_UTF8 + "früh\n".encode(), [(1, "früh")]),
        ("früh\nspät".encode("latin-1"), [(1, "früh"), (2, "spät")]),
        ("früh\n".encode() + "spät".encode("latin-1"), [(1, "früh"), (2, "spät")]),
        ("früh\nspät\n".encode("utf-16"), [(1, "früh"), (2, "spät")]),
        (codecs.BOM_UTF16_BE + "früh\n".encode("utf-16-be"), [(1, "früh")]),
        ("früh 😀\n".encode("utf-32"), [(1, "früh 😀")]),
        (codecs.BOM_UTF32_BE + "früh\n".encode("utf-32-be"), [(1, "früh")]),
        ("früh und spät\n".encode("utf-16-le"), [(1, "früh und spät")]),  # the mark is lost
        (codecs.BOM_UTF16_LE + "ok".encode("utf-16-le") + b"\x00", [(1, "ok\ufffd")]),  # cut in half
        (codecs.BOM_UTF16_LE, []),
        (codecs.BOM_UTF16_LE + b"o", [(1, "\ufffd")]),
        (b"one\nb\x00in\x00ary\ntwo\n", [(1, "one"), (2, "BAD"), (3, "two")]),
        (b"one message with a single \x00 inside\n", [(1, "one message with a single \0 inside")]),
        (gzip.compress(b"one\ntwo\n"), [(1, "one"), (2, "two")]),
        (gzip.compress("früh\n".encode("utf-16")), [(1, "früh")]),
        (gzip.compress(b"one\n") + gzip.compress(b"two\n"), [(1, "one"), (2, "two")]),
    ],
)
def test_lines_in_every_encoding(file: Path, data: bytes, expected: list[tuple[int, str]]) -> None:
    assert rows(read(file, "txt", data)) == expected


def test_a_utf16_file_as_windows_writes_it() -> None:
    assert rows(read(DATA / "utf16.txt", "txt")) == [(1, "Grüße aus Köln"), (2, "see you at lunch")]


def test_items_say_where_they_come_from_and_hide_their_text(file: Path) -> None:
    (item,) = read(file, "txt", "see you at lunch")
    assert item == Item(str(file), 1, None, "see you at lunch")
    assert "lunch" not in repr(item)


def test_a_line_too_long_to_hold_is_reported_and_passed_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LONGEST_ROW", 100)
    long = "x" * 3_000_000
    assert rows(read(file, "txt", f"one\n{long}\ntwo\n{long}")) == [(1, "one"), (2, "BAD"), (3, "two"), (4, "BAD")]
    assert rows(read(file, "jsonl", f'{long}\n{{"text": "two"}}')) == [(1, "BAD"), (2, "two")]
    assert rows(read(file, "csv", f"text\none\n{long}\ntwo")) == [(2, "one"), (3, "BAD"), (4, "two")]
    mbox = f"From a\nX: y\n\n{long}\n\nFrom b\nX: y\n\nshort\n\nFrom c\nX: y\n\n{'y' * 90}\n{'y' * 90}\n"
    assert rows(read(file, "mbox", mbox)) == [(1, "BAD"), (2, "short"), (3, "BAD")]
    with pytest.raises(UnreadableInputError, match="--input-format mbox"):
        read(file, "eml", mbox)


def test_a_message_of_fifty_megabytes_is_one_message(file: Path) -> None:
    text = "see you at lunch " * 3_100_000
    (item,) = read(file, "txt", text)
    assert isinstance(item, Item)
    assert len(item.text) == len(text) > 50_000_000
    (item,) = read(file, "csv", "text\n" + text)
    assert isinstance(item, Item)
    assert len(item.text) == len(text)


def test_reading_holds_one_row_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "big.txt"
    with file.open("w") as out:
        out.writelines(f"see you at lunch, number {i}, bring the orange bibs\n" for i in range(1_000_000))
    program = (
        "import resource, sys\n"
        "from sextortion_detect.inputs import read_source\n"
        "from sextortion_detect.sources import Source\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "n = sum(1 for _ in read_source(Source(sys.argv[1], 'txt')))\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    count, grown_kb = map(int, done.stdout.split())
    assert file.stat().st_size > 50_000_000
    assert count == 1_000_000
    assert grown_kb < 10_000


@pytest.mark.parametrize("mark", [b"\x89PNG\r\n", b"PK\x03\x04", b"%PDF-1.7", b"PAR1"])
def test_files_that_are_no_text_are_refused(file: Path, mark: bytes) -> None:
    with pytest.raises(UnreadableInputError, match="not text"):
        read(file, "txt", mark + bytes(100))


def test_damaged_gzip_gives_what_came_before(file: Path) -> None:
    lines = b"".join(b"line %d\n" % i for i in range(100_000))
    whole = gzip.compress(lines)
    file.write_bytes(whole[: len(whole) // 2])
    entries = read_source(Source(str(file), "txt"))
    assert isinstance(next(entries), Item)
    with pytest.raises(UnreadableInputError, match="damaged"):
        list(entries)
    broken = bytearray(whole)
    broken[200:220] = bytes(20)
    with pytest.raises(UnreadableInputError, match="damaged"):
        read(file, "txt", bytes(broken))
    with pytest.raises(UnreadableInputError, match="damaged"):
        read(file, "txt", b"\x1f\x8bnot really")


def test_a_missing_file_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"No such file.*check"):
        read(tmp_path / "gone", "txt")


def test_bytes_are_counted_before_decompression(file: Path) -> None:
    file.write_bytes(gzip.compress(b"see you at lunch\n" * 10_000))
    counted: list[int] = []
    assert len(list(read_source(Source(str(file), "txt"), on_bytes=counted.append))) == 10_000
    assert sum(counted) == file.stat().st_size


# --- jsonl --------------------------------------------------------------------------------------------------------


def test_jsonl_rows_good_and_bad(file: Path) -> None:
    lines = [
        '{"text": "one", "id": "a"}',
        '{"text": "two", "id": 7}',
        '{"text": "three", "id": ""}',
        '{"text": "four", "id": {"x": 1}}',
        "{broken",
        "",
        '["text"]',
        '{"body": "five"}',
        '{"text": 5}',
        '{"text": " "}',
        '{"text": "\\ud83d lone"}',
        "[" * 100_000,
        '{"text": "last"}',
    ]
    entries = read(file, "jsonl", "\n".join(lines))
    good = [(e.row, e.id, e.text) for e in entries if isinstance(e, Item)]
    assert good[:4] == [(1, "a", "one"), (2, "7", "two"), (3, None, "three"), (4, None, "four")]
    assert good[4:] == [(11, None, "\ud83d lone"), (13, None, "last")]
    bad = {e.row: e.reason for e in entries if isinstance(e, BadRow)}
    assert sorted(bad) == [5, 7, 8, 9, 12]
    assert "--text-column" in bad[8]
    assert not any("five" in reason or "broken {" in reason for reason in bad.values())


def test_jsonl_takes_another_field(file: Path) -> None:
    assert rows(read(file, "jsonl", '{"body": "one"}', column="body")) == [(1, "one")]


# --- csv ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_its_delimiter_by_the_column(file: Path, delimiter: str) -> None:
    lines = [["id", "Text", "x"], ["a", '"one, two; three | four"', ""], ["", "five", "", "more"]]
    entries = read(file, "csv", "\n".join(delimiter.join(line) for line in lines))
    assert [(e.row, e.id, e.text) for e in entries if isinstance(e, Item)] == [
        (2, "a", "one, two; three | four"),
        (3, None, "five"),
    ]


def test_csv_rows_good_and_bad(file: Path) -> None:
    data = 'n,text\n1,"two\nlines"\n\n2\n3,\n4,"said ""so"""\n'
    assert rows(read(file, "csv", data)) == [(2, "two\nlines"), (4, "BAD"), (6, 'said "so"')]


def test_csv_with_marks_and_odd_encodings(file: Path) -> None:
    assert rows(read(file, "csv", codecs.BOM_UTF8 + "text\nfrüh".encode())) == [(2, "früh")]
    assert rows(read(file, "csv", "text\r\nfrüh\r\n".encode("utf-16"))) == [(2, "früh")]
    assert rows(read(file, "csv", "text;n\nfrüh;1".encode("latin-1"))) == [(2, "früh")]
    assert rows(read(file, "csv", b"")) == []


def test_csv_takes_another_column_and_asks_for_it(file: Path) -> None:
    assert rows(read(file, "csv", "Body,n\none,1", column="body")) == [(2, "one")]
    with pytest.raises(UnreadableInputError, match="--text-column") as caught:
        read(file, "csv", "secret words,n\none,1")
    assert "secret" not in str(caught.value)


def test_an_unclosed_quote_in_csv_is_bad_but_not_fatal(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LONGEST_ROW", 200)
    data = 'text\none\n"never closed\n' + "filler filler\n" * 30
    entries = rows(read(file, "csv", data))
    assert entries[0] == (2, "one")
    assert (3, "BAD") in entries


# --- parquet ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(HAS_ARROW, reason="pyarrow is installed")
def test_parquet_without_pyarrow_says_what_to_install(file: Path) -> None:
    with pytest.raises(UnreadableInputError, match=r"pip install sextortion-detect\[arrow\]"):
        read(file, "parquet", b"PAR1")


def test_parquet_is_not_read_from_a_stream() -> None:
    with pytest.raises(UnreadableInputError, match="standard input"):
        list(read_source(Source("-", "parquet")))


@pytest.mark.skipif(not HAS_ARROW, reason="needs pyarrow")
def test_parquet_rows(file: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an optional package
    import pyarrow.parquet as pq  # noqa: PLC0415

    texts = pa.array([b"one", None, b" ", b"caf\xe9"]).view(pa.string())
    pq.write_table(pa.table({"text": texts, "id": ["a", "b", "c", "d"], "n": [1, 2, 3, 4]}), file)
    counted: list[int] = []
    entries = list(read_source(Source(str(file), "parquet"), on_bytes=counted.append))
    assert [(e.row, e.id, e.text) for e in entries if isinstance(e, Item)] == [(1, "a", "one"), (4, "d", "café")]
    assert sum(counted) == file.stat().st_size
    assert rows(read(file, "parquet", column="n")) == [(i, "BAD") for i in range(1, 5)]
    assert rows(read(file, "parquet", column="id"))[0] == (1, "a")
    with pytest.raises(UnreadableInputError, match="--text-column"):
        read(file, "parquet", column="body")
    with pytest.raises(UnreadableInputError, match="damaged"):
        read(file, "parquet", b"PAR1 but no more")


# --- mail ---------------------------------------------------------------------------------------------------------


def test_a_mail_is_one_message_and_its_broken_parts_are_told(file: Path) -> None:
    assert rows(read(file, "eml", b"Subject: lunch\r\n\r\nsee you\r\n")) == [(1, "lunch\n\nsee you")]
    assert rows(read(file, "eml", b"")) == []
    assert rows(read(file, "eml", b"X: y\n\n")) == []
    bad, item = read(DATA / "mail" / "broken_base64.eml", "eml")
    assert isinstance(bad, BadRow)
    assert "lunch" not in bad.reason
    assert isinstance(item, Item)


def test_an_mbox_is_cut_between_its_mails_only(file: Path) -> None:
    data = (
        "\nFrom a@example.com Mon Nov 16 08:00:00 2026\nSubject: one\n\nFirst.\n\nFrom now on you write.\n"
        ">From here on, quoted.\n\nFrom b@example.com\nSubject: two\n\n> From kept\n\n"
        "From c@example.com Mon Nov 16 08:00:00 2026\n\n"
    )
    assert rows(read(file, "mbox", data)) == [
        (1, "one\n\nFirst.\n\nFrom now on you write.\nFrom here on, quoted."),
        (2, "two\n\n> From kept\n\nFrom c@example.com Mon Nov 16 08:00:00 2026"),
    ]
    assert rows(read(file, "mbox", b"")) == []
    with pytest.raises(UnreadableInputError, match="--input-format eml"):
        read(file, "mbox", "Subject: no mbox\n\nhello")


# --- finding ------------------------------------------------------------------------------------------------------


def found(*paths: object, **options: object) -> list[Source | BadFile]:
    return list(find_sources([str(path) for path in paths], **options))  # type: ignore[arg-type]


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    names = [
        "b.txt",
        "a/z.JSONL",
        "a/y.csv.gz",
        "c.eml",
        "d.mbox",
        "e.png",
        ".hidden.txt",
        "f.tsv",
        "g.ndjson",
        "h.parquet",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "ring").symlink_to(tmp_path, target_is_directory=True)
    kinds = [(Path(s.path).relative_to(tmp_path).as_posix(), s.kind) for s in found(tmp_path) if isinstance(s, Source)]
    assert kinds == [
        ("a/y.csv.gz", "csv"),
        ("a/z.JSONL", "jsonl"),
        ("b.txt", "txt"),
        ("c.eml", "eml"),
        ("d.mbox", "mbox"),
        ("f.tsv", "csv"),
        ("g.ndjson", "jsonl"),
        ("h.parquet", "parquet"),
    ]
    assert len(found(tmp_path, exclude=tmp_path / "b.txt")) == 7
    assert len(found(tmp_path, exclude=tmp_path / "not there")) == 8


def test_named_files_and_standard_input_have_a_kind(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    (tmp_path / "empty").mkdir()
    assert found("-") == [Source("-", "txt")]
    assert found("-", input_format="csv") == [Source("-", "csv")]
    assert found(tmp_path / "log", input_format="txt") == [Source(str(tmp_path / "log"), "txt")]
    for path, hint in [
        (tmp_path / "log", "--input-format"),
        (tmp_path / "gone.txt", "no such"),
        (tmp_path / "empty", ".txt"),
    ]:
        (bad,) = found(path)
        assert isinstance(bad, BadFile)
        assert hint in bad.reason


@as_root
def test_what_may_not_be_read_is_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    (bad,) = found(closed)
    assert isinstance(bad, BadFile)
    assert "permissions" in bad.reason
    closed.chmod(0o700)


def test_a_folder_that_vanishes_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "sub").mkdir()
    entries = find_sources([str(tmp_path)])
    assert isinstance(next(entries), Source)
    (tmp_path / "sub").rmdir()
    (bad,) = entries
    assert isinstance(bad, BadFile)


def test_standard_input_is_read_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b'{"text": "one"}\n'))))
    assert rows(list(read_source(Source("-", "jsonl")))) == [(1, "one")]


# --- the examples -------------------------------------------------------------------------------------------------


def test_every_example_can_be_read_whole() -> None:
    sources = found(INBOX)
    assert len(sources) >= 14
    for source in sources:
        assert isinstance(source, Source)
        entries = list(read_source(source))
        assert entries
        assert all(isinstance(entry, Item) for entry in entries), source.path


def test_example_mails_decode_to_what_their_languages_look_like() -> None:
    text = {p.name: next(iter(read(p, "eml"))).text for p in INBOX.glob("*.eml")}  # type: ignore[union-attr]
    assert "cámara" in text["mail_es_base64.eml"]
    assert "enregistrée" in text["mail_fr_latin1.eml"]
    assert "Überweisen" in text["mail_de_html.eml"]
    assert "Garten" not in text["mail_de_html.eml"]
    assert "lista dei tuoi contatti" in text["mail_it_flowed.eml"]
    assert "câmera" in text["mail_pt_windows1252.eml"]
