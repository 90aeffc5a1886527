"""Kills a running onboard with SIGKILL at random moments, runs it again to its end, and compares with an undisturbed run.

usage: kill_world.py BANKSMAN MOMENTS SEED

Prints a line per difference and a last line with the result; exit 1 when a world differs.
"""
import json, os, pathlib, random, re, shutil, signal, subprocess, sys, tempfile, time

AUDIT = """# Audit of the shop

## High

### The api answers without checking the value

**Location**: `api/lib.sh:1`

The value is used as it comes.

**Recommendation**: check the value in the api.

### The cart keeps the token

**Location**: `cart/lib.sh:1`

The token stays in memory.

**Recommendation**: drop the token after use.

## Low

### Billing rounds the wrong way

**Location**: `billing/lib.sh:1`

Half a cent goes up always.

**Recommendation**: round half to even.
"""

# Always the same change for the same finding, with a pause to be killed in.
ENGINE = """
[engines.steady]
base = "shell"
command = "sleep 0.2; f=$(grep -o '[a-z]*/lib.sh' \\"$BANKSMAN_TASK_FILE\\" | head -1); grep -q mended $f || echo '# mended' >> $f; sleep 0.1"
"""


def base(folder):
    shop = folder / "shop"
    for package in ("api", "cart", "billing"):
        (shop / package).mkdir(parents=True)
        (shop / package / "lib.sh").write_text("x=1\n")
    (shop / "check.sh").write_text("sleep 0.1; for f in */lib.sh; do sh -n $f || exit 1; done\n")
    (folder / "AUDIT.md").write_text(AUDIT)
    (folder / "config.toml").write_text(ENGINE)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-C", shop]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Begin"], check=True)


def command(program, folder):
    return [program, "--home", folder / "home", "onboard", folder / "shop", "--audit", folder / "AUDIT.md", "--engine", "steady",
            "--check", "test=sh check.sh", "--yes"], {**{k: v for k, v in os.environ.items() if not k.startswith("BANKSMAN_")}, "BANKSMAN_CONFIG": str(folder / "config.toml")}


def plain(text):
    return re.sub(r"#\d+|epic/\d+|agent/\d+", "#N", text)


def facts(program, folder):
    """What has to be the same in the end: everything but numbers of pull requests, ids of commits and times."""
    _, env = command(program, folder)
    shown = subprocess.run([program, "--home", folder / "home", "forge", "export", "--json"], env=env, capture_output=True, text=True, check=True)
    forge = json.loads(shown.stdout)
    bodies = lambda item: sorted(plain(c["body"]) for c in item["comments"])
    issues = sorted((plain(i["title"]), i["open"], sorted(i["labels"]), bodies(i), plain(i["body"])) for i in forge["issues"])
    pulls = sorted((plain(p["title"]), json.dumps(p["state"])[:12], sorted(p["labels"]), bodies(p), len(p.get("threads", []))) for p in forge["pulls"])
    git = lambda *args: subprocess.run(["git", "-C", folder / "shop", *args], capture_output=True, text=True, check=True).stdout
    journals = sorted(p.name for p in (folder / "home" / "training").rglob("*.jsonl"))
    lines = sum(len(p.read_text().splitlines()) for p in (folder / "home" / "training").rglob("index.jsonl"))
    return {
        "issues": issues, "pulls": pulls, "tree": git("rev-parse", "main^{tree}").strip(),
        "log": sorted(plain(s) for s in git("log", "--format=%s", "main").splitlines()),
        "refs": sorted(plain(r) for r in git("for-each-ref", "--format=%(refname)").splitlines()),
        "clean": git("status", "--porcelain"), "journals": journals, "lines": lines,
        "work": sorted(os.listdir(folder / "home" / "work")),
    }


def processes(folder):
    left = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"{folder}/home#".encode() in environ:
                left.append(int(entry.name))
    return left


def main():
    program, moments, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="banksman-kill-") as top:
        top = pathlib.Path(top)
        calm = top / "calm"
        calm.mkdir()
        base(calm)
        run, env = command(program, calm)
        start = time.monotonic()
        done = subprocess.run(run, env=env, capture_output=True, text=True)
        whole = time.monotonic() - start
        if done.returncode != 0:
            sys.exit(f"the undisturbed run failed: {done.stdout[-800:]}{done.stderr[-800:]}")
        expected = facts(program, calm)
        killed = 0
        for number in range(moments):
            folder = top / f"world-{number}"
            folder.mkdir()
            base(folder)
            run, env = command(program, folder)
            moment = chance.uniform(0, whole)
            child = subprocess.Popen(run, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                child.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.wait()
                killed += 1
            again = subprocess.run(run, env=env, capture_output=True, text=True, timeout=120)
            problem = None
            if again.returncode != 0:
                # An undisturbed run before the kill leaves nothing to do, which is a clear answer as well.
                problem = f"exit {again.returncode}: {again.stdout[-300:]} {again.stderr[-300:]}"
            else:
                found = facts(program, folder)
                differing = [key for key in expected if found[key] != expected[key]]
                if differing:
                    key = differing[0]
                    problem = f"{', '.join(differing)} differ; {key}: {found[key]} instead of {expected[key]}"
                elif processes(folder):
                    problem = f"processes left: {processes(folder)}"
            if problem:
                failures += 1
                print(f"killed at {moment:.3f} s of {whole:.3f} s (moment {number}, seed {seed}): {problem[:900]}", flush=True)
                if os.environ.get("BANKSMAN_KEEP"):
                    shutil.copytree(folder, f"{os.environ['BANKSMAN_KEEP']}/world-{number}", dirs_exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{moments - failures} of {moments} worlds ended as undisturbed ({killed} killed while running, seed {seed}, {whole:.1f} s undisturbed)")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
