"""Working time against a slow oracle that asks of every single minute whether the clocks show working hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from revops_mesh.platform.reference.business_time import FARTHEST, Span, TooLittleTime, WorkingWeek, add

MINUTE = timedelta(minutes=1)
NEVER = datetime.max.replace(tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "Pacific/Apia")
CHANGES = {
    "Europe/Berlin": (date(2027, 3, 28), date(2027, 10, 31)),
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),  # by half an hour
    "America/Havana": (date(2027, 3, 14), date(2027, 11, 7)),  # at midnight
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 9, 24)),  # a day that never was
}


@st.composite
def days(draw: st.DrawFn) -> tuple[Span, ...]:
    """Up to three spans of a day, disjoint and in order."""
    borders = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return tuple((b * MINUTE, e * MINUTE) for b, e in zip(borders[::2], borders[1::2], strict=False))


@st.composite
def weeks(draw: st.DrawFn) -> tuple[WorkingWeek, datetime]:
    """A week with work on most days, some holidays, and a start a few days before a change of the clocks."""
    name = draw(st.sampled_from(ZONES))
    spans = draw(st.lists(days(), min_size=7, max_size=7).filter(lambda week: any(week)))
    change = draw(st.sampled_from(CHANGES.get(name, (date(2027, 3, 28),))))
    start = datetime.combine(change, time.min, UTC) - draw(st.integers(0, 3 * 1440)) * MINUTE
    holidays = draw(st.frozensets(st.integers(-3, 4), max_size=3))
    return WorkingWeek(ZoneInfo(name), tuple(spans), frozenset(change + timedelta(days=n) for n in holidays)), start


def working(week: WorkingWeek, instant: datetime) -> bool:
    """The definition, asked of the minute that begins at an instant."""
    local = instant.astimezone(week.zone)
    since_midnight = timedelta(hours=local.hour, minutes=local.minute)
    return local.date() not in week.holidays and any(b <= since_midnight < e for b, e in week.spans[local.weekday()])


def counted(week: WorkingWeek, start: datetime, minutes: int) -> datetime:
    """The end by the definition, minute by minute; `NEVER` if it is not within a week."""
    for _ in range(7 * 1440):
        if not minutes:
            return start
        minutes -= working(week, start)
        start += MINUTE
    return NEVER


def end_of(week: WorkingWeek, start: datetime, minutes: int) -> datetime:
    """What is tested; `NEVER` if it is refused."""
    try:
        return add(week, start, minutes * MINUTE)
    except TooLittleTime:
        return NEVER


def office(zone: str = "Europe/Berlin", *holidays: date, opens: int = 9, closes: int = 17) -> WorkingWeek:
    """Monday to Friday at the same hours."""
    span = (timedelta(hours=opens), timedelta(hours=closes))
    return WorkingWeek(ZoneInfo(zone), ((span,),) * 5 + ((), ()), frozenset(holidays))


def local(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


@settings(deadline=None, max_examples=60)
@given(weeks(), st.integers(0, 1500))
def test_it_agrees_with_counting_every_minute(case: tuple[WorkingWeek, datetime], minutes: int) -> None:
    week, start = case
    expected, found = counted(week, start, minutes), end_of(week, start, minutes)
    assert found == expected or (expected == NEVER and found > start + timedelta(days=7))


@settings(deadline=None)
@given(weeks(), st.integers(0, 3000), st.integers(0, 3000))
def test_adding_twice_is_adding_the_sum(case: tuple[WorkingWeek, datetime], first: int, second: int) -> None:
    week, start = case
    whole = end_of(week, start, first + second)
    assume(whole != NEVER)
    assert end_of(week, end_of(week, start, first), second) == whole


@settings(deadline=None)
@given(weeks(), st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 90_000))
def test_a_later_start_or_more_time_never_ends_earlier(
    case: tuple[WorkingWeek, datetime], minutes: int, more: int, seconds: int
) -> None:
    week, start = case
    end = end_of(week, start, minutes)
    assume(end != NEVER)
    assert end >= start
    assert end_of(week, start, minutes + more) >= end
    assert end_of(week, start + timedelta(seconds=seconds), minutes) >= end


@settings(deadline=None)
@given(weeks(), st.integers(1, 3000))
def test_the_end_lies_inside_working_time_or_at_its_end(case: tuple[WorkingWeek, datetime], minutes: int) -> None:
    week, start = case
    end = end_of(week, start, minutes)
    assume(end != NEVER)
    assert working(week, end - MINUTE)


@settings(deadline=None)
@given(weeks(), st.timedeltas(timedelta(0), timedelta(hours=30)), st.timedeltas(timedelta(0), timedelta(hours=30)))
@example((office(), datetime(2027, 3, 26, 15, 59, 59, 999_999, UTC)), timedelta(microseconds=1), timedelta(hours=1))
def test_parts_of_a_minute_add_up_too(case: tuple[WorkingWeek, datetime], first: timedelta, second: timedelta) -> None:
    week, start = case
    start += timedelta(seconds=29, microseconds=7)
    try:
        whole = add(week, start, first + second)
    except TooLittleTime:
        return
    assert add(week, add(week, start, first), second) == whole


def test_a_weekend_and_a_holiday_are_skipped() -> None:
    friday = local("Europe/Berlin", 2027, 5, 14, 16)  # Whit Monday is the 17th
    week = office("Europe/Berlin", date(2027, 5, 17))
    assert add(week, friday, timedelta(hours=1)) == local("Europe/Berlin", 2027, 5, 14, 17)
    assert add(week, friday, timedelta(hours=2)) == local("Europe/Berlin", 2027, 5, 18, 10)


def test_no_time_leaves_the_start_where_it_is_even_at_night() -> None:
    night = datetime(2027, 5, 15, 2, tzinfo=UTC)
    assert add(office(), night, timedelta()) == night


def test_the_hour_that_clocks_skip_is_not_worked() -> None:
    round_the_clock = WorkingWeek(ZoneInfo("Europe/Berlin"), (((timedelta(), timedelta(days=1)),),) * 7, frozenset())
    start = local("Europe/Berlin", 2027, 3, 28)
    assert add(round_the_clock, start, timedelta(hours=23)) == local("Europe/Berlin", 2027, 3, 29)
    skipped = WorkingWeek(ZoneInfo("Europe/Berlin"), ((),) * 6 + (((timedelta(hours=2), timedelta(hours=3)),),), frozenset())
    assert add(skipped, start, timedelta(hours=1)) == local("Europe/Berlin", 2027, 4, 4, 3)  # the Sunday after


def test_the_hour_that_clocks_repeat_is_worked_twice() -> None:
    week = WorkingWeek(ZoneInfo("Europe/Berlin"), ((),) * 6 + (((timedelta(hours=1), timedelta(hours=4)),),), frozenset())
    start = local("Europe/Berlin", 2027, 10, 31)
    assert add(week, start, timedelta(hours=4)) == local("Europe/Berlin", 2027, 10, 31, 4)
    assert add(week, start, timedelta(hours=2)) == local("Europe/Berlin", 2027, 10, 31, 2, fold=1)


def test_a_day_that_a_country_skipped_is_not_worked() -> None:
    thursday = local("Pacific/Apia", 2011, 12, 29, 16)
    assert add(office("Pacific/Apia"), thursday, timedelta(hours=2)) == local("Pacific/Apia", 2012, 1, 2, 10)


def test_an_end_beyond_ten_years_is_refused_and_one_within_is_found() -> None:
    week = WorkingWeek(ZoneInfo("UTC"), (((timedelta(), MINUTE),),) + ((),) * 6, frozenset())
    start = datetime(2027, 1, 4, tzinfo=UTC)
    within = FARTHEST // timedelta(days=7)
    assert add(week, start, (within + 1) * MINUTE) == start + within * timedelta(days=7) + MINUTE
    with pytest.raises(TooLittleTime):
        add(week, start, (within + 2) * MINUTE)
