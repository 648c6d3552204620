"""Places, contacts, addresses, and all that a plant has.

Revision: 0009
After: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0005"
branch_labels = None
depends_on = None


class Ltree(sa.types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "LTREE"


REGIMES = "fda_pchf,fsis,fsma204,juice_120,seafood_123,lacf_113,acid_114,eu,dietary_111"


def functions() -> None:
    # GS1 General Specifications 7.9.1: from the right, the check digit left out, weights 3 and 1 by turns.
    op.execute(
        """
        CREATE FUNCTION is_gs1_key(key text, length int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$
            SELECT key ~ ('^[0-9]{' || length || '}$') AND (
                SELECT sum(substr(key, at, 1)::int * CASE WHEN (length - at) % 2 = 1 THEN 3 ELSE 1 END) % 10 = 0
                FROM generate_series(1, length) at)
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION location_path() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            above record;
        BEGIN
            -- Two moves at once could each be right and make a circle together.
            PERFORM pg_advisory_xact_lock(hashtextextended('location ' || NEW.plant_id, 0));
            IF NEW.code !~ '^[A-Za-z0-9_-]{1,32}$' THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_code', MESSAGE = 'no code of a location';
            END IF;
            NEW.path := NEW.code::ltree;
            IF NEW.parent_id IS NULL THEN
                RETURN NEW;
            END IF;
            SELECT * INTO above FROM core_location WHERE id = NEW.parent_id;
            IF NOT FOUND THEN
                RETURN NEW;  -- the foreign key refuses it
            END IF;
            IF above.retired_at IS NOT NULL AND NEW.retired_at IS NULL THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_parent_retired',
                    MESSAGE = 'a place lies in no place that is gone';
            END IF;
            IF above.plant_id <> NEW.plant_id THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_parent_plant',
                    MESSAGE = 'a place lies in a place of its own plant';
            END IF;
            IF TG_OP = 'UPDATE' AND above.path <@ OLD.path THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_cycle', MESSAGE = 'a place lies not in itself';
            END IF;
            NEW.path := above.path || NEW.code::ltree;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION location_below() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE core_location SET path = NEW.path || subpath(path, nlevel(OLD.path))
            WHERE plant_id = NEW.plant_id AND path <@ OLD.path AND id <> NEW.id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION location_goes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended('location ' || NEW.plant_id, 0));
            IF EXISTS (SELECT FROM core_location WHERE parent_id = NEW.id AND retired_at IS NULL) THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_has_places',
                    MESSAGE = 'what lies in a place goes first';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION plant_day_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- A first batch that is not committed yet holds the plant's key: wait for it.
            PERFORM FROM core_plant WHERE id = NEW.id FOR UPDATE;
            IF EXISTS (SELECT FROM plant_ops_batch WHERE plant_id = NEW.id) THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_plant_day_is_fixed',
                    MESSAGE = 'the time zone and the beginning of the day say to which day each record belongs';
            END IF;
            RETURN NEW;
        END $$
        """
    )


def triggers() -> None:
    op.execute(
        "CREATE TRIGGER path_kept BEFORE INSERT OR UPDATE OF parent_id, code, plant_id ON core_location "
        "FOR EACH ROW EXECUTE FUNCTION location_path()"
    )
    op.execute(
        "CREATE TRIGGER below_moved AFTER UPDATE ON core_location FOR EACH ROW "
        "WHEN (OLD.path::text <> NEW.path::text AND pg_trigger_depth() = 0) EXECUTE FUNCTION location_below()"
    )
    op.execute(
        "CREATE TRIGGER goes_empty BEFORE UPDATE OF retired_at ON core_location FOR EACH ROW "
        "WHEN (OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL) EXECUTE FUNCTION location_goes()"
    )
    op.execute(
        "CREATE TRIGGER day_fixed BEFORE UPDATE ON core_plant FOR EACH ROW "
        "WHEN (OLD.tz <> NEW.tz OR OLD.day_start <> NEW.day_start) EXECUTE FUNCTION plant_day_is_fixed()"
    )
    op.execute(
        "CREATE TRIGGER cited_fixed BEFORE UPDATE ON core_address FOR EACH ROW WHEN (OLD.cited_at IS NOT NULL) "
        "EXECUTE FUNCTION only_changes('valid_to', 'state', 'version', 'updated_at', 'updated_by', 'retired_at')"
    )


def plant_checks() -> None:
    op.drop_constraint(op.f("ck_core_plant_gln"), "core_plant", type_="check")
    op.create_check_constraint(op.f("ck_core_plant_gln"), "core_plant", "gln is null or is_gs1_key(gln, 13)")
    op.create_check_constraint(op.f("ck_core_plant_fda_ffr"), "core_plant", "fda_ffr ~ '^[0-9]{11}$'")
    op.create_check_constraint(op.f("ck_core_plant_fsis_est"), "core_plant", "fsis_est ~ '^[MP][0-9]{1,5}[A-Z]?$'")
    listed = ", ".join(f"'{each}'" for each in REGIMES.split(","))
    op.create_check_constraint(op.f("ck_core_plant_regimes"), "core_plant", f"regimes <@ array[{listed}]")


def upgrade() -> None:
    functions()
    op.create_table(
        "core_address",
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("party_kind", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("use", sa.Text(), server_default=sa.text("'site'"), nullable=False),
        sa.Column("lines", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum("current", "superseded", name="addressstate", native_enum=False, length=32),
            server_default=sa.text("'current'"),
            nullable=False,
        ),
        sa.Column("cited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("party_kind"), "="),
            (sa.text("party_id"), "="),
            (sa.text("use"), "="),
            (sa.text("tstzrange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="one_at_a_time",
            where=sa.text("retired_at IS NULL"),
        ),
        sa.CheckConstraint("(state = 'superseded') = (valid_to is not null)", name=op.f("ck_core_address_superseded")),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_core_address_country")),
        sa.CheckConstraint(
            "coalesce(btrim(city), '') <> '' and array_position(lines, '') is null",
            name=op.f("ck_core_address_not_blank"),
        ),
        sa.CheckConstraint(
            "party_kind in ('plant', 'supplier', 'customer', 'carrier', 'laboratory', 'authority')",
            name=op.f("ck_core_address_party_kind"),
        ),
        sa.CheckConstraint("region ~ ('^' || country || '-[A-Z0-9]{1,3}$')", name=op.f("ck_core_address_region")),
        sa.CheckConstraint("use in ('site', 'postal', 'billing', 'delivery')", name=op.f("ck_core_address_use")),
        sa.CheckConstraint("(latitude is null) = (longitude is null)", name=op.f("ck_core_address_geo_pair")),
        sa.CheckConstraint("cardinality(lines) between 1 and 5", name=op.f("ck_core_address_lines")),
        sa.CheckConstraint("abs(latitude) <= 90 and abs(longitude) <= 180", name=op.f("ck_core_address_geo")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_core_address_valid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_address")),
    )
    op.create_index("ix_core_address_country_postal", "core_address", ["country", "postal_code"], unique=False)
    op.create_table(
        "core_contact",
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("party_kind", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "retired", name="contactstate", native_enum=False, length=32),
            server_default=sa.text("'active'"),
            nullable=False,
        ),
        sa.Column("last_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(party_kind = 'company') = (party_id is null)", name=op.f("ck_core_contact_party")),
        sa.CheckConstraint("(state = 'retired') = (retired_at is not null)", name=op.f("ck_core_contact_retired")),
        sa.CheckConstraint("email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name=op.f("ck_core_contact_email")),
        sa.CheckConstraint(
            "erased_at is null or (state = 'retired' and email is null and phone is null)",
            name=op.f("ck_core_contact_erased"),
        ),
        sa.CheckConstraint(
            "party_kind in ('plant', 'supplier', 'customer', 'carrier', 'laboratory', 'authority', 'company')",
            name=op.f("ck_core_contact_party_kind"),
        ),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_core_contact_phone")),
        sa.CheckConstraint(
            "role in ('quality', 'recall_24h', 'traceability', 'sales', 'logistics', 'regulator')",
            name=op.f("ck_core_contact_role"),
        ),
        sa.CheckConstraint("char_length(name) between 1 and 200", name=op.f("ck_core_contact_name")),
        sa.CheckConstraint(
            "erased_at is not null or email is not null or phone is not null", name=op.f("ck_core_contact_reachable")
        ),
        sa.CheckConstraint("priority between 1 and 99", name=op.f("ck_core_contact_priority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_contact")),
    )
    op.create_index("ix_core_contact_party", "core_contact", ["party_kind", "party_id", "role"], unique=False)
    op.create_index(
        "uq_core_contact_primary",
        "core_contact",
        ["party_kind", sa.literal_column("coalesce(party_id, '00000000-0000-0000-0000-000000000000')"), "role"],
        unique=True,
        postgresql_where=sa.text("is_primary and state = 'active'"),
    )
    op.create_table(
        "core_location",
        sa.Column("plant_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", Ltree(), server_default=sa.text("''"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "blocked", "retired", name="locationstate", native_enum=False, length=32),
            server_default=sa.text("'active'"),
            nullable=False,
        ),
        sa.Column("temp_class", sa.Text(), server_default=sa.text("'ambient'"), nullable=False),
        sa.Column("temp_min_c", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("temp_max_c", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("sgln", sa.Text(), nullable=True),
        sa.Column("allergen_zones", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("business_name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state_region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(parent_id is not null and not kind in ('external_dc', 'store', 'supplier_site')) or (coalesce(btrim(business_name), '') <> '' and coalesce(btrim(city), '') <> '' and coalesce(btrim(state_region), '') <> '' and coalesce(btrim(postal_code), '') <> '' and phone is not null and country is not null and (coalesce(btrim(street), '') <> '' or latitude is not null))",
            name=op.f("ck_core_location_description"),
        ),
        sa.CheckConstraint("coalesce(btrim(name), '') <> ''", name=op.f("ck_core_location_name")),
        sa.CheckConstraint(
            r"sgln ~ '^urn[:]epc[:]id[:]sgln[:](?=[0-9.]{13}\.)[0-9]{6,12}\.[0-9]{0,6}\.[^ ]{1,60}$'",
            name=op.f("ck_core_location_sgln"),
        ),
        sa.CheckConstraint("(state = 'retired') = (retired_at is not null)", name=op.f("ck_core_location_retired")),
        sa.CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name=op.f("ck_core_location_code")),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_core_location_country")),
        sa.CheckConstraint(
            "kind in ('area', 'storage', 'dock', 'line_side', 'qa_hold', 'lab', 'external_dc', 'store', 'supplier_site')",
            name=op.f("ck_core_location_kind"),
        ),
        sa.CheckConstraint(
            "not kind in ('external_dc', 'store', 'supplier_site') or party_id is not null",
            name=op.f("ck_core_location_external_party"),
        ),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_core_location_phone")),
        sa.CheckConstraint("temp_class in ('ambient', 'chilled', 'frozen')", name=op.f("ck_core_location_temp_class")),
        sa.CheckConstraint("(latitude is null) = (longitude is null)", name=op.f("ck_core_location_geo_pair")),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_core_location_capacity")),
        sa.CheckConstraint("abs(latitude) <= 90 and abs(longitude) <= 180", name=op.f("ck_core_location_geo")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_core_location_parent")),
        sa.CheckConstraint("temp_min_c < temp_max_c", name=op.f("ck_core_location_temperatures")),
        sa.CheckConstraint(
            "temp_min_c between -90 and 90 and temp_max_c between -90 and 90",
            name=op.f("ck_core_location_temperature_range"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["core_location.id"], name=op.f("fk_core_location_parent_id_core_location")
        ),
        sa.ForeignKeyConstraint(["plant_id"], ["core_plant.id"], name=op.f("fk_core_location_plant_id_core_plant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_location")),
    )
    op.create_index("ix_core_location_kind", "core_location", ["plant_id", "kind"], unique=False)
    op.create_index("ix_core_location_parent_id", "core_location", ["parent_id"], unique=False)
    op.create_index("ix_core_location_path", "core_location", ["path"], unique=False, postgresql_using="gist")
    op.create_index("uq_core_location_code", "core_location", ["plant_id", "code"], unique=True)
    op.add_column(
        "core_plant",
        sa.Column(
            "state",
            sa.Enum("planned", "active", "suspended", "closed", name="plantstate", native_enum=False, length=32),
            server_default=sa.text("'active'"),
            nullable=False,
        ),
    )
    op.add_column("core_plant", sa.Column("fda_ffr", sa.Text(), nullable=True))
    op.add_column("core_plant", sa.Column("fsis_est", sa.Text(), nullable=True))
    op.add_column(
        "core_plant", sa.Column("regimes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    plant_checks()
    triggers()


def downgrade() -> None:
    op.execute("DROP TRIGGER day_fixed ON core_plant")
    for name in ("regimes", "fsis_est", "fda_ffr", "gln"):
        op.drop_constraint(op.f(f"ck_core_plant_{name}"), "core_plant", type_="check")
    op.create_check_constraint(op.f("ck_core_plant_gln"), "core_plant", "gln is null or gln ~ '^[0-9]{13}$'")
    op.drop_column("core_plant", "regimes")
    op.drop_column("core_plant", "fsis_est")
    op.drop_column("core_plant", "fda_ffr")
    op.drop_column("core_plant", "state")
    op.drop_index("uq_core_location_code", table_name="core_location")
    op.drop_index("ix_core_location_path", table_name="core_location", postgresql_using="gist")
    op.drop_index("ix_core_location_parent_id", table_name="core_location")
    op.drop_index("ix_core_location_kind", table_name="core_location")
    op.drop_table("core_location")
    op.drop_index(
        "uq_core_contact_primary",
        table_name="core_contact",
        postgresql_where=sa.text("is_primary and state = 'active'"),
    )
    op.drop_index("ix_core_contact_party", table_name="core_contact")
    op.drop_table("core_contact")
    op.drop_index("ix_core_address_country_postal", table_name="core_address")
    op.drop_table("core_address")
    for name in ("location_path", "location_below", "location_goes", "plant_day_is_fixed", "is_gs1_key"):
        op.execute(f"DROP FUNCTION {name} CASCADE")
