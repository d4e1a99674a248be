"""Content hashes of slices: independent of row order, page borders, processes, machines and library versions.

Nothing here is a library's own hash. Strings go through a fixed 64-bit word hash (blake2b above 256 bytes), every column
value is multiplied by an odd key made of the column's name and type, rows are mixed once more and summed per date in two
independent 64-bit lanes. Equal rows in any order give equal sums; a changed, missing, doubled or swapped value does not.
"""

from collections.abc import Callable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.catalogue import Column, ColumnType, Report

Words = npt.NDArray[np.uint64]

LONG = 256
"""Strings of more bytes are hashed by blake2b, shorter ones eight bytes at a time over all rows at once."""
BLOCK = 16_384
"""Rows mixed at a time, so that the working arrays stay in the processor's cache."""


def _constant(text: str) -> np.uint64:
    """Derive an odd 64-bit constant from a text."""
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") | 1)


NULL = _constant("null")
EMPTY_HASH = "0" * 32
"""The content hash of a slice without rows."""
_LANES = 2
_STRING_SEEDS = tuple(_constant(f"string seed {lane}") for lane in range(_LANES))
_STRING_KEYS = tuple(_constant(f"string key {lane}") for lane in range(_LANES))
_ROW_SEEDS = tuple(_constant(f"row seed {lane}") for lane in range(_LANES))
_TAIL_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_S29, _S30, _S27, _S31, _S32 = (np.uint64(n) for n in (29, 30, 27, 31, 32))
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _splitmix(words: Words) -> Words:
    """Mix 64-bit words in place so that every input bit reaches every output bit."""
    words ^= words >> _S30
    words *= _M1
    words ^= words >> _S27
    words *= _M2
    words ^= words >> _S31
    return words


def _string_words(array: pa.StringArray) -> tuple[Words, Words]:
    """Hash each string (no nulls) into two words, all strings at once and eight bytes a step."""
    count = len(array)
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype="<i4", count=count + 1, offset=4 * array.offset).astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    data = np.zeros(last - first + 8, dtype=np.uint8)
    if last > first:
        data[:-8] = np.frombuffer(data_buffer, dtype=np.uint8, count=last - first, offset=first)
    lengths = np.diff(offsets)
    order = np.argsort(-np.minimum(lengths, LONG + 1), kind="stable")
    starts, left = (offsets[:-1] - first)[order], lengths[order]
    long = int(np.searchsorted(-left, -LONG, side="left"))
    lanes = np.array([left.astype(np.uint64) * key ^ seed for key, seed in zip(_STRING_KEYS, _STRING_SEEDS, strict=True)])
    for row in range(long):
        digest = blake2b(data[starts[row] : starts[row] + left[row]].tobytes(), digest_size=16).digest()
        lanes[:, row] = np.frombuffer(digest, dtype="<u8")
    _eat_short(np.ndarray((len(data) - 7,), "<u8", data, strides=(1,)), starts[long:], left[long:], lanes[:, long:])
    result = np.empty_like(lanes)
    result[:, order] = lanes
    return _splitmix(result[0]), _splitmix(result[1])


def _eat_short(words_at: Words, starts: npt.NDArray[np.int64], left: npt.NDArray[np.int64], lanes: Words) -> None:
    """Fold strings of at most LONG bytes, longest first, into their lanes."""
    position = 0
    active = len(starts)
    while active:
        active = int(np.searchsorted(-left[:active], -position, side="left"))
        if not active:
            return
        words = words_at[starts[:active] + position] & _TAIL_MASKS[np.minimum(left[:active] - position, 8)]
        for lane in range(_LANES):
            state = lanes[lane, :active]
            state ^= words
            state *= _STRING_KEYS[lane]
            state ^= state >> _S29
        position += 8


def _fixed_words(array: pa.Array, kind: ColumnType) -> Words:
    """Return one word per value of a fixed-width column; what stands under a null is arbitrary."""
    count, offset = len(array), array.offset
    if kind is ColumnType.BOOLEAN:
        return np.asarray(array.cast(pa.uint8()).fill_null(0)).astype(np.uint64)
    buffer = array.buffers()[1]
    if kind is ColumnType.DATE:
        return np.frombuffer(buffer, dtype="<i4", count=count, offset=4 * offset).astype(np.int64).view(np.uint64)
    if kind is ColumnType.INTEGER:
        return np.frombuffer(buffer, dtype="<u8", count=count, offset=8 * offset)
    pairs = np.frombuffer(buffer, dtype="<u8", count=2 * count, offset=16 * offset).reshape(count, 2)
    return np.ascontiguousarray(pairs[:, 0])  # decimal128(18, 6): the upper word only repeats the sign


def _column_words(array: pa.Array, column: Column) -> tuple[Words, Words]:
    """Return two words per value; a null gets a word of its own."""
    if column.type is ColumnType.STRING:
        return _encoded_strings(array)
    words = _fixed_words(array, column.type)
    if array.null_count:
        words = np.where(np.asarray(array.is_valid()), words, NULL)
    return words, words


def _encoded_strings(array: pa.Array) -> tuple[Words, Words]:
    encoded = array.dictionary_encode()
    lanes = _string_words(encoded.dictionary)
    if not array.null_count:
        index = np.asarray(encoded.indices)
        return lanes[0][index], lanes[1][index]
    index = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)))
    return np.append(lanes[0], NULL)[index], np.append(lanes[1], NULL)[index]


class SliceHasher:
    """Hash the rows of one load per date of its window, page by page.

    `dates` slices are numbered from 0 (the window's first date). `add` takes rows that already have the report's schema.
    """

    def __init__(self, report: Report, dates: int) -> None:
        self._columns = report.columns
        self._key = {*report.key, *([report.date_column] if report.date_column else [])}
        self._keys = {c.name: tuple(_constant(f"{c.name} {c.type} {lane}") for lane in range(_LANES)) for c in report.columns}
        self._sums = np.zeros((_LANES, dates), dtype=np.uint64)
        self._schema = blake2b(repr(sorted((c.name, str(c.type)) for c in report.columns)).encode(), digest_size=16).digest()
        self.counts = np.zeros(dates, dtype=np.int64)

    def add(self, rows: pa.Table, slices: npt.NDArray[np.uint16]) -> Words:
        """Add rows, each with the number of its date; return a word per row that stands for its natural key."""
        lanes = np.empty((_LANES, len(rows)), dtype=np.uint64)
        for lane, seed in enumerate(_ROW_SEEDS):
            lanes[lane] = seed
        keys = np.zeros(len(rows), dtype=np.uint64)
        for column in self._columns:
            words = _column_words(_contiguous(rows.column(column.name)), column)
            _fold(words, self._keys[column.name], lanes, keys if column.name in self._key else None)
        _blocks(len(rows), lambda part: (_splitmix(lanes[0, part]), _splitmix(lanes[1, part]), _splitmix(keys[part])))
        self._sum(lanes, slices)
        return keys

    def digest(self, number: int) -> str:
        """Return the hash of one slice as 32 hexadecimal digits; every empty slice has the same."""
        if not self.counts[number]:
            return EMPTY_HASH
        state = blake2b(self._schema, digest_size=16)
        state.update(self._sums[:, number].astype("<u8").tobytes() + int(self.counts[number]).to_bytes(8, "little"))
        return state.hexdigest()

    def _sum(self, lanes: Words, slices: npt.NDArray[np.uint16]) -> None:
        """Add the rows' words to the sums of their dates, modulo 2^64."""
        if not len(slices):
            return
        if len(slices) > 1 and not bool((slices[1:] >= slices[:-1]).all()):
            order = np.argsort(slices, kind="stable")
            slices, lanes = slices[order], lanes[:, order]
        borders = np.flatnonzero(np.concatenate(([True], slices[1:] != slices[:-1])))
        present = slices[borders]
        self._sums[:, present] += np.add.reduceat(lanes, borders, axis=1)
        self.counts[present] += np.diff(np.append(borders, len(slices)))


def _contiguous(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _blocks(rows: int, work: Callable[[slice], object]) -> None:
    for start in range(0, rows, BLOCK):
        work(slice(start, start + BLOCK))


def _fold(words: tuple[Words, Words], column_keys: tuple[np.uint64, ...], lanes: Words, keys: Words | None) -> None:
    """Add one column's words, multiplied by the column's keys, to the row lanes and, for key columns, to the key words."""

    def fold(part: slice) -> None:
        for lane in range(_LANES):
            product = words[lane][part] * column_keys[lane]
            product ^= product >> _S32
            lanes[lane, part] += product
            if lane == 0 and keys is not None:
                keys[part] += product

    _blocks(lanes.shape[1], fold)
