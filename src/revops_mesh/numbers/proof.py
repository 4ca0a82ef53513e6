"""Proofs: the evidence of a computed number, hashed so that nothing can be changed or lost unnoticed.

The hash is the SHA-256, in hex, of a JSON array of the proof's strings in the order of the contract (RFC 8785 form:
UTF-8, no spaces), so any language can recompute it. `hash` is left out, and so is `subject`: the same rule, inputs and
steps hash alike on whichever line they occur, which lets equal proofs be found and stored once.
"""

from decimal import Decimal, InvalidOperation
from hashlib import sha256

import orjson
from revops.type.v1.proof_pb2 import Proof

from revops_mesh.numbers.money import InvalidNumber, decimal_text, money_text


class ProofBuilder:
    """Collects the steps of one number. `subject` is what is computed, `rule` and `rule_version` what says how."""

    __slots__ = ("_last", "_rule", "_rule_version", "_steps", "_subject")

    def __init__(self, subject: str, rule: str, rule_version: str) -> None:
        self._subject = subject
        self._rule = rule
        self._rule_version = rule_version
        self._steps: list[dict[str, str]] = []
        self._last: Decimal | None = None

    def step(self, code: str, expression: str, value: Decimal, rounding: str = "", read_permission: str = "") -> None:
        """Adds a step; `value` is the running value after it and `rounding` the one applied in it, if any."""
        self._last = value
        self._steps.append(
            {
                "code": code,
                "expression": expression,
                "value": decimal_text(value),
                "rounding": rounding,
                "read_permission": read_permission,
            }
        )

    def finish(self, result: Decimal, currency: str = "") -> Proof:
        """The proof of `result`, an amount of `currency` or a plain number.

        Raises InvalidNumber if the result is not the value of the last step: something was lost on the way.
        """
        if self._last is None or self._last != result:
            raise InvalidNumber("result", f"must be the value of the last step, {self._last}, got {result}")
        text = money_text(result, currency) if currency else decimal_text(result)
        steps = [list(step.values()) for step in self._steps]
        return Proof(
            hash=_hash(self._rule, self._rule_version, steps, text, currency),
            subject=self._subject,
            rule=self._rule,
            rule_version=self._rule_version,
            steps=self._steps,  # type: ignore[arg-type]  # mappings become messages, at half the cost
            result=text,
            currency_code=currency,
        )


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


def _hash(rule: str, rule_version: str, steps: list[list[str]], result: str, currency: str) -> str:
    """Strings in an array cannot run into one another, whatever they contain."""
    return sha256(orjson.dumps([rule, rule_version, steps, result, currency])).hexdigest()
