"""Rows about data sets: a million observations to Parquet, and real pull requests replayed through store, journals, statistics and export."""
import collections, csv, datetime, gzip, hashlib, json, os, pathlib, re, resource, shutil, sqlite3, statistics, subprocess, sys, tempfile, time

from rows import ROOT, Missing, Result, binary, build, environment, row, spread, target_dir

OBSERVATIONS = 1_000_000
# Readers of others, by pinned versions.
READERS = ["pandas==2.3.3", "pyarrow==22.0.0", "duckdb==1.4.2"]

# The documented types, as pandas and DuckDB call them.
KINDS = {
    "bool": ({"bool"}, {"BOOLEAN"}),
    "int64": ({"int64"}, {"BIGINT"}),
    "float64": ({"float64"}, {"DOUBLE"}),
    "string": ({"object", "str", "string"}, {"VARCHAR"}),
    "timestamp[ns, UTC]": ({"datetime64[ns, UTC]"}, {"TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}),
}
# What pandas makes of the same types where values are missing.
WITH_HOLES = {"bool": {"object", "bool"}, "int64": {"float64", "int64"}}


def readers():
    """A Python with pandas, pyarrow and DuckDB, made once in the folder of what is built."""
    venv = target_dir() / "measure-readers"
    python = venv / "bin" / "python"
    mark = venv / "installed"
    if not mark.exists() or mark.read_text() != " ".join(READERS):
        shutil.rmtree(venv, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", venv], capture_output=True, text=True)
        made = made.returncode == 0 and subprocess.run([python, "-m", "pip", "install", "--quiet", *READERS], capture_output=True, text=True)
        if not made or made.returncode != 0:
            raise Missing("pandas, pyarrow and DuckDB could not be installed: " + (made.stderr[-200:] if made else "no venv"))
        mark.write_text(" ".join(READERS))
    return python


READ = r"""
import json, sys, pathlib, pandas, duckdb
folder = pathlib.Path(sys.argv[1])
out = {}
for file in sorted(folder.glob("*.parquet")):
    frame = pandas.read_parquet(file)
    shown = duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
    counted = duckdb.sql(f"SELECT count(*), count(DISTINCT repo || '#' || pr) FROM '{file}'").fetchone()
    numbers = {}
    for name, kind, *_ in shown:
        total = f"sum(\"{name}\")" if kind in ("BIGINT", "DOUBLE") else f"count(\"{name}\")"
        theirs = duckdb.sql(f"SELECT {total} FROM '{file}'").fetchone()[0]
        ours = frame[name].sum() if kind in ("BIGINT", "DOUBLE") else frame[name].count()
        numbers[name] = [float(theirs or 0), float(ours)]
    out[file.stem] = {"pandas": {n: str(t) for n, t in frame.dtypes.items()}, "rows": len(frame),
                      "duckdb": {n: t for n, t, *_ in shown}, "counted": counted, "numbers": numbers}
print(json.dumps(out))
"""


def calm():
    """The environment without what is said to the rows: Banksman refuses variables that it does not know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BANKSMAN_")}


def export(program, home, out, form, *more):
    """Seconds, peak memory in MiB and the printed JSON of one export."""
    before = time.monotonic()
    command = [program, "--json", "--home", home, "training", "export", "--format", form, "--out", out, *more]
    # Of all children so far the kernel keeps the largest alone, so each is measured in a process of its own.
    watcher = ("import json,resource,subprocess,sys\n"
               "done=subprocess.run(sys.argv[1:],capture_output=True,text=True)\n"
               "print(json.dumps([done.returncode,done.stdout,done.stderr,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))")
    done = subprocess.run([sys.executable, "-c", watcher, *map(str, command)], capture_output=True, text=True, check=True, env=calm())
    code, printed, said, peak = json.loads(done.stdout)
    if code != 0:
        raise RuntimeError(f"export failed: {said}")
    return time.monotonic() - before, peak / 1024, json.loads(printed)


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(pathlib.Path(folder).iterdir())}


def types_differ(card, read):
    """Columns whose type a reader does not see as the data card says."""
    wrong = []
    for table in card["columns"]:
        seen = read[table["table"]]
        for column in table["columns"]:
            pandas, duckdb = KINDS[column["type"]]
            if column["nullable"]:
                pandas = pandas | WITH_HOLES.get(column["type"], set())
            name = column["name"]
            if seen["pandas"].get(name) not in pandas or seen["duckdb"].get(name) not in duckdb:
                wrong.append(f"{table['table']}.{name} {seen['pandas'].get(name)} {seen['duckdb'].get(name)}")
        if len(seen["pandas"]) != len(table["columns"]):
            wrong.append(f"{table['table']} has other columns")
    return wrong


@row("export", "1,000,000 observations of a store to Parquet with pairs, episodes and data card; opened in pandas and DuckDB (PyPI)",
     "under 10 s, under 300 MiB; same bytes twice; documented types")
def million():
    python = readers()
    program = binary()
    build("-p", "banksman-learn", "--example", "fill")
    observations = int(os.environ.get("BANKSMAN_EXPORT_OBSERVATIONS", OBSERVATIONS))
    with tempfile.TemporaryDirectory(prefix="banksman-export-", dir=os.environ.get("TMPDIR")) as folder:
        home = pathlib.Path(folder, "home")
        home.mkdir()
        filled = subprocess.run([target_dir() / "release" / "examples" / "fill", home / "store.db", str(observations)],
                                capture_output=True, text=True, check=True).stdout
        times, peaks, sets = [], [], []
        for run in range(3):
            out = pathlib.Path(folder, f"set-{run}")
            took, peak, printed = export(program, home, out, "parquet")
            times.append(took), peaks.append(peak), sets.append(digests(out))
        clean, _, cleaned = export(program, home, pathlib.Path(folder, "clean"), "parquet", "--clean")
        out = pathlib.Path(folder, "set-0")
        size = sum(file.stat().st_size for file in out.iterdir()) / 2**20
        read = json.loads(subprocess.run([python, "-c", READ, out], capture_output=True, text=True, check=True).stdout)
        read_clean = json.loads(subprocess.run([python, "-c", READ, pathlib.Path(folder, "clean")], capture_output=True, text=True, check=True).stdout)
        wrong = types_differ(json.loads((out / "data-card.json").read_text()), read)
        wrong += types_differ(json.loads(pathlib.Path(folder, "clean", "data-card.json").read_text()), read_clean)
    rows = {table["name"]: table["rows"] for table in printed["tables"]}
    for table, count in rows.items():
        if read[table]["rows"] != count or read[table]["counted"][0] != count:
            wrong.append(f"{table}: {count} rows written, {read[table]['rows']} and {read[table]['counted'][0]} read")
        for name, (theirs, ours) in read[table]["numbers"].items():
            if abs(theirs - ours) > 1e-6 * max(1.0, abs(ours)):
                wrong.append(f"{table}.{name}: DuckDB sums {theirs}, pandas {ours}")
    same = all(each == sets[0] for each in sets)
    ok = statistics.median(times) < 10 and max(peaks) < 300 and same and not wrong and rows["observations"] == observations == int(filled)
    print(f"   {sum(rows.values()):,} rows in five tables, {size:.0f} MiB; clean in {clean:.1f} s; {' '.join(READERS)}")
    return Result(ok, f"{spread(times, 's')}, peak {max(peaks):.0f} MiB; bytes {'the same' if same else 'DIFFER'} in 3 runs; "
                      + ("types and sums as documented in pandas and DuckDB" if not wrong else "; ".join(wrong[:5])))


# ---- replay ----

ACTIONS = {"auto_merge_enabled": "enable_auto_merge", "auto_squash_enabled": "enable_auto_merge", "auto_rebase_enabled": "enable_auto_merge",
           "review_requested": "request_review_fix", "merged": "merge", "closed": "resolve"}


def recomputed(pulls, events):
    """The numbers that store, statistics and export have to come to, straight from the data."""
    want = {"observations": len(pulls) + len(events)}
    of = collections.defaultdict(list)
    for event in events:
        of[event["pr"]].append(event)
    taken, flows, ended, success = (collections.Counter() for _ in range(4))
    hours = collections.defaultdict(list)
    for pull in pulls:
        own = collections.Counter(ACTIONS[e["event"]] for e in of[pull["pr"]] if e["event"] in ACTIONS)
        for action, times in own.items():
            taken[action] += times
            flows[action] += 1
            if pull["outcome"] != "open":
                ended[action] += 1
                success[action] += pull["outcome"] == "merged"
                hours[action].append(pull["hours_to_close"])
    want["actions"] = {a: {"taken": taken[a], "flows": flows[a], "ended": ended[a],
                           "success_rate": success[a] / ended[a] if ended[a] else None,
                           "median_resolution_hours": statistics.median(hours[a]) if hours[a] else None,
                           "mean_resolution_hours": statistics.fmean(hours[a]) if hours[a] else None} for a in taken}
    want["outcomes"] = collections.Counter({"merged": "success", "closed": "closed"}[p["outcome"]] for p in pulls if p["outcome"] != "open")
    groups = collections.defaultdict(list)
    for pull in pulls:
        if pull["outcome"] != "open":
            groups[pull["agent"]].append(pull)
    want["groups"] = {}
    for agent, own in groups.items():
        merged = [p for p in own if p["outcome"] == "merged"]
        want["groups"][agent] = {
            "flows": len(own), "merged": len(merged), "closed": len(own) - len(merged), "merge_rate": len(merged) / len(own),
            "median_review_cycles": statistics.median((p["review_fix_rounds"] or 0) for p in own),
            "median_conflict_cycles": statistics.median(p["base_merge_commits"] for p in own),
            "median_ci_failures": statistics.median(p["ci_fix_commits"] for p in own),
            "red_rate": sum(p["ci_fix_commits"] > 0 for p in own) / len(own),
            "median_hours_to_merge": statistics.median(p["hours_to_close"] for p in merged) if merged else None,
        }
    want["pulls"], want["repos"], want["open"] = len(pulls), len({p["repo"] for p in pulls}), sum(p["outcome"] == "open" for p in pulls)
    return want


def near(a, b):
    if a is None or b is None or isinstance(a, (str, bool)):
        return a == b
    # Times are kept to the nanosecond, hours in the data to four digits.
    return abs(a - b) <= 1e-6 * max(1.0, abs(a))


def differences(want, stats, rows):
    """Everything that is not as it was recomputed."""
    found = []

    def compare(name, wanted, got):
        if not near(wanted, got):
            found.append(f"{name}: {wanted} recomputed, {got} found")

    compare("observations", want["observations"], stats["recorded"]["observations"])
    compare("actions", sum(a["taken"] for a in want["actions"].values()), stats["recorded"]["actions"])
    compare("outcomes", sum(want["outcomes"].values()), stats["recorded"]["outcomes"])
    compare("flows", want["pulls"], stats["recorded"]["flows"])
    compare("ended", want["pulls"] - want["open"], stats["recorded"]["ended"])
    got = {a["action"]: a for a in stats["actions"]}
    for action, numbers in want["actions"].items():
        for name, number in numbers.items():
            compare(f"{action}.{name}", number, got.get(action, {}).get(name))
    groups = {g["name"]: g for g in stats["journals"]["groups"]}
    for agent, numbers in want["groups"].items():
        for name, number in numbers.items():
            compare(f"{agent}.{name}", number, groups.get(agent, {}).get(name))
    compare("groups", len(want["groups"]), len(groups))
    for table in ["observations", "actions", "outcomes"]:
        compare(f"export.{table}", {"observations": want["observations"], "actions": sum(a["taken"] for a in want["actions"].values()),
                                    "outcomes": sum(want["outcomes"].values())}[table], len(rows[table]))
    compare("export.episodes", sum(len(rows[t]) for t in ["observations", "actions", "outcomes"]), len(rows["episodes"]))
    compare("export.pairs", len(rows["actions"]), len(rows["pairs"]))
    for result, number in want["outcomes"].items():
        compare(f"export.outcomes.{result}", number, sum(r["result"] == result for r in rows["outcomes"]))
    for action, numbers in want["actions"].items():
        compare(f"export.actions.{action}", numbers["taken"], sum(r["action"] == action for r in rows["actions"]))
    parts = collections.defaultdict(set)
    for each in rows["episodes"]:
        parts[each["repo"], each["pr"]].add(each["split"])
    compare("pull requests on two sides", 0, sum(len(split) > 1 for split in parts.values()))
    return found


TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
ID = re.compile(r"^(aidev[_/][0-9a-f]{10}|[0-9a-f]{40}|[0-9a-f]{32}|OpenAI_Codex|Devin|Copilot|Cursor|Claude_Code|manual)$")


def texts(value, words, found, where):
    """Strings that are neither a time, an id nor a word of a closed list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            texts(inner, words, found, f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            texts(inner, words, found, where)
    elif isinstance(value, str) and value and value not in words and not TIME.match(value) and not ID.match(value):
        found[where, value] += 1


def stored_texts(store, words, found):
    """The same for every column of every table that the store has."""
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        tables = [name for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        checked = 0
        for table in tables:
            cursor = db.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for values in cursor:
                for name, value in zip(names, values):
                    checked += 1
                    if isinstance(value, str):
                        parsed = json.loads(value) if value[:1] in ("{", "[") else value
                        texts(parsed, words, found, f"{table}.{name}")
                    elif isinstance(value, bytes) and re.search(rb"[ -~]{5}", value):
                        # Packed numbers have no run of letters.
                        found[f"{table}.{name}", value] += 1
    return checked


@row("replay", "7,122 real pull requests and 58,085 events replayed into store, journals, statistics and export",
     "counts equal to those of an independent script; no text in any field")
def replay():
    folder = environment("BANKSMAN_PULLS", "the folder with agent-prs.jsonl.gz and agent-pr-events.jsonl.gz")
    program = binary()
    build("-p", "banksman-learn", "--example", "replay")
    with tempfile.TemporaryDirectory(prefix="banksman-replay-", dir=os.environ.get("TMPDIR")) as work:
        work = pathlib.Path(work)
        read = {}
        for name in ["agent-prs", "agent-pr-events"]:
            text = gzip.decompress((folder / f"{name}.jsonl.gz").read_bytes())
            (work / f"{name}.jsonl").write_bytes(text)
            read[name] = [json.loads(line) for line in text.splitlines()]
        home = work / "home"
        home.mkdir()
        subprocess.run([target_dir() / "release" / "examples" / "replay", home / "store.db", work / "agent-prs.jsonl", work / "agent-pr-events.jsonl"],
                       capture_output=True, text=True, check=True)

        def run(*args):
            done = subprocess.run([program, "--home", home, *args], capture_output=True, text=True, env=calm())
            if done.returncode != 0:
                raise RuntimeError(f"{args}: {done.stdout[-300:]}{done.stderr[-300:]}")
            return done.stdout

        run("training", "index")
        checked = json.loads(run("--json", "training", "validate"))
        stats = json.loads(run("--json", "training", "stats"))
        run("training", "export", "--format", "csv", "--out", work / "set")
        run("training", "export", "--format", "jsonl", "--out", work / "clean", "--clean")
        card = json.loads((work / "set" / "data-card.json").read_text())
        rows = {}
        for table in card["columns"]:
            with open(work / "set" / f"{table['table']}.csv", newline="") as file:
                rows[table["table"]] = list(csv.DictReader(file))
        want = recomputed(read["agent-prs"], read["agent-pr-events"])
        found = differences(want, stats, rows)
        journals = want["pulls"] - want["open"]
        if checked["lines"] != 2 * journals or checked["problems"]:
            found.append(f"{journals} journals and as many lines of the index recomputed, {checked['lines']} found")

        # Closed lists: of the tables as the card publishes them, and of the published schemas of journal and index.
        words = {w for t in card["columns"] for c in t["columns"] for w in c.get("words", [])} | {"replay"}
        for schema in (ROOT / "crates/core/src/journal").glob("*.schema.json"):
            for closed in re.findall(r'"enum":\s*\[([^\]]*)\]', schema.read_text()):
                words |= set(re.findall(r'"([^"]+)"', closed))
        text = collections.Counter()
        values = 0
        for name, lines in rows.items():
            columns = {c["name"]: c for t in card["columns"] if t["table"] == name for c in t["columns"]}
            for line in lines:
                for column, value in line.items():
                    values += 1
                    kind = columns[column]["type"]
                    if kind == "string" and value:
                        texts(value, words, text, f"{name}.{column}")
                    elif kind == "bool" and value not in ("true", "false", ""):
                        text[f"{name}.{column}", value] += 1
                    elif kind in ("int64", "float64") and value:
                        float(value)
        for file in [*(home / "training").rglob("*.jsonl"), *(work / "clean").glob("*.jsonl")]:
            with open(file) as lines:
                for line in lines:
                    texts(json.loads(line), words, text, file.name if "clean" in str(file) else "journal")
        values += stored_texts(home / "store.db", words, text)
    shown = "; ".join(found[:5]) if found else (f"{want['observations']:,} observations, {stats['recorded']['actions']:,} actions, "
                                                f"{stats['recorded']['outcomes']:,} outcomes, {journals:,} journals, all equal")
    if text:
        shown += "; text: " + "; ".join(f"{where} {value[:40]!r}" for (where, value), _ in text.most_common(5))
    else:
        shown += f"; {values:,} values looked at, no text"
    return Result(not found and not text, shown)
