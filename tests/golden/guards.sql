-- platform

CREATE OR REPLACE FUNCTION break_glass_only_ends()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND
                   (NEW.id, NEW.company_id, NEW.operator_id, NEW.reason, NEW.opened_at, NEW.ends_at) IS NOT DISTINCT FROM
                   (OLD.id, OLD.company_id, OLD.operator_id, OLD.reason, OLD.opened_at, OLD.ends_at) THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'an access of break_glass is only ended, once' USING ERRCODE = 'insufficient_privilege';
        END $function$

CREATE OR REPLACE FUNCTION platform_audit_stays()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $function$

CREATE OR REPLACE FUNCTION tenant_keeps_its_name()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.state <> 'provisioning' THEN
                    RAISE EXCEPTION 'tenant % is never deleted: its names are not given to another', OLD.slug
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN OLD;
            END IF;
            IF (NEW.id, NEW.slug, NEW.schema_name) IS DISTINCT FROM (OLD.id, OLD.slug, OLD.schema_name) THEN
                RAISE EXCEPTION 'id, slug and schema of tenant % never change', OLD.slug
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION tenant_told()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            PERFORM pg_notify('foodflow_tenant', COALESCE(NEW.id, OLD.id)::text);
            RETURN NULL;
        END $function$

CREATE TRIGGER keeps_its_name BEFORE DELETE OR UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION tenant_keeps_its_name() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON platform_audit FOR EACH STATEMENT EXECUTE FUNCTION platform_audit_stays() -- O

CREATE TRIGGER never_emptied BEFORE TRUNCATE ON break_glass FOR EACH STATEMENT EXECUTE FUNCTION break_glass_only_ends() -- O

CREATE TRIGGER only_ends BEFORE DELETE OR UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION break_glass_only_ends() -- O

CREATE TRIGGER told AFTER INSERT OR DELETE OR UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION tenant_told() -- O

GRANT DELETE, INSERT, SELECT, UPDATE ON alembic_version TO foodflow_platform

GRANT DELETE, INSERT, SELECT, UPDATE ON api_key_route TO foodflow_platform

GRANT DELETE, INSERT, SELECT, UPDATE ON device TO foodflow_platform

GRANT DELETE, INSERT, SELECT, UPDATE ON platform_recovery_code TO foodflow_platform

GRANT DELETE, INSERT, SELECT, UPDATE ON platform_user TO foodflow_platform

GRANT DELETE, INSERT, SELECT, UPDATE ON tenant TO foodflow_platform

GRANT INSERT, SELECT ON platform_audit TO foodflow_platform

GRANT INSERT, SELECT, UPDATE ON break_glass TO foodflow_platform

GRANT SELECT, USAGE ON platform_audit_seq_seq TO foodflow_platform

-- t_template

CREATE CONSTRAINT TRIGGER rights_changed AFTER INSERT OR DELETE OR UPDATE ON identity_role DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION identity_rights_changed() -- O

CREATE CONSTRAINT TRIGGER rights_changed AFTER INSERT OR DELETE OR UPDATE ON identity_role_permission DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION identity_rights_changed() -- O

CREATE CONSTRAINT TRIGGER rights_changed AFTER INSERT OR DELETE OR UPDATE ON identity_user_role DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION identity_rights_changed() -- O

CREATE OR REPLACE FUNCTION claim_login_names()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        DECLARE
            claimed text;
        BEGIN
            FOREACH claimed IN ARRAY ARRAY[NEW.login_code, NEW.email::text] LOOP
                CONTINUE WHEN claimed IS NULL;
                INSERT INTO identity_login_name (name, user_id) VALUES (claimed, NEW.id) ON CONFLICT (name) DO NOTHING;
                IF NOT EXISTS (SELECT 1 FROM identity_login_name WHERE name = claimed::citext AND user_id = NEW.id) THEN
                    RAISE EXCEPTION 'this badge or e-mail is or was another person''s'
                        USING ERRCODE = 'unique_violation', CONSTRAINT = 'uq_identity_user_login_name';
                END IF;
            END LOOP;
            RETURN NULL;
        END $function$

CREATE OR REPLACE FUNCTION core_audit_guard(part text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 't_template', 'public', 'pg_temp'
AS $function$
        BEGIN
            EXECUTE format('CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
            -- A scratch schema of the revision command has no role of its own.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                EXECUTE format('REVOKE ALL ON %I FROM %I', part, current_schema());
            END IF;
        END $function$

CREATE OR REPLACE FUNCTION core_audit_month(day date)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 't_template', 'public', 'pg_temp'
AS $function$
        DECLARE
            wanted timestamp := date_trunc('month', day::timestamp);
            earliest timestamp;
            latest timestamp;
            part text := 'core_audit_' || to_char(wanted, '"y"YYYY"m"MM');
            own text;
            index text;
            bounds text := 'FOR VALUES FROM (%L) TO (%L)';
        BEGIN
            IF to_regclass(part) IS NOT NULL THEN
                RETURN false;
            END IF;
            PERFORM set_config('lock_timeout', '2s', true);
            LOCK TABLE ONLY core_audit IN ACCESS EXCLUSIVE MODE;
            SELECT date_trunc('month', min(at) AT TIME ZONE 'UTC'), date_trunc('month', max(at) AT TIME ZONE 'UTC')
                INTO earliest, latest FROM core_audit_default;
            IF latest <= earliest + interval '1 month' THEN
                -- It becomes the partition of its month, or of two if the job came round after the turn of a month; what
                -- has no month gets a new one.
                own := 'core_audit_' || to_char(earliest, '"y"YYYY"m"MM');
                ALTER TABLE core_audit DETACH PARTITION core_audit_default;
                FOR index IN
                    SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'core_audit_default'::regclass
                LOOP
                    EXECUTE format('ALTER INDEX %s RENAME TO %I', index, replace(index, 'core_audit_default', own));
                END LOOP;
                EXECUTE format('ALTER TABLE core_audit_default RENAME TO %I', own);
                EXECUTE format('ALTER TABLE core_audit ATTACH PARTITION %I ' || bounds, own,
                               earliest AT TIME ZONE 'UTC', (latest + interval '1 month') AT TIME ZONE 'UTC');
                CREATE TABLE core_audit_default PARTITION OF core_audit DEFAULT;
                PERFORM core_audit_guard('core_audit_default');
            END IF;
            IF own IS NOT NULL AND wanted BETWEEN earliest AND latest THEN
                RETURN true;
            END IF;
            EXECUTE format('CREATE TABLE %I PARTITION OF core_audit ' || bounds, part,
                           wanted AT TIME ZONE 'UTC', (wanted + interval '1 month') AT TIME ZONE 'UTC');
            PERFORM core_audit_guard(part);
            RETURN true;
        EXCEPTION
            WHEN duplicate_table OR check_violation OR invalid_object_definition THEN
                RETURN false;
            WHEN lock_not_available OR deadlock_detected THEN
                RETURN NULL;
        END $function$

CREATE OR REPLACE FUNCTION core_audit_only_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF NEW.id <> OLD.id OR NEW.n <= OLD.n THEN
                RAISE EXCEPTION 'the number of audit rows only grows' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION core_note_says_anew()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM core_note before WHERE before.id = NEW.supersedes_id
                   AND (before.entity, before.entity_id, before.kind, before.visibility)
                     = (NEW.entity, NEW.entity_id, NEW.kind, NEW.visibility)
                   AND (before.plant_id, before.performed_by) IS NOT DISTINCT FROM (NEW.plant_id, NEW.performed_by)
            ) THEN
                RAISE EXCEPTION 'a note is said anew by its author, about the same record, for the same people'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION identity_rights_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 't_template', 'pg_temp'
AS $function$
        DECLARE
            this bigint := pg_current_xact_id()::text::bigint;
        BEGIN
            UPDATE identity_rights_mark SET changed_in = this WHERE changed_in <> this;
            RETURN NULL;
        END $function$

CREATE OR REPLACE FUNCTION is_gs1_key(key text, length integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
            SELECT key ~ ('^[0-9]{' || length || '}$') AND (
                SELECT sum(substr(key, at, 1)::int * CASE WHEN (length - at) % 2 = 1 THEN 3 ELSE 1 END) % 10 = 0
                FROM generate_series(1, length) at)
        $function$

CREATE OR REPLACE FUNCTION location_below()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            UPDATE core_location SET path = NEW.path || subpath(path, nlevel(OLD.path))
            WHERE plant_id = NEW.plant_id AND path <@ OLD.path AND id <> NEW.id;
            RETURN NULL;
        END $function$

CREATE OR REPLACE FUNCTION location_goes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended('location ' || NEW.plant_id, 0));
            IF EXISTS (SELECT FROM core_location WHERE parent_id = NEW.id AND retired_at IS NULL) THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_location_has_places',
                    MESSAGE = 'what lies in a place goes first';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION location_path()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
        END $function$

CREATE OR REPLACE FUNCTION only_changes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF to_jsonb(OLD) - TG_ARGV::text[] <> to_jsonb(NEW) - TG_ARGV::text[] THEN
                RAISE EXCEPTION 'this of % is never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION plant_day_is_fixed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            -- A first batch that is not committed yet holds the plant's key: wait for it.
            PERFORM FROM core_plant WHERE id = NEW.id FOR UPDATE;
            IF EXISTS (SELECT FROM plant_ops_batch WHERE plant_id = NEW.id) THEN
                RAISE check_violation USING CONSTRAINT = 'ck_core_plant_day_is_fixed',
                    MESSAGE = 'the time zone and the beginning of the day say to which day each record belongs';
            END IF;
            RETURN NEW;
        END $function$

CREATE OR REPLACE FUNCTION refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed; a correction is a new row', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $function$

CREATE OR REPLACE FUNCTION refuse_detaching()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
        BEGIN
            IF EXISTS (SELECT FROM core_esignature WHERE record_type = OLD.entity AND record_id = OLD.entity_id) THEN
                RAISE EXCEPTION 'a file is not taken away from a signed record' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN OLD;
        END $function$

CREATE OR REPLACE FUNCTION refuse_other_code()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    BEGIN
        IF TG_OP = 'DELETE' OR (NEW.code, NEW.is_system) IS DISTINCT FROM (OLD.code, OLD.is_system) THEN
            RAISE EXCEPTION 'a permission keeps its code for ever'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_identity_permission_fixed';
        END IF;
        RETURN NEW;
    END $function$

CREATE OR REPLACE FUNCTION refuse_other_terms()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    BEGIN
        IF (NEW.id, NEW.user_id, NEW.role_id, NEW.plant_id, NEW.valid_from, NEW.valid_to) IS DISTINCT FROM
           (OLD.id, OLD.user_id, OLD.role_id, OLD.plant_id, OLD.valid_from, OLD.valid_to)
           OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at) THEN
            RAISE EXCEPTION 'an assignment is taken away and given anew, never changed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_identity_user_role_fixed';
        END IF;
        RETURN NEW;
    END $function$

CREATE OR REPLACE FUNCTION refuse_unfit_scopes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    BEGIN
        IF EXISTS (SELECT FROM unnest(NEW.scopes) AS scope
                   LEFT JOIN identity_permission p ON p.code = scope
                   WHERE p.code IS NULL OR p.level = 'esign') THEN
            RAISE EXCEPTION 'a key never signs, and holds nothing that is not there'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_identity_api_key_scopes';
        END IF;
        RETURN NEW;
    END $function$

CREATE TRIGGER below_moved AFTER UPDATE ON core_location FOR EACH ROW WHEN ((((old.path)::text <> (new.path)::text) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION location_below() -- O

CREATE TRIGGER cited_fixed BEFORE UPDATE ON core_address FOR EACH ROW WHEN ((old.cited_at IS NOT NULL)) EXECUTE FUNCTION only_changes('valid_to', 'state', 'version', 'updated_at', 'updated_by', 'retired_at') -- O

CREATE TRIGGER claim_login_names AFTER INSERT OR UPDATE OF login_code, email ON identity_user FOR EACH ROW EXECUTE FUNCTION claim_login_names() -- O

CREATE TRIGGER closed_fixed BEFORE UPDATE ON core_notification FOR EACH ROW WHEN (((old.state)::text = ANY ((ARRAY['acked'::character varying, 'expired'::character varying])::text[]))) EXECUTE FUNCTION only_changes('version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER day_fixed BEFORE UPDATE ON core_plant FOR EACH ROW WHEN (((old.tz <> new.tz) OR (old.day_start <> new.day_start))) EXECUTE FUNCTION plant_day_is_fixed() -- O

CREATE TRIGGER ended_fixed BEFORE UPDATE ON core_system_config FOR EACH ROW WHEN (((old.state)::text = ANY ((ARRAY['superseded'::character varying, 'withdrawn'::character varying])::text[]))) EXECUTE FUNCTION only_changes('version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER ended_fixed BEFORE UPDATE ON core_tag FOR EACH ROW WHEN (((old.state)::text <> 'active'::text)) EXECUTE FUNCTION only_changes('version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER fixed BEFORE DELETE OR UPDATE ON identity_permission FOR EACH ROW EXECUTE FUNCTION refuse_other_code() -- O

CREATE TRIGGER fixed BEFORE UPDATE ON identity_user_role FOR EACH ROW EXECUTE FUNCTION refuse_other_terms() -- O

CREATE TRIGGER goes_empty BEFORE UPDATE OF retired_at ON core_location FOR EACH ROW WHEN (((old.retired_at IS NULL) AND (new.retired_at IS NOT NULL))) EXECUTE FUNCTION location_goes() -- O

CREATE TRIGGER judged_fixed BEFORE UPDATE ON core_attachment FOR EACH ROW WHEN (((old.state)::text = ANY ((ARRAY['clean'::character varying, 'infected'::character varying])::text[]))) EXECUTE FUNCTION only_changes('scan_tries') -- O

CREATE TRIGGER never_changed BEFORE DELETE OR TRUNCATE ON core_notification FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR TRUNCATE ON core_notification_recipient FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR TRUNCATE ON core_system_config FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR TRUNCATE ON core_tag FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_audit_seal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_blob FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_esignature FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_esignature_use FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_note FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON core_voided_fact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON fsq_ccp_monitoring FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON fsq_deviation_step FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON fsq_interlock_stop FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON fsq_trace_link FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON identity_login_name FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_batch_move FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_line_count FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_line_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_quality_check FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_scrap_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_sensor_block FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_stop_fact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_terminal_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON plant_ops_test_weight FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON sync_fork FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON sync_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON sync_telemetry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE TRUNCATE ON core_attachment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE TRUNCATE ON core_tag_link FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON core_attachment_link FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON core_audit_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON identity_api_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON identity_user FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON identity_user_role FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER never_undone BEFORE UPDATE ON core_notification_recipient FOR EACH ROW WHEN ((((old.delivered_at IS NOT NULL) AND (new.delivered_at IS DISTINCT FROM old.delivered_at)) OR ((old.read_at IS NOT NULL) AND (new.read_at IS DISTINCT FROM old.read_at)) OR ((old.acked_at IS NOT NULL) AND (new.acked_at IS DISTINCT FROM old.acked_at)))) EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER only_grows BEFORE UPDATE ON core_audit_head FOR EACH ROW EXECUTE FUNCTION core_audit_only_grows() -- O

CREATE TRIGGER only_repointed BEFORE UPDATE ON core_tag_link FOR EACH ROW WHEN (true) EXECUTE FUNCTION only_changes('tag_id') -- O

CREATE TRIGGER open_fixed BEFORE UPDATE ON core_attachment FOR EACH ROW WHEN (((old.state)::text = 'open'::text)) EXECUTE FUNCTION only_changes('state', 'received', 'touched_at', 'media_type', 'blob_sha256', 'completed_at') -- O

CREATE TRIGGER origin_fixed BEFORE UPDATE ON core_tag FOR EACH ROW WHEN (true) EXECUTE FUNCTION only_changes('key', 'value', 'colour', 'state', 'merged_into_id', 'retired_at', 'version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER path_kept BEFORE INSERT OR UPDATE OF parent_id, code, plant_id ON core_location FOR EACH ROW EXECUTE FUNCTION location_path() -- O

CREATE TRIGGER proposed_fixed BEFORE UPDATE ON core_system_config FOR EACH ROW WHEN (((old.state)::text = 'proposed'::text)) EXECUTE FUNCTION only_changes('state', 'valid_from', 'valid_to', 'signed_by', 'signed_at', 'version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER says_the_same_record BEFORE INSERT ON core_note FOR EACH ROW WHEN ((new.supersedes_id IS NOT NULL)) EXECUTE FUNCTION core_note_says_anew() -- O

CREATE TRIGGER scopes BEFORE INSERT OR UPDATE OF scopes ON identity_api_key FOR EACH ROW EXECUTE FUNCTION refuse_unfit_scopes() -- O

CREATE TRIGGER signed_keeps_files BEFORE DELETE ON core_attachment_link FOR EACH ROW EXECUTE FUNCTION refuse_detaching() -- O

CREATE TRIGGER stored_fixed BEFORE UPDATE ON core_attachment FOR EACH ROW WHEN (((old.state)::text = ANY ((ARRAY['pending'::character varying, 'failed'::character varying])::text[]))) EXECUTE FUNCTION only_changes('state', 'finding', 'scanned_at', 'scan_tries') -- O

CREATE TRIGGER stored_kept BEFORE DELETE ON core_attachment FOR EACH ROW WHEN (((old.state)::text <> 'open'::text)) EXECUTE FUNCTION refuse_change() -- O

CREATE TRIGGER system_fixed BEFORE UPDATE ON core_tag FOR EACH ROW WHEN (old.is_system) EXECUTE FUNCTION only_changes('colour', 'version', 'updated_at', 'updated_by') -- O

CREATE TRIGGER value_fixed BEFORE UPDATE ON core_system_config FOR EACH ROW WHEN (((old.state)::text = ANY ((ARRAY['scheduled'::character varying, 'effective'::character varying])::text[]))) EXECUTE FUNCTION only_changes('state', 'valid_to', 'version', 'updated_at', 'updated_by') -- O

GRANT DELETE, INSERT, SELECT, UPDATE ON alembic_version TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_address TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_attachment TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_attachment_chunk TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_attachment_link TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_blob TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_contact TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_feed_counter TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_feed_row TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_idempotency_key TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_live_counter TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_live_row TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_location TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_notification TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_notification_recipient TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_plant TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_quiet_hours TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_system_config TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON core_tag_link TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_ccp TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_ccp_version TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_deviation TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_lot TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_lot_hold TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_number_series TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON fsq_pallet TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_api_key TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_invitation TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_login_attempt TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_password_reset_token TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_permission TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_recovery_code TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_refresh_token TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_rights_mark TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_role TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_role_permission TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_signing_key TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_user TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_user_role TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON identity_ws_ticket TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON planning_bom TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON planning_bom_line TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON planning_item TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON planning_work_order TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_batch TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_downtime TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_equipment TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_line TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_line_product_rate TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_reason TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_sensor TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_sensor_latest TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_shift_pattern TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON plant_ops_weight_spec TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_dead TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_head TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_nonce TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_parked TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_presence TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_safe TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_snapshot TO t_template

GRANT DELETE, INSERT, SELECT, UPDATE ON sync_snapshot_part TO t_template

GRANT INSERT, SELECT ON core_audit TO t_template

GRANT INSERT, SELECT ON core_audit_seal TO t_template

GRANT INSERT, SELECT ON core_esignature TO t_template

GRANT INSERT, SELECT ON core_esignature_use TO t_template

GRANT INSERT, SELECT ON core_note TO t_template

GRANT INSERT, SELECT ON core_voided_fact TO t_template

GRANT INSERT, SELECT ON fsq_ccp_monitoring TO t_template

GRANT INSERT, SELECT ON fsq_deviation_step TO t_template

GRANT INSERT, SELECT ON fsq_interlock_stop TO t_template

GRANT INSERT, SELECT ON fsq_trace_link TO t_template

GRANT INSERT, SELECT ON identity_login_name TO t_template

GRANT INSERT, SELECT ON plant_ops_batch_move TO t_template

GRANT INSERT, SELECT ON plant_ops_line_count TO t_template

GRANT INSERT, SELECT ON plant_ops_line_event TO t_template

GRANT INSERT, SELECT ON plant_ops_quality_check TO t_template

GRANT INSERT, SELECT ON plant_ops_scrap_event TO t_template

GRANT INSERT, SELECT ON plant_ops_sensor_block TO t_template

GRANT INSERT, SELECT ON plant_ops_stop_fact TO t_template

GRANT INSERT, SELECT ON plant_ops_terminal_event TO t_template

GRANT INSERT, SELECT ON plant_ops_test_weight TO t_template

GRANT INSERT, SELECT ON sync_fork TO t_template

GRANT INSERT, SELECT ON sync_log TO t_template

GRANT INSERT, SELECT ON sync_telemetry TO t_template

GRANT INSERT, SELECT, UPDATE ON core_audit_head TO t_template

GRANT INSERT, SELECT, UPDATE ON core_tag TO t_template

GRANT SELECT ON alembic_version TO "t_template-ro"

GRANT SELECT ON core_address TO "t_template-ro"

GRANT SELECT ON core_attachment TO "t_template-ro"

GRANT SELECT ON core_attachment_chunk TO "t_template-ro"

GRANT SELECT ON core_attachment_link TO "t_template-ro"

GRANT SELECT ON core_audit TO "t_template-ro"

GRANT SELECT ON core_audit_head TO "t_template-ro"

GRANT SELECT ON core_audit_seal TO "t_template-ro"

GRANT SELECT ON core_blob TO "t_template-ro"

GRANT SELECT ON core_contact TO "t_template-ro"

GRANT SELECT ON core_esignature TO "t_template-ro"

GRANT SELECT ON core_esignature_use TO "t_template-ro"

GRANT SELECT ON core_feed_counter TO "t_template-ro"

GRANT SELECT ON core_feed_row TO "t_template-ro"

GRANT SELECT ON core_idempotency_key TO "t_template-ro"

GRANT SELECT ON core_live_counter TO "t_template-ro"

GRANT SELECT ON core_live_row TO "t_template-ro"

GRANT SELECT ON core_location TO "t_template-ro"

GRANT SELECT ON core_note TO "t_template-ro"

GRANT SELECT ON core_notification TO "t_template-ro"

GRANT SELECT ON core_notification_recipient TO "t_template-ro"

GRANT SELECT ON core_plant TO "t_template-ro"

GRANT SELECT ON core_quiet_hours TO "t_template-ro"

GRANT SELECT ON core_system_config TO "t_template-ro"

GRANT SELECT ON core_tag TO "t_template-ro"

GRANT SELECT ON core_tag_link TO "t_template-ro"

GRANT SELECT ON core_voided_fact TO "t_template-ro"

GRANT SELECT ON fsq_ccp TO "t_template-ro"

GRANT SELECT ON fsq_ccp_monitoring TO "t_template-ro"

GRANT SELECT ON fsq_ccp_version TO "t_template-ro"

GRANT SELECT ON fsq_deviation TO "t_template-ro"

GRANT SELECT ON fsq_deviation_step TO "t_template-ro"

GRANT SELECT ON fsq_interlock_stop TO "t_template-ro"

GRANT SELECT ON fsq_lot TO "t_template-ro"

GRANT SELECT ON fsq_lot_hold TO "t_template-ro"

GRANT SELECT ON fsq_number_series TO "t_template-ro"

GRANT SELECT ON fsq_pallet TO "t_template-ro"

GRANT SELECT ON fsq_trace_link TO "t_template-ro"

GRANT SELECT ON identity_api_key TO "t_template-ro"

GRANT SELECT ON identity_invitation TO "t_template-ro"

GRANT SELECT ON identity_login_attempt TO "t_template-ro"

GRANT SELECT ON identity_login_name TO "t_template-ro"

GRANT SELECT ON identity_password_reset_token TO "t_template-ro"

GRANT SELECT ON identity_permission TO "t_template-ro"

GRANT SELECT ON identity_recovery_code TO "t_template-ro"

GRANT SELECT ON identity_refresh_token TO "t_template-ro"

GRANT SELECT ON identity_rights_mark TO "t_template-ro"

GRANT SELECT ON identity_role TO "t_template-ro"

GRANT SELECT ON identity_role_permission TO "t_template-ro"

GRANT SELECT ON identity_signing_key TO "t_template-ro"

GRANT SELECT ON identity_user TO "t_template-ro"

GRANT SELECT ON identity_user_role TO "t_template-ro"

GRANT SELECT ON identity_ws_ticket TO "t_template-ro"

GRANT SELECT ON planning_bom TO "t_template-ro"

GRANT SELECT ON planning_bom_line TO "t_template-ro"

GRANT SELECT ON planning_item TO "t_template-ro"

GRANT SELECT ON planning_work_order TO "t_template-ro"

GRANT SELECT ON plant_ops_batch TO "t_template-ro"

GRANT SELECT ON plant_ops_batch_move TO "t_template-ro"

GRANT SELECT ON plant_ops_downtime TO "t_template-ro"

GRANT SELECT ON plant_ops_equipment TO "t_template-ro"

GRANT SELECT ON plant_ops_line TO "t_template-ro"

GRANT SELECT ON plant_ops_line_count TO "t_template-ro"

GRANT SELECT ON plant_ops_line_event TO "t_template-ro"

GRANT SELECT ON plant_ops_line_product_rate TO "t_template-ro"

GRANT SELECT ON plant_ops_quality_check TO "t_template-ro"

GRANT SELECT ON plant_ops_reason TO "t_template-ro"

GRANT SELECT ON plant_ops_scrap_event TO "t_template-ro"

GRANT SELECT ON plant_ops_sensor TO "t_template-ro"

GRANT SELECT ON plant_ops_sensor_block TO "t_template-ro"

GRANT SELECT ON plant_ops_sensor_latest TO "t_template-ro"

GRANT SELECT ON plant_ops_shift_pattern TO "t_template-ro"

GRANT SELECT ON plant_ops_stop_fact TO "t_template-ro"

GRANT SELECT ON plant_ops_terminal_event TO "t_template-ro"

GRANT SELECT ON plant_ops_test_weight TO "t_template-ro"

GRANT SELECT ON plant_ops_weight_spec TO "t_template-ro"

GRANT SELECT ON sync_dead TO "t_template-ro"

GRANT SELECT ON sync_fork TO "t_template-ro"

GRANT SELECT ON sync_head TO "t_template-ro"

GRANT SELECT ON sync_log TO "t_template-ro"

GRANT SELECT ON sync_nonce TO "t_template-ro"

GRANT SELECT ON sync_parked TO "t_template-ro"

GRANT SELECT ON sync_presence TO "t_template-ro"

GRANT SELECT ON sync_safe TO "t_template-ro"

GRANT SELECT ON sync_snapshot TO "t_template-ro"

GRANT SELECT ON sync_snapshot_part TO "t_template-ro"

GRANT SELECT ON sync_telemetry TO "t_template-ro"

GRANT SELECT, USAGE ON identity_login_attempt_seq_seq TO t_template
