"""Text generators: the strings that break text code, and strings near the ones the model cares about."""

from hypothesis import strategies as st

_TELLING = [
    "pay", "video", "i have", "your wife", "€300", "send", "10 minutes", "\u200b", "<b>", "&amp;", "> ", "📸", "ｐａｙ",
    "wаllet", "s e n d", "p4y", "kkkk", "вышлю", "फोटो", "录屏了", "\n", "'", "\"", "@name", "60%", "bc1q" + "x" * 38,
    "\ud800", "İ", "ß", "ﷺ", "a\u0301", "🏳️‍🌈",
]  # fmt: skip

any_text = st.text(max_size=200)
telling_text = st.lists(st.sampled_from(_TELLING) | st.text(max_size=8), max_size=30).map(" ".join)
long_text = st.builds(lambda t, n: t * n, telling_text, st.integers(1, 40))
texts = any_text | telling_text | long_text
