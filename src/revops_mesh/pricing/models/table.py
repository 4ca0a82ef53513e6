"""The table of charge models: what each needs, what it may use, and its arithmetic."""

from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.pricing.models.by_band import cumulative_block, graduated, stair_step, volume
from revops_mesh.pricing.models.by_money import graduated_percentage, percentage
from revops_mesh.pricing.models.by_quantity import flat, overage, package, per_unit
from revops_mesh.pricing.terms import Model, Money, Units

_LIMITS = frozenset({"minimum_amount", "maximum_amount", "committed_amount"})
_TABLE = frozenset({"tiers", "tier_bound"})
_PRICED = frozenset({"unit_amount", "flat_amount", "package_size", "minimum_amount", "maximum_amount"})
_FLAT = frozenset({"flat_amount"})
_RATED = frozenset({"rate", "flat_amount", "minimum_amount", "maximum_amount"})
_NONE: frozenset[str] = frozenset()


def _of_units(
    model: pb.ChargeModel.ValueType,
    arithmetic: Units,
    required: frozenset[str],
    optional: frozenset[str] = _LIMITS,
    tier_fields: frozenset[str] = _NONE,
) -> Model:
    return Model(_name(model), required, optional | {"zero_quantity"}, tier_fields, of_units=arithmetic)


def _of_money(
    model: pb.ChargeModel.ValueType,
    arithmetic: Money,
    required: frozenset[str],
    optional: frozenset[str],
    tier_fields: frozenset[str] = _NONE,
) -> Model:
    return Model(_name(model), required, optional, tier_fields, of_money=arithmetic)


def _name(model: pb.ChargeModel.ValueType) -> str:
    """PER_UNIT for CHARGE_MODEL_PER_UNIT."""
    return pb.ChargeModel.Name(model).removeprefix("CHARGE_MODEL_")


MODELS: dict[int, Model] = {
    pb.CHARGE_MODEL_FLAT: _of_units(pb.CHARGE_MODEL_FLAT, flat, frozenset({"amount"}), _NONE),
    pb.CHARGE_MODEL_PER_UNIT: _of_units(pb.CHARGE_MODEL_PER_UNIT, per_unit, frozenset({"amount"})),
    pb.CHARGE_MODEL_GRADUATED: _of_units(pb.CHARGE_MODEL_GRADUATED, graduated, _TABLE, tier_fields=_PRICED),
    pb.CHARGE_MODEL_VOLUME: _of_units(pb.CHARGE_MODEL_VOLUME, volume, _TABLE, tier_fields=_PRICED),
    pb.CHARGE_MODEL_PACKAGE: _of_units(
        pb.CHARGE_MODEL_PACKAGE, package, frozenset({"amount", "package_size"}), _LIMITS | {"free_units"}
    ),
    pb.CHARGE_MODEL_STAIR_STEP: _of_units(pb.CHARGE_MODEL_STAIR_STEP, stair_step, _TABLE, tier_fields=_FLAT),
    pb.CHARGE_MODEL_CUMULATIVE_BLOCK: _of_units(pb.CHARGE_MODEL_CUMULATIVE_BLOCK, cumulative_block, _TABLE, tier_fields=_FLAT),
    pb.CHARGE_MODEL_PERCENTAGE: _of_money(
        pb.CHARGE_MODEL_PERCENTAGE,
        percentage,
        frozenset({"rate"}),
        _LIMITS | {"event_amount", "free_events", "free_amount"},
    ),
    pb.CHARGE_MODEL_GRADUATED_PERCENTAGE: _of_money(
        pb.CHARGE_MODEL_GRADUATED_PERCENTAGE, graduated_percentage, _TABLE, _LIMITS, _RATED
    ),
    pb.CHARGE_MODEL_OVERAGE: _of_units(
        pb.CHARGE_MODEL_OVERAGE, overage, frozenset({"included_units", "overage_amount"}), _LIMITS | {"amount", "package_size"}
    ),
    pb.CHARGE_MODEL_TIERED_OVERAGE: _of_units(
        pb.CHARGE_MODEL_TIERED_OVERAGE, graduated, _TABLE | {"overage_amount"}, tier_fields=_PRICED
    ),
}
