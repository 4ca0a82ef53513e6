"""Proofs: equal evidence hashes alike, any change shows, and nothing is lost between steps and result."""

import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1.proof_pb2 import Proof

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify


def proof_of(subject="quotes/a1/lines/1", rule="priceBooks/eur/entries/x", version="7", discount="30.00"):
    builder = ProofBuilder(subject, rule, version)
    builder.step("units", "10 × 4.00", Decimal("40.00"))
    builder.step("discount", "40.00 × (1 − 0.25)", Decimal(discount), "HALF_UP 0.01", "quoting.margins.read")
    return builder.finish(Decimal(discount), "EUR")


def test_a_proof_holds_its_steps_as_the_contract_says():
    proof = proof_of()
    assert (proof.subject, proof.rule, proof.rule_version) == ("quotes/a1/lines/1", "priceBooks/eur/entries/x", "7")
    assert (proof.result, proof.currency_code) == ("30.00", "EUR")
    assert [step.value for step in proof.steps] == ["40", "30"]
    assert proof.steps[1].rounding == "HALF_UP 0.01"
    assert proof.steps[1].read_permission == "quoting.margins.read"
    assert verify(proof)
    assert verify(Proof.FromString(proof.SerializeToString()))


def test_the_same_evidence_hashes_alike_on_every_line():
    assert proof_of(subject="quotes/a1/lines/1").hash == proof_of(subject="quotes/b2/lines/9").hash


def test_numbers_written_differently_hash_alike():
    assert proof_of(discount="30.00").hash == proof_of(discount="30").hash


def test_the_hash_can_be_recomputed_without_this_package():
    proof = proof_of()
    steps = [[step.code, step.expression, step.value, step.rounding, step.read_permission] for step in proof.steps]
    fields = [proof.rule, proof.rule_version, steps, proof.result, proof.currency_code]
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    assert proof.hash == hashlib.sha256(text.encode()).hexdigest()


FIELDS = ["rule", "rule_version", "result", "currency_code", "hash"]
STEP_FIELDS = ["code", "expression", "value", "rounding", "read_permission"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_field_does_not_verify(field):
    proof = proof_of()
    setattr(proof, field, "1")
    assert not verify(proof)


@pytest.mark.parametrize("field", STEP_FIELDS)
@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_step_does_not_verify(field, index):
    proof = proof_of()
    setattr(proof.steps[index], field, "1")
    assert not verify(proof)


def test_a_lost_or_reordered_step_does_not_verify():
    lost, reordered = proof_of(), proof_of()
    del lost.steps[0]
    reordered.steps.reverse()
    assert not verify(lost)
    assert not verify(reordered)
    assert not verify(Proof())


def test_text_moved_between_fields_changes_the_hash():
    one, two = ProofBuilder("s", "ab", "c"), ProofBuilder("s", "a", "bc")
    for builder in (one, two):
        builder.step("flat", "1", Decimal(1))
    assert one.finish(Decimal(1)).hash != two.finish(Decimal(1)).hash


def forged(result):
    """A proof of 30 that claims `result` and whose hash fits its own content."""
    proof = proof_of()
    proof.result = result
    steps = [[step.code, step.expression, step.value, step.rounding, step.read_permission] for step in proof.steps]
    fields = [proof.rule, proof.rule_version, steps, result, proof.currency_code]
    proof.hash = hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
    return proof


def test_a_result_that_is_not_the_last_value_does_not_verify_even_when_its_hash_fits():
    assert verify(forged("30.000"))
    assert not verify(forged("31.00"))
    assert not verify(forged("much"))


def test_a_result_that_the_steps_do_not_reach_is_refused():
    builder = ProofBuilder("s", "r", "1")
    with pytest.raises(InvalidNumber, match="last step"):
        builder.finish(Decimal(0))
    builder.step("units", "10 × 4.00", Decimal(40))
    with pytest.raises(InvalidNumber, match="last step"):
        builder.finish(Decimal("39.99"), "EUR")


@given(st.lists(st.tuples(st.text(), st.text(), st.decimals(allow_nan=False, allow_infinity=False, places=6))))
def test_any_text_in_a_step_verifies_after_a_round_trip(steps):
    builder = ProofBuilder("s", "r", "1")
    for code, expression, value in steps:
        builder.step(code, expression, value)
    builder.step("end", "", Decimal(5))
    assert verify(Proof.FromString(builder.finish(Decimal(5)).SerializeToString()))
