"""Where a process that pulls takes its memory from: it makes and drops pages of megabytes in several threads, which allocators else keep for ever."""

import ctypes
from functools import cache

import pyarrow as pa

_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 18


@cache
def use_system_memory() -> None:
    """Take Arrow's memory from the system, and with glibc let blocks of 256 KiB and more be mapped by themselves.

    The threshold that glibc would otherwise raise by itself stays where it is; other systems' allocators are left alone. Once in a process.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
