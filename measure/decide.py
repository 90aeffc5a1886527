"""Row about the policy."""
import json, re, subprocess
from rows import ROOT, Result, example, row


@row("decide", "one decision of the rules policy; exactly one row fires for every combination (property test)", "under 1 us a call, test passes")
def decide():
    out = example("banksman-core", "decide_rate")
    print("\n".join("   " + line for line in out.splitlines()))
    median = float(re.search(r"median\D*([\d.]+)\s*ns", out).group(1))
    proved = subprocess.run(["cargo", "test", "--quiet", "--locked", "-p", "banksman-core", "--test", "policy"], cwd=ROOT,
                            capture_output=True, text=True)
    ok = median < 1000 and proved.returncode == 0
    first = next((line for line in out.splitlines() if "median" in line), out.strip())
    return Result(ok, f"{first.strip()}; property test {'passes' if proved.returncode == 0 else 'FAILS'}")
