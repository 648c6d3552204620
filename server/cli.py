"""``foodflow-server``: serve, migrate, make tenants and users, approve terminals, print the API."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TextIO
from uuid import UUID

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock, clock_from_env
from foodflow_kernel.errors import FoodFlowError
from server import administrators, backups, seed, serving
from server.app import create_app
from server.core import audit, audit_check, seals, tls
from server.core.actor import system
from server.core.backup import folder
from server.core.db import fleet, postgres, provision, registry, transfer
from server.core.db.sessions import Database, TenantRef
from server.core.files.store import Files
from server.core.settings import Settings, from_environment
from server.identity import devices, keys, operators, people
from server.sync import terminals
from server.sync import verify as chains

Command = Callable[[argparse.Namespace, Settings, Clock], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a refusal is one sentence on standard error and exit status 1."""
    given = parser().parse_args(arguments)
    over = {name: value for name, value in vars(given).items() if name in Settings.model_fields and value is not None}
    try:
        settings = from_environment(os.environ, **over)
        command: Command = given.command
        return command(given, settings, clock_from_env())
    except FoodFlowError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1


def parser() -> argparse.ArgumentParser:  # noqa: PLR0915  # a list of commands
    """The commands and their options."""
    made = argparse.ArgumentParser(prog="foodflow-server", description=__doc__)
    made.add_argument("--data-folder", type=Path, help="where the server keeps its data")
    commands = made.add_subparsers(required=True, metavar="command")
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {"": commands}

    def group_of(name: str) -> argparse._SubParsersAction[argparse.ArgumentParser]:
        if name not in groups:
            above, _, last = name.rpartition(" ")
            parent = group_of(above).add_parser(last, help=f"{name} ...")
            groups[name] = parent.add_subparsers(required=True, metavar="verb")
        return groups[name]

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        group, _, verb = name.rpartition(" ")
        each = group_of(group).add_parser(verb, help=text, description=text)
        each.set_defaults(command=command)
        return each

    served = add(
        "serve", serving.serve, "start the server; migrates first, and starts its own PostgreSQL if none is named"
    )
    served.add_argument("--host")
    served.add_argument("--port", type=int)
    served.add_argument("--seed-demo", action="store_true", help="make the two demo tenants if they are not there")
    served.add_argument("--ready-file", type=Path, help="write the address here once requests are answered")
    add("worker", serving.work, "do the periodic jobs, and nothing else, until told to stop")
    moved = add("migrate", migrate, "bring the platform and every tenant to the newest revision")
    moved.add_argument("--jobs", type=_positive, default=1, help="companies at once; default 1")
    after = moved.add_mutually_exclusive_group()
    after.add_argument("--keep-going", action="store_true", help="try the others after one has failed (default)")
    after.add_argument("--stop", action="store_true", help="try no further one after one has failed")
    moved.add_argument("--report", type=Path, help="write what became of each here, as JSON")
    tenant = add("tenant create", tenant_create, "make a company: schema, role, registry")
    tenant.add_argument("slug")
    tenant.add_argument("legal_name")
    tenant.add_argument("--gs1-prefix", default="9501101")
    tenant.add_argument("--tz", default="UTC")
    tenant.add_argument("--regime", action="append", default=[], choices=registry.REGIMES, help="a law it works under")
    left = add("tenant export", tenant_export, "write all of a company, as of one instant, to a file")
    left.add_argument("slug")
    left.add_argument("file", type=Path)
    come = add("tenant import", tenant_import, "make a company of such a file")
    come.add_argument("file", type=Path)
    come.add_argument("--as", dest="slug", help="its name here; default the one it had")
    user = add(
        "user create",
        user_create,
        "make a person's account; standard input says the password, then the PIN",
    )
    user.add_argument("tenant")
    user.add_argument("login_code")
    user.add_argument("short_no")
    user.add_argument("printed_name")
    user.add_argument("--email")
    user.add_argument("--role", action="append", default=[])
    user.add_argument("--plant", type=UUID)
    operator = add("platform user create", platform_user_create, "make an account of somebody who runs the platform")
    operator.add_argument("email")
    operator.add_argument("printed_name")
    add("platform user list", platform_user_list, "who runs the platform")
    for verb, (change, text) in administrators.CHANGES.items():
        changed = add(f"platform user {verb}", platform_user_change, text)
        changed.set_defaults(change=change)
        changed.add_argument("email")
        changed.add_argument("reason", type=administrators.reason, help="kept in the platform's audit")
    listed = add("device list", device_list, "the terminals of a company; those that wait show only by their code")
    listed.add_argument("tenant")
    approved = add("device approve", device_approve, "let a terminal in, after comparing four words with its screen")
    approved.add_argument("tenant")
    approved.add_argument("code", help="as the terminal shows it")
    approved.add_argument("name", help="what the terminal is called, such as T-07")
    approved.add_argument("--line", type=UUID, help="the line it stands at")
    approved.add_argument("--plant", type=UUID, help="the plant, for a terminal without a line")
    approved.add_argument("--area", default="")
    add("seed", seed_demo, "make the two demo companies; what is there stays as it is")
    verified = add("verify", verify, "recompute the chains of all terminals from the stored bytes; 1 if a row is bad")
    verified.add_argument("--tenant", help="slug of one tenant; default all")
    verified.add_argument("--device", type=UUID, help="one terminal")
    for name, command, text in (
        ("audit verify", audit_verify, "check all rows and seals of the audit trail; 1 if one is wrong"),
        ("audit anchors", audit_anchors, "print the roots of all seals, to be kept on paper or elsewhere"),
    ):
        add(name, command, text).add_argument("--tenant", help="slug of one tenant; default all")
    rotated = add("keys rotate", keys_rotate, "let a new key sign access tokens; nobody has to sign in again")
    rotated.add_argument("--tenant", help="slug of one tenant; default all")
    rotated.add_argument("--stolen", action="store_true", help="refuse the tokens of the old keys within a minute")
    add("backup take", backup_take, "take a base backup now, and verify it by restoring it beside the server")
    proved = add("backup verify", backup_verify, "restore a backup beside the server, with all of the log, and look")
    proved.add_argument("name", nargs="?", default=folder.LATEST, help="as backup list shows it; default the newest")
    add("backup list", backup_list, "the backups, oldest first; 1 if the newest is not verified")
    restored = add("restore", restore, "make a new data folder of a backup; the live one is not touched")
    restored.add_argument("name", help=f"as backup list shows it, or {folder.LATEST}")
    restored.add_argument(
        "--at", help="stop at this instant, such as 2026-11-28T14:30:00Z; default all that is archived"
    )
    restored.add_argument("--into", type=Path, required=True, help="the new data folder: new, or empty")
    add("drill", drill, "take, verify, restore and start a backup, check all of it, and remove it; 1 if it is not good")
    add("openapi", openapi, "print the OpenAPI document")
    add("ca", print_ca, "print the CA certificate that terminals pin")
    return made


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def migrate(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Migrate everything and say what became of each; 1 if one is not at the newest revision."""
    done: list[fleet.Outcome] = []

    async def work(database: Database) -> None:
        done.extend(await serving.bring_up(database, jobs=given.jobs, keep_going=not given.stop, report=given.report))
        for each in done:
            sys.stdout.write(f"{each}\n")

    serving.run(settings, clock, work)
    return 0 if all(each.is_good for each in done) else 1


def tenant_create(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Provision a tenant with its system roles."""

    async def work(database: Database) -> None:
        await serving.brought_up(database)
        made = await provision.create_tenant(
            database,
            given.slug,
            given.legal_name,
            gs1_company_prefix=given.gs1_prefix,
            default_tz=given.tz,
            regimes=given.regime,
            fill=people.ensure_roles,
        )
        sys.stdout.write(f"{made.name}: tenant {made.slug}, schema {made.schema}\n")

    serving.run(settings, clock, work)
    return 0


def tenant_export(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Write a company to a file; that is in its audit trail first."""

    async def work(database: Database) -> None:
        tenant = await database.tenant_by_slug(given.slug)
        actor = system(tenant.id, "foodflow-server")
        async with database.tenant_session(tenant.id, actor) as db:
            audit.write(db, actor, "core.tenant.export", "core.tenant", tenant.id)
        made = await transfer.export_tenant(database, tenant, given.file, Files(settings).of)
        rows = sum(part.rows for part in made.tables.values())
        what = f"{rows} rows of {len(made.tables)} tables, {len(made.files)} attached files"
        sys.stdout.write(f"{tenant.slug}: {what}, revision {made.revision}\n")
        for sha256 in made.missing:
            sys.stderr.write(f"not in the store, or damaged: content {sha256}\n")

    serving.run(settings, clock, work)
    return 0


def tenant_import(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Make a company of a file, with its audit trail going on."""

    async def fill(db: AsyncSession) -> None:
        await people.ensure_roles(db)
        actor = system(db.info["tenant_id"], "foodflow-server")
        audit.write(db, actor, "core.tenant.import", "core.tenant", actor.tenant_id)

    async def work(database: Database) -> None:
        await serving.brought_up(database)
        made = await transfer.import_tenant(database, given.file, Files(settings).of, given.slug, fill)
        sys.stdout.write(f"{made.name}: tenant {made.slug}, schema {made.schema}\n")

    serving.run(settings, clock, work)
    return 0


def user_create(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Make an account; secrets come from standard input, never from the command line."""
    password, pin = _secret("Password: ", sys.stdin), _secret("PIN: ", sys.stdin)
    new = people.NewUser(
        login_code=given.login_code,
        short_no=given.short_no,
        printed_name=given.printed_name,
        email=given.email,
        password=password or None,
        pin=pin or None,
        roles=tuple(given.role),
        plant_id=given.plant,
    )

    async def work(database: Database) -> None:
        tenant = await database.tenant_by_slug(given.tenant)
        async with database.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
            user = await people.add(db, new)
        sys.stdout.write(f"{user.printed_name} may sign in as {user.login_code}\n")

    serving.run(settings, clock, work)
    return 0


def platform_user_create(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Make an administrator of the platform; the password comes from standard input."""
    password = _secret("Password: ", sys.stdin)

    async def work(database: Database) -> None:
        await serving.brought_up(database)
        async with database.platform_session() as db:
            made = await operators.add(db, clock, given.email, given.printed_name, password)
        sys.stdout.write(f"{made.printed_name} may sign in at the platform as {made.email}\n")

    serving.run(settings, clock, work)
    return 0


def platform_user_list(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Say who runs the platform."""
    serving.run(settings, clock, administrators.listed)
    return 0


def platform_user_change(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Shut somebody out who runs the platform, or let them in again."""
    serving.run(
        settings, clock, lambda database: administrators.change(database, given.email, given.reason, given.change)
    )
    return 0


def seed_demo(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Make the demo companies and say which."""

    async def work(database: Database) -> None:
        await serving.brought_up(database)
        for made in await seed.seed(database):
            sys.stdout.write(f"{made.name}: tenant {made.slug}\n")

    serving.run(settings, clock, work)
    return 0


def device_list(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Print the terminals of a tenant, one a line."""

    async def work(database: Database) -> None:
        tenant = await database.tenant_by_slug(given.tenant)
        for row in await devices.listed(database, system(tenant.id, "foodflow-server")):
            sys.stdout.write(
                f"{row.id}  {row.state:<9} {row.name or '-':<8} {row.plant_name or '-'}  {row.area or ''}\n"
            )

    serving.run(settings, clock, work)
    return 0


def device_approve(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Show the four words and approve when a person says that the terminal shows the same."""
    ca_der = tls.ensure(settings.data_folder / "tls", settings.names, clock).ca_der
    answers = []

    async def work(database: Database) -> None:
        tenant = await database.tenant_by_slug(given.tenant)
        actor = system(tenant.id, "foodflow-server")
        row = (await devices.listed(database, actor, given.code))[0]
        sys.stdout.write(f"{row.machine_name} shows: {' '.join(devices.shown(row, ca_der).words)}\nThe same? (yes/no) ")
        sys.stdout.flush()
        answers.append((await asyncio.to_thread(sys.stdin.readline)).strip().lower())
        if answers[0] != "yes":
            sys.stdout.write("Not approved.\n")
            return
        place = devices.Approve(line_id=given.line, plant_id=given.plant, name=given.name, area=given.area)
        async with database.tenant_session(tenant.id, actor) as db:
            made = await devices.admit(database, db, row.id, place)
        sys.stdout.write(f"{made.name} is in, at {made.plant_name}\n")

    serving.run(settings, clock, work)
    return 0 if answers == ["yes"] else 1


def _secret(prompt: str, stream: TextIO) -> str:
    if stream.isatty():
        import getpass  # noqa: PLC0415  # only at a terminal

        return getpass.getpass(prompt)
    return stream.readline().strip()


def verify(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Name the first bad row of every lane that does not hold."""
    bad = 0

    async def work(database: Database) -> None:
        nonlocal bad
        for tenant in await _named(database, given.tenant):
            keys = {each.device_id: each.public_key for each in await terminals.of_tenant(database, tenant.id)}
            async with database.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
                found = await chains.verify(db, keys, given.device)
            bad += len(found.findings)
            sys.stdout.write(f"{tenant.slug}: {found.rows} rows in {found.lanes} lanes, {len(found.findings)} bad\n")
            for finding in found.findings:
                sys.stdout.write(f"  {finding.what}: {finding.sentence}\n")

    serving.run(settings, clock, work)
    return 1 if bad else 0


def audit_verify(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Name the first row or seal of each tenant's audit trail that is not as it was written."""
    bad = 0

    async def work(database: Database) -> None:
        nonlocal bad
        for tenant in await _named(database, given.tenant):
            anchors = seals.read_anchors(seals.anchor_file(settings.data_folder, tenant))
            async with database.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
                found = await audit_check.verify(db, anchors)
            said = found.finding.sentence if found.finding else "all as written"
            bad += found.finding is not None
            sys.stdout.write(
                f"{tenant.slug}: {found.rows} rows, {found.seals} seals, {found.anchors} anchors: {said}\n"
            )

    serving.run(settings, clock, work)
    return 1 if bad else 0


def audit_anchors(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Print each seal's number, last row, time and root, as the anchor file has them."""

    async def work(database: Database) -> None:
        for tenant in await _named(database, given.tenant):
            for each in seals.read_anchors(seals.anchor_file(settings.data_folder, tenant)):
                sys.stdout.write(f"{tenant.slug}  {each.number:>8}  {each.to_seq:>10}  {each.at}  {each.root}\n")

    serving.run(settings, clock, work)
    return 0


def keys_rotate(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Rotate the signing keys and say which key signs now."""

    async def work(database: Database) -> None:
        for tenant in await _named(database, given.tenant):
            async with database.tenant_session(tenant.id, system(tenant.id, "foodflow-server")) as db:
                made = await keys.Keyring(database.cluster.secret).rotate(db, is_stolen=given.stolen)
            sys.stdout.write(f"{tenant.slug}: {made.id} signs\n")

    serving.run(settings, clock, work)
    return 0


async def _named(database: Database, slug: str | None) -> list[TenantRef]:
    return [await database.tenant_by_slug(slug)] if slug else await database.tenants()


def backup_take(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Take a backup and verify it."""
    return _with_backups(settings, clock, lambda database: backups.take(database, settings, clock))


def backup_verify(given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Verify a backup."""
    return _with_backups(settings, clock, lambda database: backups.verify(database, settings, clock, given.name))


def drill(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Take, verify, restore, start and check a backup."""
    return _with_backups(settings, clock, lambda database: backups.drill(database, settings, clock))


def _with_backups(settings: Settings, clock: Clock, what: Callable[[Database], Awaitable[int]]) -> int:
    backups.place_of(settings)  # refused before anything is started
    status = []

    async def work(database: Database) -> None:
        status.append(await what(database))

    serving.run(settings, clock, work)
    return status[0]


def backup_list(_given: argparse.Namespace, settings: Settings, _clock: Clock) -> int:
    """Print the backups; needs no database."""
    return backups.listed(settings)


def restore(given: argparse.Namespace, settings: Settings, _clock: Clock) -> int:
    """Make a new data folder of a backup; needs no live database."""
    return asyncio.run(backups.restore(settings, given.name, given.into, given.at))


def openapi(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Print the API's description; needs no database."""
    nowhere = postgres.Cluster(URL.create("postgresql+psycopg"), b"", URL.create("postgresql+psycopg"))
    sys.stdout.write(json.dumps(create_app(settings, clock, nowhere).openapi(), indent=1) + "\n")
    return 0


def print_ca(_given: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    """Print the CA certificate as PEM."""
    sys.stdout.write(tls.ensure(settings.data_folder / "tls", settings.names, clock).ca.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
