"""Legal entities, exchange rates and business calendars through the whole pipeline."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import given
from hypothesis import strategies as st
from revops.platform.v1 import reference_pb2 as pb

from revops_mesh.kernel.errors import BadField, Broken
from revops_mesh.platform.reference.domain import BusinessCalendar, ExchangeRate, LegalEntity, pair_day
from revops_mesh.platform.reference.values import zone
from tests.world import FREE, Caller, World

MONDAY_TO_FRIDAY = [pb.WorkingHours(weekday=n, start_minute=540, end_minute=1020) for n in range(1, 6)]


def on(year: int, month: int, day: int) -> Date:
    return Date(year=year, month=month, day=day)


def entity(**fields: Any) -> pb.LegalEntity:
    return pb.LegalEntity(**{"display_name": "Cloud GmbH", "currency_code": "EUR", "time_zone": "Europe/Berlin", **fields})


def rate(value: str, day: Date, unit: str = "EUR", price: str = "USD") -> pb.CreateExchangeRateRequest:
    offer = pb.ExchangeRate(from_currency=unit, to_currency=price, rate=value, effective_date=day)
    return pb.CreateExchangeRateRequest(exchange_rate=offer)


def resolve(day: Date, unit: str = "EUR", price: str = "USD") -> pb.ResolveExchangeRateRequest:
    return pb.ResolveExchangeRateRequest(from_currency=unit, to_currency=price, date=day)


def calendar(**fields: Any) -> pb.BusinessCalendar:
    hours = {"display_name": "Office", "time_zone": "Europe/Berlin", "working_hours": MONDAY_TO_FRIDAY}
    return pb.BusinessCalendar(**{**hours, **fields})


def instant(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Atlantis",
        "Europe",
        "localtime",
        "Factory",
        "posix/UTC",
        "right/UTC",
        "../UTC",
        "/etc/localtime",
        "europe/berlin",
        "UTC\0",
        "Ü",
    ],
)
async def test_a_time_zone_that_is_not_of_the_database_is_unknown(anna: Caller, name: str) -> None:
    created = await anna(pb.CreateLegalEntityRequest(legal_entity=entity()))
    refusals = [
        await anna.refusal(request)
        for request in (
            pb.CreateLegalEntityRequest(legal_entity=entity(time_zone=name)),
            pb.UpdateLegalEntityRequest(legal_entity=pb.LegalEntity(name=created.name, time_zone=name)),
            pb.CreateBusinessCalendarRequest(business_calendar=calendar(time_zone=name)),
        )
    ]
    hostile = "\0" in name
    assert {(r.reason, r.metadata.get("time_zone")) for r in refusals} == (
        {("FIELD_INVALID", None)} if hostile else {("TIME_ZONE_UNKNOWN", name)}
    )


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince", "GB-Eire"]
)
def test_zones_of_every_shape_are_known(name: str) -> None:
    assert zone(name).key == name


@pytest.mark.parametrize("code", ["XYZ", "XAU", "XXX"])
async def test_a_currency_that_money_is_not_counted_in_is_unknown(anna: Caller, code: str) -> None:
    for request in (
        pb.CreateLegalEntityRequest(legal_entity=entity(currency_code=code)),
        rate("2", on(2027, 1, 1), "EUR", code),
        rate("2", on(2027, 1, 1), code, "EUR"),
    ):
        refusal = await anna.refusal(request)
        assert (refusal.reason, refusal.metadata) == ("CURRENCY_UNKNOWN", {"currency": code})


async def test_a_legal_entity_keeps_its_currency_and_changes_the_rest(anna: Caller) -> None:
    created = await anna(pb.CreateLegalEntityRequest(legal_entity=entity(), legal_entity_id="cloud"))
    moved = pb.LegalEntity(name=created.name, time_zone="Asia/Tokyo", etag=created.etag)
    updated = await anna(pb.UpdateLegalEntityRequest(legal_entity=moved))
    assert (updated.time_zone, updated.currency_code, updated.etag) == ("Asia/Tokyo", "EUR", "2")
    refusal = await anna.refusal(pb.UpdateLegalEntityRequest(legal_entity=entity(name=created.name, currency_code="USD")))
    assert refusal.reason == "FIELD_INVALID"
    assert (await anna.refusal(pb.UpdateLegalEntityRequest(legal_entity=moved))).reason == "ETAG_MISMATCH"
    again = pb.CreateLegalEntityRequest(legal_entity=entity(), legal_entity_id="cloud")
    assert (await anna.refusal(again)).reason == "RESOURCE_EXISTS"


async def test_a_free_tenant_has_one_legal_entity(world: World) -> None:
    small = await world.caller("admin", edition=FREE)
    await small(pb.CreateLegalEntityRequest(legal_entity=entity()))
    assert (await small.refusal(pb.CreateLegalEntityRequest(legal_entity=entity()))).reason == "LIMIT_REACHED"


async def test_the_rate_in_force_is_the_latest_on_or_before_the_day(anna: Caller) -> None:
    for value, day in (("1.10", on(2027, 1, 31)), ("1.20", on(2027, 3, 1)), ("1.15", on(2027, 2, 15))):
        await anna(rate(value, day))
    await anna(rate("160", on(2027, 2, 20), "EUR", "JPY"))
    found = [(await anna(resolve(on(*day)))).rate for day in ((2027, 1, 31), (2027, 2, 28), (2027, 3, 1), (2199, 1, 1))]
    assert found == ["1.10", "1.15", "1.20", "1.20"]


async def test_of_several_rates_of_a_day_the_one_created_last_is_in_force(anna: Caller) -> None:
    day = on(2027, 1, 31)
    for rate_id, value in (("zz", "1.10"), ("aa", "1.11"), ("mm", "1.12")):
        request = rate(value, day)
        request.exchange_rate_id = rate_id
        await anna(request)
    assert (await anna(resolve(day))).rate == "1.12"


async def test_a_missing_rate_is_missing_and_neither_its_inverse_nor_a_cross_rate_is_assumed(anna: Caller) -> None:
    await anna(rate("1.10", on(2027, 1, 31)))
    await anna(rate("150", on(2027, 1, 31), "USD", "JPY"))
    for request in (resolve(on(2027, 1, 30)), resolve(on(2027, 2, 1), "USD", "EUR"), resolve(on(2027, 2, 1), "EUR", "JPY")):
        refusal = await anna.refusal(request)
        assert refusal.reason == "RATE_MISSING"
        assert (refusal.metadata["from"], refusal.metadata["to"]) == (request.from_currency, request.to_currency)
    assert refusal.metadata["date"] == "2027-02-01"


async def test_another_tenant_s_rate_is_missing(anna: Caller, world: World) -> None:
    await anna(rate("1.10", on(2027, 1, 31)))
    assert (await (await world.caller("admin")).refusal(resolve(on(2027, 1, 31)))).reason == "RATE_MISSING"


async def test_a_currency_has_no_rate_to_itself(anna: Caller) -> None:
    for request in (rate("1", on(2027, 1, 1), "EUR", "EUR"), resolve(on(2027, 1, 1), "EUR", "EUR")):
        refusal = await anna.refusal(request)
        assert (refusal.reason, refusal.metadata) == ("RATE_SAME_CURRENCY", {"currency": "EUR"})


@pytest.mark.parametrize("value", ["0", "0.00", "-1", "1e3", "", "1.", ".5", "1.0000000000001", "1000000000000", "NaN", "١"])
async def test_a_rate_that_is_no_price_above_nothing_is_malformed(anna: Caller, value: str) -> None:
    refusal = await anna.refusal(rate(value, on(2027, 1, 1)))
    assert (refusal.reason, refusal.violations[0][0]) == ("FIELD_INVALID", "exchange_rate.rate")


@pytest.mark.parametrize("value", ["0.000000000001", "999999999999.999999999999", "0001.5"])
async def test_a_rate_is_kept_as_it_was_sent(anna: Caller, value: str) -> None:
    await anna(rate(value, on(2027, 1, 1)))
    assert (await anna(resolve(on(2027, 1, 1)))).rate == value


@pytest.mark.parametrize("day", [on(2027, 2, 29), on(2027, 13, 1), on(2027, 3, 0), on(0, 3, 1)])
async def test_a_day_that_there_is_not_is_malformed_everywhere(anna: Caller, day: Date) -> None:
    for request, field in (
        (rate("1.1", day), "exchange_rate.effective_date"),
        (resolve(day), "date"),
        (
            pb.CreateBusinessCalendarRequest(business_calendar=calendar(holidays=[on(2027, 1, 1), day])),
            "business_calendar.holidays[1]",
        ),
    ):
        refusal = await anna.refusal(request)
        assert (refusal.reason, refusal.violations[0][0]) == ("FIELD_INVALID", field)


@given(st.dates(), st.dates(), st.sampled_from(["EUR/USD", "EUR/USX", "AAA/ZZZ"]))
def test_keys_of_a_pair_are_in_the_order_of_days_and_between_those_of_no_other(one: date, other: date, pair: str) -> None:
    unit, _, price = pair.partition("/")
    key = pair_day(unit, price, one)
    assert (key < pair_day(unit, price, other)) == (one < other)
    assert (pair_day("EUR", "USD", None) <= key <= pair_day("EUR", "USD", date.max)) == (pair == "EUR/USD")


async def test_working_time_is_added_over_a_weekend_and_holidays(anna: Caller) -> None:
    easter = [on(2027, 3, 26), on(2027, 3, 29)]  # Good Friday and Easter Monday, with a change of the clocks between
    created = await anna(pb.CreateBusinessCalendarRequest(business_calendar=calendar(holidays=easter)))
    start = datetime(2027, 3, 25, 15, tzinfo=UTC)  # Thursday 16:00 in Berlin
    request = pb.AddBusinessHoursRequest(name=created.name, start_time=instant(start), minutes=120)
    assert (await anna(request)).end_time.ToDatetime(tzinfo=UTC) == datetime(2027, 3, 30, 8, tzinfo=UTC)  # Tuesday 10:00
    request.minutes = 0
    assert (await anna(request)).end_time == request.start_time


async def test_a_calendar_changes_and_its_answers_with_it(anna: Caller) -> None:
    created = await anna(pb.CreateBusinessCalendarRequest(business_calendar=calendar()))
    request = pb.AddBusinessHoursRequest(name=created.name, start_time=instant(datetime(2027, 5, 3, 8, tzinfo=UTC)), minutes=60)
    before = (await anna(request)).end_time.ToDatetime(tzinfo=UTC)
    change = pb.BusinessCalendar(name=created.name, holidays=[on(2027, 5, 3)])
    await anna(pb.UpdateBusinessCalendarRequest(business_calendar=change, update_mask=FieldMask(paths=["holidays"])))
    assert (await anna(request)).end_time.ToDatetime(tzinfo=UTC) - before == timedelta(days=1) - timedelta(hours=1)


async def test_a_calendar_with_hardly_any_work_is_refused_rather_than_searched_for_ever(anna: Caller) -> None:
    offer = calendar(working_hours=[pb.WorkingHours(weekday=1, start_minute=0, end_minute=1)])
    created = await anna(pb.CreateBusinessCalendarRequest(business_calendar=offer))
    for second in (0, 7_258_118_399):
        request = pb.AddBusinessHoursRequest(name=created.name, start_time=Timestamp(seconds=second), minutes=525_600)
        refusal = await anna.refusal(request)
        assert (refusal.reason, refusal.metadata) == ("CALENDAR_EMPTY", {"calendar": created.name})
    for second in (-1, 7_258_118_400):
        request = pb.AddBusinessHoursRequest(name=created.name, start_time=Timestamp(seconds=second), minutes=1)
        assert (await anna.refusal(request)).violations[0][0] == "start_time"


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=6))
def test_hours_of_a_day_may_touch_but_not_overlap(spans: list[tuple[int, int, int]]) -> None:
    offer = calendar(working_hours=[pb.WorkingHours(weekday=d, start_minute=s, end_minute=s + n) for d, s, n in spans])
    minutes = [(day, minute) for day, start, length in spans for minute in range(start, start + length)]
    try:
        BusinessCalendar.draw_up("businessCalendars/office", offer).check()
    except BadField as refusal:
        assert refusal.field.startswith("business_calendar.working_hours[")
        assert len(set(minutes)) < len(minutes)
    else:
        assert len(set(minutes)) == len(minutes)


def test_facts_that_break_their_invariants_are_broken() -> None:
    for broken in (
        LegalEntity(pb.LegalEntity(time_zone="UTC")),
        LegalEntity(pb.LegalEntity(currency_code="EUR")),
        ExchangeRate(pb.ExchangeRate(rate="0", from_currency="EUR", to_currency="USD", pair_day="x")),
        ExchangeRate(pb.ExchangeRate(rate="1", from_currency="EUR", to_currency="EUR", pair_day="x")),
        ExchangeRate(pb.ExchangeRate(rate="1", from_currency="EUR", to_currency="USD")),
        BusinessCalendar(pb.BusinessCalendar()),
        BusinessCalendar(calendar(working_hours=[*MONDAY_TO_FRIDAY, MONDAY_TO_FRIDAY[0]])),
    ):
        with pytest.raises(Broken):
            broken.check()
