"""The queue in the store: jobs added, claimed and completed with 100,000 of them waiting, against a bare loop of the same statements."""
import json, statistics, subprocess

import rows

SHARE, WORKED, WAKE_MS = 0.6, 10_000, 1


def told():
    """What the example measured, one document a measurement."""
    rows.build("-p", "banksman-store", "--features", "conformance", "--example", "queue_rates")
    example = rows.target_dir() / "release" / "examples" / "queue_rates"
    done = subprocess.run([example], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@rows.row("queue-store", "SQLite: enqueue, and claim + complete, 100,000 jobs in the queue, 1, 8 and 32 callers, against a bare loop "
          "of the same statements; a commit of another process -> wake-up",
          f"at least {SHARE:.0%} of the bare loop; at least {WORKED:,} claim + complete/s at 32 callers; "
          f"wake-up within {WAKE_MS} ms, median")
def queue_store():
    ok, parts = True, []
    for measured in told():
        if measured["what"] == "wake":
            ok = ok and statistics.median(measured["ms"]) < WAKE_MS
            parts.append("wake-up " + rows.spread(measured["ms"], "ms", 2))
            continue
        ours, bare = statistics.median(measured["rates"]), statistics.median(measured["bare"])
        ok = ok and ours >= SHARE * bare
        if measured["what"] != "add" and measured["callers"] == 32:
            ok = ok and ours >= WORKED
        parts.append(f"{measured['what']}, {measured['callers']} callers: {ours:,.0f}/s "
                     f"({min(measured['rates']):,.0f} to {max(measured['rates']):,.0f}, n = {len(measured['rates'])}), "
                     f"{ours / bare:.0%} of {bare:,.0f}/s bare")
    return rows.Result(ok, "; ".join(parts))
