"""How far people watch the ads that are videos: shares of ours, the same for an ad for ever."""

from zlib import crc32

import polars as pl


def is_video(ad_name: str) -> bool:
    """Tell by its name whether an ad shows a video."""
    return "vide" in ad_name.lower() or "видео" in ad_name.lower()


def with_plays(rows: pl.DataFrame) -> pl.DataFrame:
    """Add 3-second plays (`plays`) and ThruPlays (`thruplays`) of video ads, 0 for others; rows without any video stay as they are."""
    ads = rows.select("ad_id", "ad_name").unique().iter_rows()
    watched = {ad_id: crc32(ad_id.encode()) for ad_id, name in ads if ad_id and is_video(name)}
    if not watched:
        return rows
    hooked = pl.col("ad_id").replace_strict({ad: 18 + number % 20 for ad, number in watched.items()}, default=0, return_dtype=pl.Int64)
    held = pl.col("ad_id").replace_strict({ad: 12 + number // 20 % 25 for ad, number in watched.items()}, default=0, return_dtype=pl.Int64)
    return rows.with_columns((pl.col("impressions") * hooked // 100).alias("plays")).with_columns((pl.col("plays") * held // 100).alias("thruplays"))
