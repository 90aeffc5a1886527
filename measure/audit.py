"""Rows about audit reports."""
import json, os, re, subprocess
from rows import Result, binary, environment, example, row


@row("audit-score", "precision, recall and severity on ten real reports with hand-written truth; no crash on the others",
     "precision and recall >= 0.90, severity >= 0.95, 0 crashes")
def score():
    scorer = environment("BANKSMAN_AUDIT_SCORER", "the scoring script (called with the binary's path)")
    reports = environment("BANKSMAN_AUDITS", "the folder of audit reports")
    program = binary()
    out = subprocess.run(["python3", scorer, program], capture_output=True, text=True, check=True).stdout
    print("\n".join("   " + line for line in out.splitlines()))
    total = re.search(r"^all\s+(\d+)\s+(\d+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)", out, re.M)
    precision, recall, severity = (float(total.group(i)) for i in (4, 5, 6))
    crashes, seen = [], 0
    for report in sorted(reports.iterdir()):
        if report.name == "index.tsv":
            continue
        seen += 1
        done = subprocess.run([program, "audit", "--file", report, "--dry-run", "--json"], capture_output=True, text=True)
        # Refusing a report with a clear message is an answer; dying is not.
        if done.returncode not in (0, 1) or (done.returncode == 0 and "findings" not in json.loads(done.stdout)):
            crashes.append(report.name)
    ok = precision >= 0.90 and recall >= 0.90 and severity >= 0.95 and not crashes
    return Result(ok, f"precision {precision:.2f}, recall {recall:.2f}, severity {severity:.2f}; "
                      f"{len(crashes)} crashes on {seen} reports {' '.join(crashes)}".strip())


@row("audit-parse", "parsing a report of 147 kB, and ten copies of it in one file", "under 50 ms; ten copies at most 12 times")
def parse():
    if "BANKSMAN_AUDITS" in os.environ and "BANKSMAN_BIG_AUDIT" not in os.environ:
        largest = max(environment("BANKSMAN_AUDITS", "the folder of audit reports").glob("*.md"), key=lambda p: p.stat().st_size)
        os.environ["BANKSMAN_BIG_AUDIT"] = str(largest)
    out = json.loads(example("banksman-core", "audit_rate"))
    ok = out["median_ms"] < 50 and out["ratio"] <= 12
    return Result(ok, f"median {out['median_ms']:.2f} ms ({out['min_ms']:.2f} to {out['max_ms']:.2f}, n = {out['runs']}); "
                      f"ten copies {out['ratio']:.1f} times; report: {out['report']}")
