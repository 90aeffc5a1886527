"""Rows about the whole pipeline on this machine."""
import json, os, pathlib, shutil, subprocess, sys, tempfile, time
from rows import ROOT, Result, binary, example, row, spread, timed


def leftovers(folder):
    """Processes whose command line names the folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command and int(entry.name) != os.getpid():
                found.append(command[:80])
    return found


def plain_user(command, folder):
    """The command as an unprivileged user without a network, where this process may arrange that."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return command, "as the present user"
    shutil.chown(folder, 65534, 65534)
    os.chmod(folder, 0o755)
    offline = ["unshare", "--net"] if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0 else []
    return [*offline, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command], \
        "as nobody" + (", no network" if offline else "")


@row("demo", "the demo, after the build: exit 0, nothing left running, offline, as a normal user", "exit 0, under 60 s, 0 processes left")
def demo():
    program = binary()
    seconds, how, left, codes = [], "", [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="banksman-bench-") as folder:
            copy = pathlib.Path(folder) / "banksman"
            shutil.copy(program, copy)
            command, how = plain_user([copy, "demo", "--dir", f"{folder}/demo"], folder)
            env = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
            took, done = timed(command, env=env, cwd=folder, capture_output=True, text=True)
            seconds.append(took)
            codes.append(done.returncode)
            left += leftovers(folder)
            if done.returncode != 0:
                print(done.stdout[-2000:], done.stderr[-2000:])
    ok = max(seconds) < 60 and not any(codes) and not left
    return Result(ok, f"{spread(seconds, 's')}, exits {codes}, {len(left)} left, {how}")


@row("overhead", "pipeline overhead per child on the local forge: time in which no git, check or agent runs", "under 50 ms")
def overhead():
    out = json.loads(example("banksman", "pipeline_overhead"))
    return Result(out["median_ms"] < 50, f"median {out['median_ms']:.1f} ms ({out['min_ms']:.1f} to {out['max_ms']:.1f}, "
                                         f"n = {out['runs']}, {out['children']} children each)")


@row("kill", "kill -9 of a running onboard at 100 random moments, then again to the end", "same end state as undisturbed, each effect once")
def kill():
    program = binary()
    moments = int(os.environ.get("BANKSMAN_KILLS", "100"))
    seed = int(os.environ.get("BANKSMAN_SEED", "1"))
    done = subprocess.run([sys.executable, ROOT / "measure" / "kill_world.py", str(program), str(moments), str(seed)],
                          capture_output=True, text=True)
    print("\n".join("   " + line for line in done.stdout.splitlines()[-12:]))
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr[-500:])
    return Result(done.returncode == 0, done.stdout.strip().splitlines()[-1])


@row("monitor", "an idle monitor on 50 open local pull requests", "under 1 % of a core, under 60 MiB")
def monitor():
    program = binary()
    with tempfile.TemporaryDirectory(prefix="banksman-bench-") as folder:
        made = json.loads(subprocess.run(
            [ROOT / "measure" / "fifty_pulls.sh", program, folder], capture_output=True, text=True, check=True).stdout)
        env = {**os.environ, "BANKSMAN_HOME": made["home"]}
        watcher = subprocess.Popen([program, "monitor"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(20)  # the first looks, which are not idle
            ticks, before = os.sysconf("SC_CLK_TCK"), cpu(watcher.pid)
            start = time.monotonic()
            time.sleep(60)
            used, wall = (cpu(watcher.pid) - before) / ticks, time.monotonic() - start
            status = pathlib.Path(f"/proc/{watcher.pid}/status").read_text()
            mib = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
        finally:
            watcher.terminate()
            watcher.wait(timeout=20)
    share = 100 * used / wall
    return Result(share < 1 and mib < 60, f"{share:.2f} % of a core over {wall:.0f} s (children included), {mib:.0f} MiB, {made['pulls']} open")


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14))
