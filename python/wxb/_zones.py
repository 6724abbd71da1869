"""Time zones, for frames whose columns hold instants and the name of a zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

#: Seconds in which no zone changes its clocks: they do so at a quarter of an hour.
_QUARTER = 900
#: The quarters that a datetime reaches, in every zone.
_FIRST, _LAST = (int(datetime(year, 1, 2, tzinfo=timezone.utc).timestamp()) // _QUARTER for year in (1, 9999))


def seconds_ahead(seconds: Any, zone: str) -> list[int]:
    """How far the clocks of a zone are ahead of UTC at some instants, in seconds since 1970."""
    clocks = _zone(zone)
    quarters, places = np.unique(np.asarray(seconds) // _QUARTER, return_inverse=True)
    ahead = np.array([_ahead(clocks, quarter) for quarter in quarters.tolist()], dtype=np.int64)
    found: list[int] = ahead[places].tolist()
    return found


def _zone(name: str) -> tzinfo:
    if name[:1] in ("+", "-"):
        digits = name[1:].replace(":", "").ljust(4, "0")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
        return timezone(-ahead if name[0] == "-" else ahead)
    try:
        return timezone.utc if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"the time zone {name!r} is not known here: install the package tzdata, or take the zone off the column, so that it "
            "holds the time of the place"
        ) from None


def _ahead(clocks: tzinfo, quarter: int) -> int:
    # What stands in place of a missing instant may be any number.
    if not _FIRST <= quarter <= _LAST:
        return 0
    offset = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=quarter * _QUARTER)
    return int(offset.astimezone(clocks).utcoffset().total_seconds())  # type: ignore[union-attr]
