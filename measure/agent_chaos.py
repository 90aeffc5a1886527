"""Rows about what agents do to the host, and what the host adds to them."""
import json, statistics, subprocess
from rows import Result, build, example, row, target_dir


@row("agent-chaos", "setsid and nameless children, ignored TERM, 1 GB output, a 100 MB line, closed output, a hang, a killed parent; each x5",
     "all end; survivors after 5 s 0; memory + under 64 MiB")
def agent_chaos():
    found = json.loads(example("banksman-engine", "agent_chaos"))
    grown = found["grown_kib"] / 1024
    measured = (f"{found['runs']} runs ({' and '.join(found['levels'])}), survivors {found['survivors']}, memory + {grown:.1f} MiB, "
                f"slowest {found['slowest_s']} s ({found['slowest']})")
    return Result(found["survivors"] == 0 and grown < 64, measured)


@row("spawn", "1,000 jobs that do nothing, 2 at once (build and landing, no sandbox), against a bare spawn loop of the same command, in one run",
     "under 2.5 times the bare loop and 1.7 ms a job; memory flat after 10,000")
def spawn():
    build("-p", "banksman-engine", "--example", "spawn_rates")
    program = target_dir() / "release" / "examples" / "spawn_rates"
    runs = [json.loads(subprocess.run([program, "1000", more], capture_output=True, text=True, check=True).stdout)
            for more in ("0", "0", "10000")]
    ratio = statistics.median(run["ratio"] for run in runs)
    job, bare = (statistics.median(run[key] for run in runs) for key in ("job_ms", "bare_ms"))
    grown = (runs[-1]["resident_after_kib"] - runs[-1]["resident_kib"]) / 1024
    measured = (f"{job:.2f} ms a job, bare {bare:.2f} ms, {ratio:.2f} times (of {', '.join(str(run['ratio']) for run in runs)}); "
                f"memory + {grown:.1f} MiB after 10,000")
    return Result(ratio < 2.5 and job < 1.7 and grown < 2, measured)
