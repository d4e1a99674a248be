"""The server waits on descriptors of any number: an engine with many parts holds thousands of them."""

import os
import resource
from collections.abc import Iterator

import pytest

from warehouse.embedded.waiting import readable, writable

HIGH = 1_500
"""Above what select() knows."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HIGH + 2), hard))
    reader, writer = os.pipe()
    ends = os.dup2(reader, HIGH), os.dup2(writer, HIGH + 1)
    os.close(reader)
    os.close(writer)
    os.set_blocking(ends[1], False)
    yield ends
    for end in ends:
        os.close(end)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_descriptor_above_1023_is_waited_for(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert readable(reader, seconds=0) == []
    assert writable(writer, seconds=1)
    os.write(writer, b"x")
    assert readable(reader, seconds=1) == [reader]


def test_a_full_pipe_is_not_writable(pipe: tuple[int, int]) -> None:
    _, writer = pipe
    while writable(writer, seconds=0):
        os.write(writer, b"x" * 4096)
    assert not writable(writer, seconds=0)
