"""Thousands of jobs with random dependencies, locks and priorities, and four workers that are killed with SIGKILL again and again.
What happened is read from the jobs' own log: each appends a line when it starts and one when it ends.

usage: queue_chaos.py PROGRAM JOBS SEED [STORE]"""
import collections, json, os, pathlib, random, subprocess, sys, tempfile, time

WORKERS = 4


def jobs(count, dice, folder, log):
    """Writes the files; what each needs."""
    made = folder / "jobs"
    made.mkdir()
    needs = {}
    for number in range(count):
        lock = f"lock-{dice.randrange(8)}" if dice.random() < 0.5 else "none"
        on = sorted({dice.randrange(number) for _ in range(dice.choice([0, 0, 0, 1, 2]))}) if number else []
        front = ["engine: shell", "worktree: false", f"cwd: {folder}", f"idempotency-key: job:{number}",
                 f"priority: {dice.choice(['critical', 'high', 'normal', 'low'])}", "retries: 3"]
        if lock != "none":
            front.append(f"lock: {lock}")
        if on:
            front.append(f"depends-on: [{', '.join(f'job:{n}' for n in on)}]")
        pause = "sleep 0.02; " if dice.random() < 0.1 else ""
        body = f"echo \"S {number} {lock} $$\" >> {log}; {pause}echo \"E {number} {lock} $$\" >> {log}"
        (made / f"{number:06}.md").write_text("---\n" + "\n".join(front) + "\n---\n" + body + "\n")
        needs[number] = on
    return sorted(made.iterdir()), needs


def judge(log, needs):
    """What is wrong, from the log alone."""
    wrong, ended = [], set()
    open_in = collections.defaultdict(dict)  # lock or job -> run -> presumed dead
    for line in log.read_text().splitlines():
        what, number, lock, pid = line.split()
        number, run = int(number), (number, pid)
        places = [f"job {number}"] + ([lock] if lock != "none" else [])
        if what == "S":
            missing = [n for n in needs[number] if n not in ended]
            if missing:
                wrong.append(f"job {number} started before {missing} ended")
            for place in places:
                for other in open_in[place]:
                    open_in[place][other] = run  # has to be dead: it must not say another word
                open_in[place][run] = None
        else:
            for place in places:
                after = open_in[place].pop(run, None)
                if after:
                    wrong.append(f"{place}: run {run} still lived when {after} had started")
            ended.add(number)
    return wrong, ended


def main():
    program, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = sys.argv[4] if len(sys.argv) > 4 else None
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="banksman-chaos-") as name:
        folder = pathlib.Path(name)
        log = folder / "log"
        log.touch()
        (folder / "config.toml").write_text('sandbox = "off"\n')
        env = {k: v for k, v in os.environ.items() if not k.startswith("BANKSMAN_")}
        env |= {"BANKSMAN_HOME": str(folder / "home"), "BANKSMAN_CONFIG": str(folder / "config.toml")}
        if store:
            env["BANKSMAN_STORE"] = store
        files, needs = jobs(count, dice, folder, log)
        start = time.monotonic()
        subprocess.run([program, "add", *files], env=env, cwd=folder, stdout=subprocess.DEVNULL, check=True)

        def worker():
            return subprocess.Popen([program, "worker", "--quiet", "--at-once", "3"], env=env, cwd=folder,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def counts():
            out = subprocess.run([program, "--json", "status", "-n", "1"], env=env, cwd=folder, capture_output=True, text=True, check=True)
            return json.loads(out.stdout)["counts"]

        workers, kills = [worker() for _ in range(WORKERS)], 0
        deadline = start + 120 + count * 0.06
        try:
            while True:
                time.sleep(dice.uniform(0.2, 1.5))
                now = counts()
                left = now["inbox"] + now["building"] + now["review"] + now["testing"]
                if left == 0 or time.monotonic() > deadline:
                    break
                victim = dice.randrange(WORKERS)
                workers[victim].kill()
                workers[victim].wait()
                kills += 1
                workers[victim] = worker()
        finally:
            for one in workers:
                one.terminate()
            for one in workers:
                try:
                    one.wait(30)
                except subprocess.TimeoutExpired:
                    one.kill()
                    one.wait()
        wrong, ended = judge(log, needs)
        lost = [n for n in needs if n not in ended]
        for line in wrong[:10]:
            print(line)
        ok = not wrong and not lost and left == 0 and now["shipped"] == count
        print(f"{count} jobs, {kills} kills in {time.monotonic() - start:.0f} s: {now['shipped']} shipped, {now['failed']} failed, "
              f"{left} left, {len(lost)} never ran to their end, {len(wrong)} overlaps or early starts")
        sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
