"""What Alembic runs for the member's database: the schema follows from the contracts of its modules."""

from revops_mesh import member
from revops_mesh.migrations import tree
from revops_mesh.migrations.schema import metadata_of

tree.run(metadata_of(member.kinds()))
