"""Proration: published changes, splits and day counts, and what is additive."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from revops.type.v1 import proration_pb2 as pb

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.allowance import granted
from revops_mesh.pricing.proration import Proration, Span, billing_periods, change, periods, prorated, share, split

BERLIN = ZoneInfo("Europe/Berlin")


def by(policy, change_day=pb.CHANGE_DAY_UNSPECIFIED, zone=UTC):
    message = pb.Proration(policy=pb.ProrationPolicy.Value(f"PRORATION_POLICY_{policy}"), change_day=change_day)
    return Proration.parsed(message, zone)


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def span(start, end, zone=UTC):
    return Span(at(start, zone), at(end, zone))


FREE = pb.CHANGE_DAY_FREE
APRIL = span("2026-04-01", "2026-05-01")


# Changes


def test_a_price_doubled_in_the_middle_as_stripe_prints_it():
    # E37 (STR-pro): 10 → 20 at half: −5 + 10 = 5.
    half = share(by("SECOND"), span("2026-04-16", "2026-05-01"), APRIL)
    assert change(Decimal(10), Decimal(20), half, "USD") == (-5, 10)
    assert change(Decimal(10), Decimal(20), half, "USD").net == 5


def test_a_downgrade_as_chargebee_prints_it():
    # E39 (CB-old): 60 → 30 on day 20 of 30, which is used at the old price: a credit of 10, the next invoice is 20.
    left = share(by("DAY_ACTUAL", FREE), span("2026-04-20", "2026-05-01"), APRIL)
    downgraded = change(Decimal(60), Decimal(30), left, "USD")
    assert (left, downgraded.net, 30 + downgraded.net) == (Fraction(10, 30), -10, 20)


def test_an_upgrade_at_half_as_autumn_prints_it():
    # E41 (AUT-p): 20 → 50 at half.
    assert change(Decimal(20), Decimal(50), Fraction(1, 2), "USD").net == 15


def test_the_unused_time_is_credited_not_the_whole_invoice():
    # E43 (LG-ud): 20 → 40 on May 11, 21 of 31 days left. Lago's snapshot credits all of 20 and charges 7.10; what is
    # unused is 13.55, so 27.10 − 13.55.
    left = share(by("DAY_ACTUAL"), span("2023-05-11", "2023-06-01"), span("2023-05-01", "2023-06-01"))
    upgraded = change(Decimal(20), Decimal(40), left, "USD")
    assert left == Fraction(21, 31)
    assert (upgraded.charge, upgraded.credit, upgraded.net) == tuple(map(Decimal, ("27.10", "-13.55", "13.55")))


def test_the_unused_fraction_is_credited_not_the_used_one():
    # The anti-fixture (GIST) credits the used tenth and gets 17: 10 → 20 on day 3 of 30 is 18 − 9.
    left = share(by("DAY_ACTUAL", FREE), span("2026-04-03", "2026-05-01"), APRIL)
    assert change(Decimal(10), Decimal(20), left, "USD").net == 9


@pytest.mark.parametrize(("change_day", "units"), [(pb.CHANGE_DAY_CHARGED, 2193), (FREE, 2064)])
def test_a_grant_of_a_shorter_period_as_salesforce_computes_it(change_day, units):
    # E44 (SF-grant): 4,000 a month from July 20 to August 19, added on August 3: 2,193 = 4,000 × 17/31, though the text
    # says 16 days, which is what a free day of change makes.
    left = share(by("DAY_ACTUAL", change_day), span("2026-08-03", "2026-08-20"), span("2026-07-20", "2026-08-20"))
    assert granted(Decimal(4000), left) == units


# Day counts


def test_whole_months_and_thirtieths_as_zuora_formulates_them():
    # E45 (Z-part): price × (full months + days ÷ 30). 35 a month from August 18 to December 31: 156.33, and 155.81 by
    # actual days (Z-part, order metrics part 3).
    sold = span("2018-08-18", "2019-01-01")
    anchor = at("2018-01-01")
    thirtieths = periods(by("ACTUAL_30"), sold, anchor, 1)
    assert thirtieths == 4 + Fraction(14, 30)
    assert prorated(Decimal(35), thirtieths, "USD") == Decimal("156.33")
    assert prorated(Decimal(35), periods(by("DAY_ACTUAL"), sold, anchor, 1), "USD") == Decimal("155.81")
    # The same counted from its first day in one period of twelve months.
    year = span("2018-08-18", "2019-08-18")
    assert share(by("ACTUAL_30"), sold, year) * 12 == thirtieths


@pytest.mark.parametrize(
    ("part", "month", "actual", "thirtieths", "strict"),
    [
        (("2026-01-15", "2026-02-01"), ("2026-01-01", "2026-02-01"), Fraction(17, 31), Fraction(17, 30), Fraction(16, 30)),
        (("2026-02-10", "2026-03-01"), ("2026-02-01", "2026-03-01"), Fraction(19, 28), Fraction(19, 30), Fraction(21, 30)),
        (("2026-01-01", "2026-01-31"), ("2026-01-01", "2026-02-01"), Fraction(30, 31), Fraction(1), Fraction(29, 30)),
        (("2026-03-31", "2026-04-01"), ("2026-03-01", "2026-04-01"), Fraction(1, 31), Fraction(1, 30), Fraction(1, 30)),
        (("2026-01-20", "2026-02-05"), ("2026-01-05", "2026-02-05"), Fraction(16, 31), Fraction(16, 30), Fraction(15, 30)),
    ],
)
def test_three_ways_to_count_a_part_of_a_month(part, month, actual, thirtieths, strict):
    # Z-30: actual days; assume 30 days, Actual/360; strict 30/360, where a month always has 30 days and its last day is
    # the 30th.
    found = [share(by(policy), span(*part), span(*month)) for policy in ("DAY_ACTUAL", "ACTUAL_30", "STRICT_30_360")]
    assert found == [actual, thirtieths, strict]


def test_months_of_a_year_are_counted_before_its_days():
    year = span("2026-01-01", "2027-01-01")
    part = span("2026-03-15", "2027-01-01")
    assert share(by("MONTH_THEN_DAY"), part, year) == (9 + Fraction(17, 31)) / 12
    assert share(by("DAY_ACTUAL"), part, year) == Fraction(292, 365)
    assert share(by("STRICT_30_360"), part, year) == Fraction(286, 360)
    assert share(by("NONE"), part, year) == 1


# Splits


def test_a_term_is_recognised_by_time_by_day_or_by_month_as_stripe_prints_it():
    # E54 (STR-rrset): 120 from June 15, 12:00 to October 13, 12:00.
    whole = span("2026-06-15T12:00", "2026-10-13T12:00")
    firsts = [at(f"2026-{month:02}-01") for month in range(7, 11)]
    bounds = [whole.start, *firsts, whole.end]
    calendar = [Span(start, end) for start, end in itertools.pairwise(bounds)]

    def amounts(policy, parts):
        return [str(amount.normalize()) for amount in split(Decimal(120), parts, whole, by(policy), "USD")]

    assert amounts("SECOND", calendar) == ["15.5", "31", "31", "3E+1", "12.5"]
    assert amounts("DAY_ACTUAL", calendar) == ["16", "31", "31", "3E+1", "12"]
    months = list(billing_periods(whole.start, 1, whole, UTC))
    served = [Span(month.start, min(month.end, whole.end)) for month in months]
    assert amounts("NONE", served) == ["3E+1"] * 4


def test_what_is_earned_and_what_is_deferred_as_stripe_prints_it():
    # E55 (STR-rrsub): 31 a month from January 15: 17 in January, 14 deferred.
    whole = span("2026-01-15", "2026-02-15")
    parts = [span("2026-01-15", "2026-02-01"), span("2026-02-01", "2026-02-15")]
    assert split(Decimal(31), parts, whole, by("DAY_ACTUAL"), "USD") == [17, 14]


def test_an_odd_cent_goes_to_the_last_of_equal_parts():
    whole = span("2026-01-01", "2026-01-04")
    days = [Span(whole.start + timedelta(days=day), whole.start + timedelta(days=day + 1)) for day in range(3)]
    assert split(Decimal(100), days, whole, by("DAY_ACTUAL"), "USD") == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]


# Time zones, anchors, refusals


def test_days_are_those_of_the_zone_and_seconds_elapse():
    march = span("2026-03-01", "2026-04-01", BERLIN)
    half = span("2026-03-01", "2026-03-30", BERLIN)
    assert share(by("DAY_ACTUAL", zone=BERLIN), half, march) == Fraction(29, 31)
    # March 29 had 23 hours.
    assert share(by("SECOND", zone=BERLIN), half, march) == Fraction(29 * 24 - 1, 31 * 24 - 1)
    late = Span(at("2026-03-10T23:30"), march.end)
    assert share(by("DAY_ACTUAL", zone=BERLIN), late, march) == Fraction(21, 31)
    assert share(by("DAY_ACTUAL"), Span(at("2026-03-10T23:30"), at("2026-04-01")), span("2026-03-01", "2026-04-01")) == Fraction(
        22, 31
    )


def test_billing_periods_return_to_the_day_of_their_anchor():
    anchor = at("2026-01-31", BERLIN)
    found = billing_periods(anchor, 1, span("2026-01-31", "2026-06-01", BERLIN), BERLIN)
    starts = [period.start.astimezone(BERLIN) for period in found]
    assert [(start.month, start.day, start.hour) for start in starts] == [
        (1, 31, 0),
        (2, 28, 0),
        (3, 31, 0),
        (4, 30, 0),
        (5, 31, 0),
    ]
    earlier = list(billing_periods(at("2030-05-10"), 12, span("2026-01-01", "2026-02-01"), UTC))
    assert earlier == [span("2025-05-10", "2026-05-10")]


def test_the_day_of_a_change_never_reaches_beyond_the_period():
    last_day = span("2026-04-30T18:00", "2026-05-01")
    assert share(by("DAY_ACTUAL"), last_day, APRIL) == Fraction(1, 30)
    assert share(by("DAY_ACTUAL", FREE), last_day, APRIL) == 0


def test_a_period_within_a_day_is_measured_in_time():
    morning = span("2026-04-01T06:00", "2026-04-01T12:00")
    assert share(by("DAY_ACTUAL"), span("2026-04-01T09:00", "2026-04-01T12:00"), morning) == Fraction(1, 2)


def test_the_proof_shows_the_part_and_the_rounding():
    proof = ProofBuilder("s", "r", "1")
    made = proof.finish(prorated(Decimal(40), Fraction(21, 31), "USD", proof=proof), "USD")
    assert verify(made)
    assert [(step.expression, step.value, step.rounding) for step in made.steps] == [
        ("40.00 × 21/31", "27.096774193548", ""),
        ("27.096774193548", "27.1", "HALF_UP 0.01"),
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: share(by("SECOND"), span("2026-03-31", "2026-04-02"), APRIL), "part: must be within"),
        (lambda: share(by("SECOND"), span("2026-04-02", "2026-04-02"), APRIL), "part: must end after it starts"),
        (lambda: share(by("SECOND"), Span(datetime(2026, 4, 2), datetime(2026, 4, 3)), APRIL), "part: must have instants"),
        (lambda: list(billing_periods(at("2026-01-01"), 0, APRIL, UTC)), "months: must be from 1 to 1,200"),
        (lambda: list(billing_periods(at("2026-01-01"), 1, span("2026-01-01", "2200-01-01"), UTC)), "at most 1200"),
        (lambda: Proration.parsed(pb.Proration(policy=99), UTC), "policy: 99"),
        (lambda: Proration.parsed(pb.Proration(change_day=99), UTC), "change_day: 99"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, words):
    with pytest.raises(InvalidNumber, match=words):
        call()


def test_a_proration_that_says_nothing_counts_actual_days_and_charges_the_day_of_change():
    assert Proration.parsed(pb.Proration(), UTC) == by("DAY_ACTUAL", pb.CHANGE_DAY_CHARGED)
