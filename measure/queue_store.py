"""The queue in the store: jobs added, claimed and completed with 100,000 of them waiting, against a bare loop of the same statements."""
import json, statistics, subprocess

import rows

SHARE, WORKED = 0.6, 10_000


@rows.row("queue-store", "enqueue, and claim + complete, 100,000 jobs in the queue, 1, 8 and 32 callers, against a bare rusqlite loop",
          f"at least {SHARE:.0%} of the bare loop; at least {WORKED:,} claim + complete/s at 32 callers")
def queue_store():
    rows.build("-p", "banksman-store", "--features", "conformance", "--example", "queue_rates")
    example = rows.target_dir() / "release" / "examples" / "queue_rates"
    told = subprocess.run([example], capture_output=True, text=True, check=True).stdout
    ok, parts = True, []
    for measured in map(json.loads, told.splitlines()):
        ours, bare = statistics.median(measured["rates"]), statistics.median(measured["bare"])
        ok = ok and ours >= SHARE * bare
        if measured["what"] != "add" and measured["callers"] == 32:
            ok = ok and ours >= WORKED
        parts.append(f"{measured['what']}, {measured['callers']} callers: {ours:,.0f}/s "
                     f"({min(measured['rates']):,.0f} to {max(measured['rates']):,.0f}, n = {len(measured['rates'])}), "
                     f"bare {bare:,.0f}/s, {ours / bare:.0%}")
    return rows.Result(ok, "; ".join(parts))
