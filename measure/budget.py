"""The budget: races of dispatchers on one pool, with crashes, on both stores."""
import json, pathlib, subprocess, tempfile

import rows
from postgres_server import server

RACES, KILLED = 10_000, 1_000


def races(place):
    rows.build("-p", "banksman-store", "--features", "conformance", "--example", "budget_races")
    example = rows.target_dir() / "release" / "examples" / "budget_races"
    done = subprocess.run([example, "--store", place, "--races", str(RACES), "--killed", str(KILLED)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])
    return json.loads(done.stdout)


def told(name, measured):
    clean = measured["overspent"] == 0 and measured["leaked"] == 0
    return clean, (f"{name}: {measured['races']:,} races, {measured['dropped']:,} dispatchers dropped, {measured['kills']:,} processes killed, "
                   f"{measured['open_before_recovery']:,} reservations left open and looked after; overspend {measured['overspent']}, "
                   f"leaked {measured['leaked']}; {measured['settled']:,} settled; {measured['seconds']:.0f} s")


@rows.row("budget-races", f"{RACES:,} races of 16 dispatchers on one pool with crashes ({KILLED:,} of them of processes that are killed), both stores",
          "overspend 0, no reservation leaked")
def budget_races():
    with tempfile.TemporaryDirectory(prefix="banksman-budget-") as folder:
        on_sqlite, sqlite = told("SQLite", races(str(pathlib.Path(folder) / "store.db")))
    with server() as url:
        on_postgres, postgres = told("PostgreSQL", races(f"{url}?schema=races"))
    return rows.Result(on_sqlite and on_postgres, f"{sqlite}; {postgres}")
