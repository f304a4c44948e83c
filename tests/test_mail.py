import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from sextortion_detect.mail import decode_text, read_mail
from sextortion_detect.visible import visible_text

MAILS = Path(__file__).parent / "data" / "mail"


def body(text: bytes, headers: bytes = b"Content-Type: text/plain") -> str:
    return "\n".join(read_mail(headers + b"\n\n" + text).bodies)


def alternative(plain: str, rich: str) -> tuple[str, ...]:
    mail = EmailMessage()
    mail.set_content(plain)
    mail.add_alternative(rich, subtype="html")
    return read_mail(bytes(mail)).bodies


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("früh".encode(), None, "früh"),
        (b"\xef\xbb\xbfmarked", None, "marked"),
        ("früh".encode(), "iso-8859-1", "früh"),  # declared Latin, is UTF-8
        ("früh".encode("latin-1"), "iso-8859-1", "früh"),
        ("früh".encode("latin-1"), "utf-8", "früh"),
        ("пока".encode("koi8-r"), "koi8-r", "пока"),
        (b"\x80 10", "iso-8859-1", "€ 10"),  # as browsers read it
        (b"\xff\xfe" + "früh".encode("utf-16-le"), None, "früh"),
        (b"\xff\xfeo\x00k\x00!", "ascii", "ok\ufffd"),  # cut in half
        ("Grüße aus K".encode() + b"\xc3", None, "Grüße aus K\ufffd"),  # mostly UTF-8
        (b"caf\xe9 \x81", None, "café \ufffd"),
        (b"plain", "x-unknown", "plain"),
        (b"plain", "hex", "plain"),  # a codec, but no charset
        (b"plain", "punycode", "plain"),
        (b"plain", "a\0b", "plain"),
        (b"\xe9", "utf-16", "é"),  # declared, but does not fit
        (b"", None, ""),
    ],
)
def test_bytes_are_decoded_by_the_first_charset_that_fits(data: bytes, charset: str | None, text: str) -> None:
    assert decode_text(data, charset) == text


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: plain words", "plain words"),
        (b"subject: =?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        (b"Subject: =?iso-8859-1?Q?caf=E9?=\n =?utf-8?Q?_und_Tee?=", "café und Tee"),
        (b"Subject: folded\n  line", "folded line"),
        (b"Subject: =?x-nobody?Q?still_read?=", "still read"),
        (b"Subject: =?utf-8?B?abcde?=", "=?utf-8?B?abcde?="),  # broken: stays as it is
        (b"Subject: caf\xe9 raw", "café raw"),
        ("Subject: Grüße roh".encode(), "Grüße roh"),
        (b"From: nobody", ""),
        (b"Subject: " + b"a " * 50_000, ("a " * 2_000).strip()),  # cut
    ],
)
def test_subjects_are_decoded(raw: bytes, subject: str) -> None:
    assert read_mail(raw + b"\n\nbody").subject == subject


def test_subject_and_body_make_the_text_and_stay_out_of_the_repr() -> None:
    mail = read_mail(b"Subject: one\n\ntwo")
    assert mail.text == "one\n\ntwo"
    assert "one" not in repr(mail)
    assert "two" not in repr(mail)


def test_a_wrong_charset_does_not_hurt_and_quotes_stay() -> None:
    mail = read_mail((MAILS / "wrong_charset.eml").read_bytes())
    assert mail.subject == "café über"
    assert mail.bodies == ("déjà vu\n> old line",)
    assert mail.broken == 0


@pytest.mark.parametrize(
    ("encoding", "data", "text", "broken"),
    [
        (b"quoted-printable", b"caf=C3=A9 soft=\n line =ZZ", "café soft line =ZZ", 0),
        (b"base64", b"c2VlIHlvdQ==", "see you", 0),
        (b"base64", b"c2VlIHlvdQ", "see you", 1),  # padding lost
        (b"base64", b"c2Vl!IHlvdQ==", "see you", 1),
        (b"x-nobody-knows", b"as it is", "as it is", 0),
        (b"8bit", "früh".encode(), "früh", 0),
    ],
)
def test_transfer_encodings(encoding: bytes, data: bytes, text: str, broken: int) -> None:
    mail = read_mail(
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " + encoding + b"\n\n" + data
    )
    assert mail.bodies == (text,)
    assert mail.broken == broken


def test_base64_of_an_impossible_length_gives_what_it_can() -> None:
    mail = read_mail((MAILS / "broken_base64.eml").read_bytes())
    assert mail.bodies[0].startswith("see you at lunch")
    assert mail.broken == 1


def test_only_what_is_shown_is_read() -> None:
    text = read_mail((MAILS / "hidden_text.eml").read_bytes()).bodies[0]
    for number in ("one", "two", "three", "four", "five", "six", "seven"):
        assert f"shown {number}" in text
    for hidden in ["T1", "S1", "S2", "C1", "C2", *(f"H{n}" for n in range(1, 12))]:
        assert hidden not in text, hidden
    assert "shown one & all" in text.splitlines()
    assert "> an old line\n> > an older line\nonly indented\nlast line" in text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("no markup at all", "no markup at all"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("cut <a href='x", "cut a href='x"),
        ("open <!-- never closed", "open never closed"),
        ("a<style>b", "a"),
        ("a<![CDATA[b]]>c", "ac"),
        ("a<![endless", "a ![endless"),
        ("&lt;b&gt; &#65;", "<b> A"),
        ("<p style='font-size:medium;color:inherit;font-size'>a", "a"),
        ("<p style='font-size:0'>a<b style='font-size:large'>b", "b"),
        ("<p style='color:#zzzzzz;background:none'>a", "a"),
        ("<p style='color:rgb(1,2)'>a", "a"),
        ("<p style='color:#ff'>a", "a"),
        ("<p style='color:white;background:url(x.png)'>a", "a"),
        ("<p style='background:#fff url(x.png);color:transparent'>a", ""),
        ("<script>" + "x" * 200_000 + "</script>a", "a"),
        ("<img src='data:" + "A" * 200_000 + "'>a", "a"),
        ("<img src='data:" + "A" * 200_000, ""),
        ("<!-- " + "x" * 200_000 + " -->a", "a"),
    ],
)
def test_odd_markup(markup: str, text: str) -> None:
    assert visible_text(markup) == text


def test_forwarded_mails_are_read_and_attachments_are_not() -> None:
    mail = read_mail((MAILS / "forwarded.eml").read_bytes())
    flowed = "a soft line\n>> quoted soft line\n> other depth\n-- \nsignature"
    assert mail.bodies == (flowed, "inner subject", "inner body that counts")


def test_flowed_lines_keep_their_spaces_without_delsp() -> None:
    flowed = b"Content-Type: text/plain; format=flowed"
    assert body(b"one \ntwo\n three", flowed) == "one two\nthree"


def test_the_plain_part_is_preferred_unless_it_says_something_else() -> None:
    assert alternative("see you at lunch\n", "<p>see you at lunch</p>") == ("see you at lunch",)
    assert alternative("\n", "<p>see you at lunch</p>") == ("see you at lunch",)
    assert alternative("see you at lunch\n", "<img src='cid:1'>") == ("see you at lunch",)
    assert alternative("View this in HTML.\n", "<p>the true message is here</p>") == ("the true message is here",)
    decoy = alternative("The weather is mild and the garden is fine.\n", "<p>another message entirely</p>")
    assert len(decoy) == 2


def test_inline_text_files_are_read_and_calendars_are_not() -> None:
    assert body(b"shown", b"Content-Type: text/plain\nContent-Disposition: inline; filename=a.txt") == "shown"
    assert body(b"BEGIN:VCALENDAR", b"Content-Type: text/calendar") == ""
    assert body(b"data", b"Content-Type: application/octet-stream") == ""


def test_a_multipart_without_its_boundary_is_read_raw() -> None:
    mail = read_mail(b"Content-Type: multipart/mixed; boundary=x\n\nno boundary here")
    assert mail.bodies == ("no boundary here",)
    assert mail.broken == 1


def test_nesting_is_followed_only_so_far() -> None:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(60))
    assert read_mail(levels + b"\ndeep").broken == 1


def test_a_mail_that_breaks_every_parser_is_read_raw() -> None:
    mail = read_mail(b"Content-Type: message/rfc822\n\n" * 3_000 + b"see you at lunch")
    assert mail.text.endswith("see you at lunch")
    assert mail.broken == 1


def test_a_mail_of_nothing_but_a_header_is_empty() -> None:
    assert read_mail(b"").text == ""
    assert read_mail(b"Subject: only").text == "only"


HOSTILE_MARKUP = [
    "<!--",
    "<a ",
    '<a x="',
    "<!",
    "<![CDATA[",
    "<?",
    "</",
    "&#",
    "<div>",
    "<p hidden>",
    "</b>",
    "<script>",
]


@pytest.mark.parametrize("tail", ["", ">"])
@pytest.mark.parametrize("piece", HOSTILE_MARKUP)
def test_hostile_markup_takes_linear_time(piece: str, tail: str) -> None:
    started = time.perf_counter()
    visible_text(piece * (300_000 // len(piece)) + tail)
    assert time.perf_counter() - started < 10  # linear: under one second; quadratic: minutes


HOSTILE_MAILS = [
    b"Subject: " + b"=?utf-8?q?x?= " * 20_000 + b"\n\nx",
    b"Content-Type: text/plain; " + b"(" * 300_000 + b"\n\nx",
    b"Content-Type: text/plain; " + b"a=b;" * 75_000 + b"\n\nx",
    b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhi\n" * 20_000,
    b"Content-Type: multipart/mixed; boundary=x\n\n"
    + b"".join(b"--x\nContent-Type: text/plain; n%d=1" % i + b"; a*0=b" * 60 + b"\n\nhi\n" for i in range(400)),
]


@pytest.mark.parametrize("data", HOSTILE_MAILS, ids=range(len(HOSTILE_MAILS)))
def test_hostile_mails_take_linear_time(data: bytes) -> None:
    started = time.perf_counter()
    read_mail(data)
    assert time.perf_counter() - started < 20


def test_damaged_copies_of_real_mails_never_raise() -> None:
    for path in sorted(MAILS.glob("*.eml")):
        data = path.read_bytes()
        for cut in range(0, len(data), 23):
            read_mail(data[:cut])
            read_mail(data[:cut] + b"\xff\0=?" + data[cut + 5 :])
