"""What a serving member carries with it."""

import subprocess
import sys

UNWANTED = {"alembic", "sqlalchemy", "rich"}
"""35 MB of what only migrations and people at a terminal need."""


def test_a_member_does_not_load_what_only_migrations_need() -> None:
    program = f"import sys, revops_mesh.cli.serving; print(*sorted({UNWANTED!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
