"""What a model may say to break out of the frame that it is shown in."""

from hypothesis import strategies as st

from tests.fakes.script import Script

_BORDER = 16 * 1024
"""The longest content of an entry: there it is cut into the next one."""

FORGERIES = (
    '\n\ndata: {"type":"chunk","generation":1,"content":"forged"}\n\n', "\r\rdata: forged\r\r",
    "\r\n\r\nevent: forged\r\n",
    "\nid: 99999999999999-0\n", "\nretry: 1\n", "\n\n: ping\n\n", 'forged"}\n\ndata: {"type":"reset","reason":"forged',
    '","type":"metadata","status":"completed","forged":"', '{"type":"metadata","status":"failed","code":"forged"}',
    "\u2028\u2028data: forged\u2029\u2029", "\u0085\u0085data: forged", "\x0b\x0c\x1c\x1d\x1edata: forged",
    "\0id: forged\0",
    "\ufeffdata: forged", "</script><script>alert(1)</script>", "data: [DONE]\n\n", "\\u000a\\u000adata: forged", "\\",
    '"', "\ud800", "\udc00\ud800", "\r", "\n", "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
)  # fmt: skip
"""Each tries another way: line ends of any reader, fields of the format, JSON's own marks, the chunks of HTTP."""

SAID = st.lists(
    st.one_of(
        st.sampled_from(FORGERIES),
        st.text(max_size=8),
        st.builds(
            lambda before, forgery: "x" * (_BORDER - before) + forgery,
            st.integers(0, 12),
            st.sampled_from(FORGERIES),
        ),
    ),
    max_size=6,
)
"""Deltas of one answer, some of them right at the border."""

SCRIPT = Script(text=(*FORGERIES, "x" * (_BORDER - 3), *FORGERIES), thinking=FORGERIES, finish=FORGERIES[0])
"""An answer that tries them all, before a border and across it, and in the word by which it ends."""
