"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("display_name", sa.TEXT(), nullable=False),
        sa.Column("sku", sa.TEXT(), nullable=False),
        sa.Column("family", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("products_pkey")),
        schema="catalog",
    )
    op.create_index("products_display_name", "products", ["tenant_id", "display_name", "name"], unique=False, schema="catalog")
    op.create_index("products_family", "products", ["tenant_id", "family", "name"], unique=False, schema="catalog")
    op.create_index(
        "products_sku_key",
        "products",
        ["tenant_id", "sku"],
        unique=True,
        schema="catalog",
        postgresql_where=sa.text("delete_time IS NULL AND sku != ''"),
    )
    op.create_index("products_state", "products", ["tenant_id", "state", "name"], unique=False, schema="catalog")
    op.create_table(
        "rate_plans",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("rate_plans_pkey")),
        schema="catalog",
    )
    op.create_index("rate_plans_parent", "rate_plans", ["tenant_id", "parent", "name"], unique=False, schema="catalog")
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("principal", sa.TEXT(), nullable=False),
        sa.Column("method", sa.TEXT(), nullable=False),
        sa.Column("resources", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("digest", sa.UUID(), nullable=False),
        sa.Column("request", postgresql.BYTEA(), nullable=False),
        sa.Column("trace", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_pkey")),
        schema="kernel",
    )
    op.create_index("audit_resources", "audit", ["resources"], unique=False, schema="kernel", postgresql_using="gin")
    op.create_table(
        "counter",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "epoch", name=op.f("counter_pkey")),
        schema="kernel",
    )
    op.create_table(
        "dead_letter",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("method", sa.TEXT(), nullable=False),
        sa.Column("request_type", sa.TEXT(), nullable=False),
        sa.Column("request", postgresql.BYTEA(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("problem", sa.TEXT(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("dead_letter_pkey")),
        schema="kernel",
    )
    op.create_table(
        "outbox",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("aggregate", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type", sa.TEXT(), nullable=False),
        sa.Column("payload", postgresql.BYTEA(), nullable=False),
        sa.Column("trace", sa.TEXT(), nullable=False),
        sa.Column("time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant_id", "aggregate", "revision", "n", name=op.f("outbox_pkey")),
        schema="kernel",
    )
    op.create_table(
        "outbox_bucket",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("last_run", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("outbox_bucket_pkey")),
        schema="kernel",
    )
    op.create_table(
        "replay",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("principal", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.UUID(), nullable=False),
        sa.Column("response", postgresql.BYTEA(), nullable=True),
        sa.Column("expire_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "principal", "request_id", name=op.f("replay_pkey")),
        schema="kernel",
    )
    op.create_index("replay_expire_time", "replay", ["expire_time"], unique=False, schema="kernel")
    op.create_table(
        "series",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("series", sa.TEXT(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "series", name=op.f("series_pkey")),
        schema="kernel",
    )
    op.create_table(
        "timer",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("due", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("request_type", sa.TEXT(), nullable=False),
        sa.Column("request", postgresql.BYTEA(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("trace", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("timer_pkey")),
        schema="kernel",
    )
    op.create_index("timer_due", "timer", ["due"], unique=False, schema="kernel")
