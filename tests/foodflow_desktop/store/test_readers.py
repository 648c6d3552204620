"""Many threads read at once, and none has its connection closed under it (it crashed the kiosk)."""

from __future__ import annotations

import threading
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import text

from foodflow_desktop.store import files

THREADS, ROUNDS, ROWS = 12, 30, 5000


def test_more_readers_than_any_pool_has_places_all_read_everything(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    made = sqlite.connect(path)
    made.execute("create table t (a)")
    made.executemany("insert into t values (?)", [(n,) for n in range(ROWS)])
    made.commit()
    made.close()
    engine = files.reader_engine(path)
    read: list[int] = []

    def run() -> None:
        for _ in range(ROUNDS):
            with engine.connect() as db:
                read.append(len(db.execute(text("select a from t")).all()))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert read == [ROWS] * (THREADS * ROUNDS)
