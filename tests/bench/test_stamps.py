"""Stamps: every chunk tells its time, merged into one frame or not."""

from tests.bench.stamps import chunk, now_us, stamps


def test_every_chunk_of_a_merged_frame_tells_its_time() -> None:
    before = now_us()
    frame = f'id: 1-2\ndata: {{"type":"chunk","content":"{chunk()}{chunk()}"}}\n\n'
    assert len(stamps(frame.encode())) == 2
    assert all(before <= stamp <= now_us() for stamp in stamps(frame.encode()))


def test_a_frame_without_chunks_tells_none() -> None:
    assert stamps(b': ping\nid: 1-0\ndata: {"type":"metadata","prompt":"@ noon;"}\n\n') == []
