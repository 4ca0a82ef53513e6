"""Proofs: the evidence of a computed number, hashed so that nothing can be changed or lost unnoticed.

The hash is the SHA-256, in hex, of a JSON array of the proof's strings in the order of the contract (RFC 8785 form:
UTF-8, no spaces), so any language can recompute it. `hash` is left out, and so is `subject`: the same rule, inputs and
steps hash alike on whichever line they occur, which lets equal proofs be found and stored once.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from hashlib import sha256

import orjson
from revops.type.v1.proof_pb2 import Proof

from revops_mesh.numbers.money import InvalidNumber, decimal_text, money_text

Step = tuple[str, str, str, str, str]
"""Code, expression, value, rounding and read permission."""


class ProofBuilder:
    """Collects the steps of one number. `subject` is what is computed, `rule` and `rule_version` what says how."""

    __slots__ = ("_last", "_rule", "_rule_version", "_steps", "_subject")

    def __init__(self, subject: str, rule: str, rule_version: str, begun: Sequence[Step] = ()) -> None:
        """`begun` are steps that were taken before."""
        self._subject = subject
        self._rule = rule
        self._rule_version = rule_version
        self._steps: list[Step] = list(begun)
        self._last: Decimal | None = None

    def step(self, code: str, expression: str, value: Decimal, rounding: str = "", read_permission: str = "") -> None:
        """Adds a step; `value` is the running value after it and `rounding` the one applied in it, if any."""
        self._last = value
        self._steps.append((code, expression, decimal_text(value), rounding, read_permission))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those that were taken so far, for others to begin with."""
        return tuple(self._steps)

    def finish(self, result: Decimal, currency: str = "", into: Proof | None = None) -> Proof:
        """The proof of `result`, an amount of `currency` or a plain number; written into `into`, an empty one, if given.

        Raises InvalidNumber if the result is not the value of the last step: something was lost on the way.
        """
        if self._last is None or self._last != result:
            raise InvalidNumber("result", f"must be the value of the last step, {self._last}, got {result}")
        proof = Proof() if into is None else into
        proof.subject, proof.rule, proof.rule_version = self._subject, self._rule, self._rule_version
        proof.result = text = money_text(result, currency) if currency else decimal_text(result)
        proof.currency_code = currency
        proof.hash = _hash(self._rule, self._rule_version, self._steps, text, currency)
        add = proof.steps.add
        for code, expression, value, rounding, read_permission in self._steps:
            step = add()
            step.code, step.expression, step.value = code, expression, value
            if rounding:
                step.rounding = rounding
            if read_permission:
                step.read_permission = read_permission
        return proof


def verify(proof: Proof) -> bool:
    """Whether a proof is unchanged and its result is the value of its last step.

    A proof whose steps are masked for its reader does not verify: verify it where it is stored.
    """
    steps = [[step.code, step.expression, step.value, step.rounding, step.read_permission] for step in proof.steps]
    if not steps or proof.hash != _hash(proof.rule, proof.rule_version, steps, proof.result, proof.currency_code):
        return False
    try:
        return Decimal(steps[-1][2]) == Decimal(proof.result)
    except InvalidOperation:
        return False


def _hash(rule: str, rule_version: str, steps: Sequence[Sequence[str]], result: str, currency: str) -> str:
    """Strings in an array cannot run into one another, whatever they contain."""
    return sha256(orjson.dumps([rule, rule_version, steps, result, currency])).hexdigest()
