"""Random numbers that depend on what they are for, not on when they are drawn: a hash of (seed, thing, day, stream)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(words: Words) -> Words:
    """Scramble 64-bit words (splitmix64's finaliser)."""
    with np.errstate(over="ignore"):
        z = words + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _FIRST
        z = (z ^ (z >> np.uint64(27))) * _SECOND
        return z ^ (z >> np.uint64(31))


class Noise:
    """Noise for a matrix of days (rows) by things (columns)."""

    def __init__(self, seed: int, days: NDArray[np.int64], things: NDArray[np.int64]) -> None:
        start = mix(np.array([seed], dtype=np.uint64))
        self._things = mix(things.astype(np.uint64) ^ start)
        self._grid = mix(self._things[None, :] ^ mix(days.astype(np.uint64))[:, None])

    def uniform(self, stream: int) -> Floats:
        """Return numbers in [0, 1), one for each day and thing."""
        return _unit(mix(self._grid ^ mix(np.array([stream], dtype=np.uint64))))

    def each(self, stream: int) -> Floats:
        """Return numbers in [0, 1), one for each thing, the same on all days."""
        return _unit(mix(self._things ^ mix(np.array([stream + 1000], dtype=np.uint64))))

    def normal(self, stream: int) -> Floats:
        """Return standard normal numbers (Box and Muller), one for each day and thing."""
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(stream)))
        turned: Floats = radius * np.cos(2 * np.pi * self.uniform(stream + 1))
        return turned


def _unit(words: Words) -> Floats:
    return (words >> np.uint64(11)).astype(np.float64) / float(1 << 53)
