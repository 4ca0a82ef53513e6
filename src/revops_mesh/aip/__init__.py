"""Google AIP conventions as pure functions: filters (160), order (132), page tokens (158), field masks (134, 161)."""

from revops_mesh.kernel.errors import BadField

__all__ = ["BadField"]
