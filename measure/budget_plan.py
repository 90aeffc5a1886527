"""Rows about the budget's plan and forecast."""
import re, subprocess
from rows import Result, build, row, target_dir


def shown(name, *args):
    """Builds and runs an example of the core; its exit code and output."""
    build("-p", "banksman-core", "--example", name)
    done = subprocess.run([target_dir() / "release" / "examples" / name, *args], capture_output=True, text=True)
    print("\n".join("   " + line for line in (done.stdout + done.stderr).splitlines()))
    return done.returncode, done.stdout


@row("budget-plan", "a day's plan for 500 repositories with 100,000 ready issues", "under 200 ms, the same twice and from shuffled input, each line explained")
def budget_plan():
    code, out = shown("plan_rate")
    same = "another order: yes" in out
    return Result(code == 0 and same, out.splitlines()[0] + ("; same plan" if same else "; plans DIFFER"))


@row("forecast-calibration", "1,000 simulated epics with held-out parameters, 14 to 28 days of history, 10,000 trials each",
     "the P85 date holds for 80 to 90 % of epics")
def forecast_calibration():
    code, out = shown("forecast_calibration", "1000")
    held = float(re.search(r"P85 holds for ([\d.]+) %", out).group(1))
    return Result(code == 0 and 80 <= held <= 90, out.strip().splitlines()[0])
