"""Rows about building and testing from nothing."""
import os, shutil, subprocess, tempfile
from rows import ROOT, Result, row, timed


def clone(folder):
    subprocess.run(["git", "clone", "--quiet", ROOT, f"{folder}/banksman"], check=True)
    return f"{folder}/banksman", {**os.environ, "CARGO_TARGET_DIR": f"{folder}/target"}


@row("build", "cold build of the release binary", "under 8 minutes on two cores")
def build_cold():
    with tempfile.TemporaryDirectory(prefix="banksman-build-") as folder:
        checkout, env = clone(folder)
        subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=checkout, check=True)
        seconds, done = timed(["cargo", "build", "--release", "--locked", "--quiet", "-p", "banksman"], cwd=checkout, env=env)
    return Result(done.returncode == 0 and seconds < 480, f"{seconds:.0f} s (one run), {os.cpu_count()} cores")


@row("test", "./test in a fresh clone, cold and then warm", "under 20 and under 5 minutes on two cores")
def test_cold_and_warm():
    with tempfile.TemporaryDirectory(prefix="banksman-test-") as folder:
        checkout, env = clone(folder)
        env.pop("CARGO_TARGET_DIR")
        log = open(f"{folder}/log", "w")
        cold, first = timed(["./test"], cwd=checkout, env=env, stdout=log, stderr=log)
        warm, second = timed(["./test"], cwd=checkout, env=env, stdout=log, stderr=log)
        if first.returncode or second.returncode:
            print(open(f"{folder}/log").read()[-3000:])
    ok = first.returncode == 0 and second.returncode == 0 and cold < 1200 and warm < 300
    return Result(ok, f"cold {cold:.0f} s, warm {warm:.0f} s, exits {first.returncode} and {second.returncode} (one run each)")
