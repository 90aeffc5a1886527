"""Rows about the simulated world."""
import json, re, subprocess
from rows import ROOT, Result, binary, row, timed


@row("simulate", "simulate --seeds 10000: small worlds, all faults", "0 violations, under 120 s on two cores")
def simulate():
    seconds, done = timed([binary(), "simulate", "--seeds", "10000", "--json"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    violations = len(report["violations"])
    return Result(violations == 0 and seconds < 120 and done.returncode == 0,
                  f"{violations} violations, {seconds:.0f} s, {report.get('merges_per_day', 0):.1f} merges a simulated day")


@row("seeded-bugs", "deliberate bugs, one at a time, in the simulation", "at least 12, every one caught")
def seeded():
    done = subprocess.run(["cargo", "test", "--profile", "simulation", "--locked", "-p", "banksman-sim", "--features", "seeded-bugs", "--test",
                           "seeded_bugs", "--", "--nocapture"], cwd=ROOT, capture_output=True, text=True)
    caught = len(re.findall(r"^caught: ", done.stdout, re.M))
    return Result(done.returncode == 0 and caught >= 12, f"{caught} caught, exit {done.returncode}")
