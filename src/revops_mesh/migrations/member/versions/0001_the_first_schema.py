"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "price_books",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("currency_code", sa.TEXT(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("effective_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("scope_key", sa.TEXT(), nullable=False),
        sa.Column("lineage", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("price_books_pkey")),
        schema="catalog",
    )
    op.create_index(
        "price_books_currency_code", "price_books", ["tenant_id", "currency_code", "name"], unique=False, schema="catalog"
    )
    op.create_index(
        "price_books_effective_from", "price_books", ["tenant_id", "effective_from", "name"], unique=False, schema="catalog"
    )
    op.create_index(
        "price_books_effective_to", "price_books", ["tenant_id", "effective_to", "name"], unique=False, schema="catalog"
    )
    op.create_index("price_books_lineage", "price_books", ["lineage"], unique=False, schema="catalog", postgresql_using="gin")
    op.create_index("price_books_priority", "price_books", ["tenant_id", "priority", "name"], unique=False, schema="catalog")
    op.create_index("price_books_scope_key", "price_books", ["tenant_id", "scope_key", "name"], unique=False, schema="catalog")
    op.create_index("price_books_state", "price_books", ["tenant_id", "state", "name"], unique=False, schema="catalog")
    op.create_table(
        "price_entries",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("charge", sa.TEXT(), nullable=False),
        sa.Column("valid_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("valid_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("known_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("rate_plan", sa.TEXT(), nullable=False),
        sa.Column("product", sa.TEXT(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("price_entries_pkey")),
        schema="catalog",
    )
    op.create_index("price_entries_charge", "price_entries", ["tenant_id", "charge", "name"], unique=False, schema="catalog")
    op.create_index("price_entries_closed", "price_entries", ["tenant_id", "closed", "name"], unique=False, schema="catalog")
    op.create_index(
        "price_entries_known_from", "price_entries", ["tenant_id", "known_from", "name"], unique=False, schema="catalog"
    )
    op.create_index("price_entries_parent", "price_entries", ["tenant_id", "parent", "name"], unique=False, schema="catalog")
    op.create_index("price_entries_product", "price_entries", ["tenant_id", "product", "name"], unique=False, schema="catalog")
    op.create_index(
        "price_entries_rate_plan", "price_entries", ["tenant_id", "rate_plan", "name"], unique=False, schema="catalog"
    )
    op.create_index(
        "price_entries_valid_from", "price_entries", ["tenant_id", "valid_from", "name"], unique=False, schema="catalog"
    )
    op.create_index("price_entries_valid_to", "price_entries", ["tenant_id", "valid_to", "name"], unique=False, schema="catalog")
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
        sa.Column("lane", sa.TEXT(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("timer_pkey")),
        schema="kernel",
    )
    op.create_index("timer_due", "timer", ["due"], unique=False, schema="kernel")
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("key_id", sa.TEXT(), nullable=False),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("api_keys_pkey")),
        schema="platform",
    )
    op.create_index(
        "api_keys_key_id_key",
        "api_keys",
        ["tenant_id", "key_id"],
        unique=True,
        schema="platform",
        postgresql_where=sa.text("delete_time IS NULL AND key_id != ''"),
    )
    op.create_index("api_keys_parent", "api_keys", ["tenant_id", "parent", "name"], unique=False, schema="platform")
    op.create_index("api_keys_partner", "api_keys", ["tenant_id", "partner", "name"], unique=False, schema="platform")
    op.create_table(
        "business_calendars",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("business_calendars_pkey")),
        schema="platform",
    )
    op.create_table(
        "exchange_rates",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("from_currency", sa.TEXT(), nullable=False),
        sa.Column("to_currency", sa.TEXT(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=True),
        sa.Column("pair_day", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("exchange_rates_pkey")),
        schema="platform",
    )
    op.create_index(
        "exchange_rates_effective_date",
        "exchange_rates",
        ["tenant_id", "effective_date", "name"],
        unique=False,
        schema="platform",
    )
    op.create_index(
        "exchange_rates_from_currency", "exchange_rates", ["tenant_id", "from_currency", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "exchange_rates_pair_day", "exchange_rates", ["tenant_id", "pair_day", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "exchange_rates_to_currency", "exchange_rates", ["tenant_id", "to_currency", "name"], unique=False, schema="platform"
    )
    op.create_table(
        "file_chunks",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("file_chunks_pkey")),
        schema="platform",
    )
    op.create_index("file_chunks_parent", "file_chunks", ["tenant_id", "parent", "name"], unique=False, schema="platform")
    op.create_table(
        "files",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("principal", sa.TEXT(), nullable=False),
        sa.Column("expire_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("files_pkey")),
        schema="platform",
    )
    op.create_index("files_expire_time", "files", ["tenant_id", "expire_time", "name"], unique=False, schema="platform")
    op.create_index("files_principal", "files", ["tenant_id", "principal", "name"], unique=False, schema="platform")
    op.create_index("files_state", "files", ["tenant_id", "state", "name"], unique=False, schema="platform")
    op.create_table(
        "legal_entities",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("currency_code", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("legal_entities_pkey")),
        schema="platform",
    )
    op.create_index(
        "legal_entities_currency_code", "legal_entities", ["tenant_id", "currency_code", "name"], unique=False, schema="platform"
    )
    op.create_table(
        "operations",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("method", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("principal", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("operations_pkey")),
        schema="platform",
    )
    op.create_index("operations_method", "operations", ["tenant_id", "method", "name"], unique=False, schema="platform")
    op.create_index("operations_principal", "operations", ["tenant_id", "principal", "name"], unique=False, schema="platform")
    op.create_index("operations_state", "operations", ["tenant_id", "state", "name"], unique=False, schema="platform")
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("roles_pkey")),
        schema="platform",
    )
    op.create_table(
        "service_accounts",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("service_accounts_pkey")),
        schema="platform",
    )
    op.create_index(
        "service_accounts_partner", "service_accounts", ["tenant_id", "partner", "name"], unique=False, schema="platform"
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("uid", sa.TEXT(), nullable=False),
        sa.Column("edition", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("tenants_pkey")),
        schema="platform",
    )
    op.create_index("tenants_edition", "tenants", ["tenant_id", "edition", "name"], unique=False, schema="platform")
    op.create_index("tenants_state", "tenants", ["tenant_id", "state", "name"], unique=False, schema="platform")
    op.create_index(
        "tenants_uid_key",
        "tenants",
        ["tenant_id", "uid"],
        unique=True,
        schema="platform",
        postgresql_where=sa.text("delete_time IS NULL AND uid != ''"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("event_type", sa.TEXT(), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("webhook_deliveries_pkey")),
        schema="platform",
    )
    op.create_index("webhook_deliveries_create_time", "webhook_deliveries", ["create_time"], unique=False, schema="platform")
    op.create_index(
        "webhook_deliveries_event_type",
        "webhook_deliveries",
        ["tenant_id", "event_type", "name"],
        unique=False,
        schema="platform",
    )
    op.create_index(
        "webhook_deliveries_parent", "webhook_deliveries", ["tenant_id", "parent", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "webhook_deliveries_partner", "webhook_deliveries", ["tenant_id", "partner", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "webhook_deliveries_state", "webhook_deliveries", ["tenant_id", "state", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "webhook_deliveries_subject", "webhook_deliveries", ["tenant_id", "subject", "name"], unique=False, schema="platform"
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("webhook_endpoints_pkey")),
        schema="platform",
    )
    op.create_index(
        "webhook_endpoints_partner", "webhook_endpoints", ["tenant_id", "partner", "name"], unique=False, schema="platform"
    )
    op.create_index(
        "webhook_endpoints_state", "webhook_endpoints", ["tenant_id", "state", "name"], unique=False, schema="platform"
    )
    op.create_table(
        "approval_delegations",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delegator", sa.TEXT(), nullable=False),
        sa.Column("delegate", sa.TEXT(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("approval_delegations_pkey")),
        schema="quoting",
    )
    op.create_index(
        "approval_delegations_delegate", "approval_delegations", ["tenant_id", "delegate", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_delegations_delegator",
        "approval_delegations",
        ["tenant_id", "delegator", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_index(
        "approval_delegations_end_date", "approval_delegations", ["tenant_id", "end_date", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_delegations_start_date",
        "approval_delegations",
        ["tenant_id", "start_date", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_table(
        "approval_policies",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("display_name", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("approval_policies_pkey")),
        schema="quoting",
    )
    op.create_index(
        "approval_policies_display_name",
        "approval_policies",
        ["tenant_id", "display_name", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_index(
        "approval_policies_state", "approval_policies", ["tenant_id", "state", "name"], unique=False, schema="quoting"
    )
    op.create_table(
        "approval_policy_versions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("approval_policy_versions_pkey")),
        schema="quoting",
    )
    op.create_index(
        "approval_policy_versions_parent",
        "approval_policy_versions",
        ["tenant_id", "parent", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_index(
        "approval_policy_versions_state",
        "approval_policy_versions",
        ["tenant_id", "state", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_table(
        "approval_requests",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.Column("fingerprint", sa.TEXT(), nullable=False),
        sa.Column("subject_key", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("pending_approvers", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("approval_requests_pkey")),
        schema="quoting",
    )
    op.create_index(
        "approval_requests_fingerprint", "approval_requests", ["tenant_id", "fingerprint", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_requests_partner", "approval_requests", ["tenant_id", "partner", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_requests_pending_approvers",
        "approval_requests",
        ["pending_approvers"],
        unique=False,
        schema="quoting",
        postgresql_using="gin",
    )
    op.create_index(
        "approval_requests_state", "approval_requests", ["tenant_id", "state", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_requests_subject", "approval_requests", ["tenant_id", "subject", "name"], unique=False, schema="quoting"
    )
    op.create_index(
        "approval_requests_subject_key_key",
        "approval_requests",
        ["tenant_id", "subject_key"],
        unique=True,
        schema="quoting",
        postgresql_where=sa.text("delete_time IS NULL AND subject_key != ''"),
    )
    op.create_table(
        "quote_versions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("quote_versions_pkey")),
        schema="quoting",
    )
    op.create_index("quote_versions_parent", "quote_versions", ["tenant_id", "parent", "name"], unique=False, schema="quoting")
    op.create_index("quote_versions_partner", "quote_versions", ["tenant_id", "partner", "name"], unique=False, schema="quoting")
    op.create_index("quote_versions_state", "quote_versions", ["tenant_id", "state", "name"], unique=False, schema="quoting")
    op.create_table(
        "quotes",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account", sa.TEXT(), nullable=False),
        sa.Column("partner", sa.TEXT(), nullable=False),
        sa.Column("display_name", sa.TEXT(), nullable=False),
        sa.Column("currency_code", sa.TEXT(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.TEXT(), nullable=False),
        sa.Column("totals__net_amount__amount", sa.Numeric(), nullable=True),
        sa.Column("totals__net_amount__currency", sa.TEXT(), nullable=False),
        sa.Column("price_entries", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("approval__state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("quotes_pkey")),
        schema="quoting",
    )
    op.create_index("quotes_account", "quotes", ["tenant_id", "account", "name"], unique=False, schema="quoting")
    op.create_index("quotes_approval__state", "quotes", ["tenant_id", "approval__state", "name"], unique=False, schema="quoting")
    op.create_index("quotes_currency_code", "quotes", ["tenant_id", "currency_code", "name"], unique=False, schema="quoting")
    op.create_index("quotes_display_name", "quotes", ["tenant_id", "display_name", "name"], unique=False, schema="quoting")
    op.create_index(
        "quotes_number_key",
        "quotes",
        ["tenant_id", "number"],
        unique=True,
        schema="quoting",
        postgresql_where=sa.text("delete_time IS NULL AND number != ''"),
    )
    op.create_index("quotes_partner", "quotes", ["tenant_id", "partner", "name"], unique=False, schema="quoting")
    op.create_index("quotes_price_entries", "quotes", ["price_entries"], unique=False, schema="quoting", postgresql_using="gin")
    op.create_index("quotes_state", "quotes", ["tenant_id", "state", "name"], unique=False, schema="quoting")
    op.create_index(
        "quotes_totals__net_amount__amount",
        "quotes",
        ["tenant_id", "totals__net_amount__amount", "name"],
        unique=False,
        schema="quoting",
    )
    op.create_index("quotes_valid_until", "quotes", ["tenant_id", "valid_until", "name"], unique=False, schema="quoting")
    op.create_table(
        "reporting_lines",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projection", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("create_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("delete_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("employee", sa.TEXT(), nullable=False),
        sa.Column("manager", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("reporting_lines_pkey")),
        schema="quoting",
    )
    op.create_index(
        "reporting_lines_employee_key",
        "reporting_lines",
        ["tenant_id", "employee"],
        unique=True,
        schema="quoting",
        postgresql_where=sa.text("delete_time IS NULL AND employee != ''"),
    )
    op.create_index(
        "reporting_lines_manager", "reporting_lines", ["tenant_id", "manager", "name"], unique=False, schema="quoting"
    )
