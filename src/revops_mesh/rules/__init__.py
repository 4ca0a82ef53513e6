"""Rules as data, written by tenants in CEL: `compile` checks one, `Rule.evaluate` applies it; `types` has the types."""

from revops_mesh.rules.rule import Rule, RuleKind, compile
from revops_mesh.rules.types import RuleError

__all__ = ["Rule", "RuleError", "RuleKind", "compile"]
