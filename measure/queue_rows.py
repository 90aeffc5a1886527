"""Rows about the queue as a user meets it: the binary, its worker, its board, on both stores."""
import contextlib, json, os, pathlib, re, shutil, statistics, subprocess, sys, tempfile, time
from rows import ROOT, Missing, Result, binary, build, row, spread, target_dir, timed

PUEUE = "4.0.4"


@contextlib.contextmanager
def postgres():
    """A PostgreSQL server of its own in a temporary folder; its address."""
    with tempfile.TemporaryDirectory(prefix="banksman-pg-") as folder:
        started = subprocess.run([ROOT / "measure" / "postgres.sh", "start", folder], capture_output=True, text=True)
        if started.returncode != 0:
            raise Missing(f"PostgreSQL: {started.stderr.strip()[-200:]}")
        try:
            yield started.stdout.strip().splitlines()[-1]
        finally:
            subprocess.run([ROOT / "measure" / "postgres.sh", "stop", folder], capture_output=True)


class Home:
    """A home of its own with the sandbox off."""

    def __init__(self, folder, program, store=None):
        self.folder, self.program = pathlib.Path(folder), program
        (self.folder / "config.toml").write_text('sandbox = "off"\n')
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("BANKSMAN_")}
        self.env |= {"BANKSMAN_HOME": str(self.folder / "home"), "BANKSMAN_CONFIG": str(self.folder / "config.toml")}
        if store:
            self.env["BANKSMAN_STORE"] = store

    def run(self, *args, **more):
        return subprocess.run([self.program, *args], env=self.env, cwd=self.folder, capture_output=True, text=True, check=True, **more)

    def start(self, *args):
        return subprocess.Popen([self.program, *args], env=self.env, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def counts(self):
        return json.loads(self.run("status", "--json", "-n", "1").stdout)["counts"]

    def add(self, bodies, manifest=""):
        """Adds one job for each body in one command."""
        jobs = self.folder / "jobs"
        shutil.rmtree(jobs, ignore_errors=True)
        jobs.mkdir()
        front = f"---\nengine: shell\nworktree: false\ncwd: {self.folder}\n{manifest}---\n"
        files = []
        for number, body in enumerate(bodies):
            file = jobs / f"{number:06}.md"
            file.write_text(front + body + "\n")
            files.append(file)
        for start in range(0, len(files), 10_000):
            self.run("add", *files[start:start + 10_000])


def no_op(program, folder, count):
    """Milliseconds a job to add and to run no-op jobs, two at once."""
    home = Home(folder, program)
    jobs = pathlib.Path(folder) / "jobs"
    jobs.mkdir()
    files = []
    for number in range(count):
        file = jobs / f"{number}.md"
        file.write_text(f"---\nengine: shell\nworktree: false\ncwd: {folder}\n---\ntrue\n")
        files.append(file)
    add, _ = timed([program, "add", *files], env=home.env, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    drain, _ = timed([program, "worker", "--until-empty", "--at-once", "2", "--quiet"], env=home.env, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    counts = home.counts()
    if counts["shipped"] != count:
        raise RuntimeError(f"{counts}")
    return (add + drain) * 1000 / count, add * 1000 / count


def task_spooler(count, folder):
    """Milliseconds a job of Debian's task-spooler, two at once, enqueue included."""
    program = shutil.which("tsp")
    if not program:
        if os.geteuid() == 0:
            subprocess.run(["apt-get", "install", "-y", "-qq", "task-spooler"], capture_output=True)
        program = shutil.which("tsp")
        if not program:
            raise Missing("task-spooler: install the Debian package task-spooler")
    env = {**os.environ, "TS_SOCKET": f"{folder}/tsp", "TMPDIR": folder, "TS_MAXFINISHED": "10000"}
    subprocess.run([program, "-S", "2"], env=env, check=True, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    for _ in range(count):
        subprocess.run([program, "-n", "true"], env=env, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "-w"], env=env, stdout=subprocess.DEVNULL)
    while re.search(r"running|queued", subprocess.run([program], env=env, capture_output=True, text=True).stdout):
        time.sleep(0.01)
    seconds = time.monotonic() - start
    subprocess.run([program, "-K"], env=env, stdout=subprocess.DEVNULL)
    return seconds * 1000 / count


def pueue(count, folder):
    """Milliseconds a job of pueue, two at once, enqueue included."""
    tools = target_dir() / "peers" / "pueue"
    if not (tools / "bin" / "pueued").exists():
        done = subprocess.run(["cargo", "install", "--quiet", "--locked", "pueue", "--version", PUEUE, "--root", tools,
                               "--target-dir", tools / "build"], capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(f"pueue {PUEUE}: {done.stderr.strip()[-200:]}")
        shutil.rmtree(tools / "build", ignore_errors=True)
    base = pathlib.Path(folder) / "pueue"
    base.mkdir()
    config = base / "pueue.yml"
    config.write_text(f"shared:\n  pueue_directory: {base}\n  runtime_directory: {base}\n  use_unix_socket: true\n  unix_socket_path: {base}/socket\ndaemon: {{}}\nclient: {{}}\n")
    daemon = subprocess.Popen([tools / "bin" / "pueued", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = [tools / "bin" / "pueue", "-c", config]
    try:
        for _ in range(200):
            if subprocess.run([*client, "parallel", "2"], capture_output=True).returncode == 0:
                break
            time.sleep(0.05)
        start = time.monotonic()
        for _ in range(count):
            subprocess.run([*client, "add", "--", "true"], check=True, capture_output=True)
        subprocess.run([*client, "wait", "--quiet"], capture_output=True)
        return (time.monotonic() - start) * 1000 / count
    finally:
        daemon.terminate()
        daemon.wait(10)


def spawn_loop(count):
    """Milliseconds a job of a bare loop that spawns the same shell, two at once."""
    build("-p", "banksman", "--example", "spawn_loop")
    out = subprocess.run([target_dir() / "release" / "examples" / "spawn_loop", str(count), "2"], capture_output=True, text=True, check=True)
    return float(out.stdout.split()[0])


@row("queue-drain", "1,000 no-op jobs, 2 at once, enqueue included, against pueue and task-spooler and a bare spawn loop",
     "50 times pueue's rate, 1.3 times task-spooler's, under 2.5 times a bare spawn loop's time")
def queue_drain():
    program = binary()
    ours, adds, spooler, bare, others = [], [], [], [], []
    # The folders stay until the end: on ext4 a file that is made soon after others were removed costs more, and nobody removes anything here.
    with tempfile.TemporaryDirectory(prefix="banksman-drain-") as base:
        for turn in range(3):
            folder = os.path.join(base, str(turn))
            os.mkdir(folder)
            both, add = no_op(program, folder, 1000)
            ours.append(both)
            adds.append(add)
            spooler.append(task_spooler(1000, folder))
            bare.append(spawn_loop(1000))
            if turn == 0:
                others.append(pueue(100, folder))
    mine = statistics.median(ours)
    ratios = others[0] / mine, statistics.median(spooler) / mine, mine / statistics.median(bare)
    ok = ratios[0] >= 50 and ratios[1] >= 1.3 and ratios[2] < 2.5
    return Result(ok, f"{spread(ours, 'ms a job', 2)}, of it {statistics.median(adds):.2f} to add; pueue {others[0]:.0f} ms (x{ratios[0]:.0f}), "
                      f"task-spooler {statistics.median(spooler):.2f} ms (x{ratios[1]:.2f}), spawn loop {statistics.median(bare):.2f} ms (x{ratios[2]:.2f})")


def latency(store=None):
    build("-p", "banksman", "--example", "queue_latency")
    command = [target_dir() / "release" / "examples" / "queue_latency", binary()] + ([store] if store else [])
    return [float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


@row("queue-latency", "enqueue to the first byte of the engine's output, idle worker, both stores", "median under 10 ms on SQLite, under 20 ms on PostgreSQL")
def queue_latency():
    lite = latency()
    with postgres() as url:
        fleet = latency(url)
    ok = statistics.median(lite) < 10 and statistics.median(fleet) < 20
    return Result(ok, f"SQLite {spread(lite, 'ms')}; PostgreSQL {spread(fleet, 'ms')}")


@row("queue-status", "`status` with 100,000 jobs in the queue", "under 100 ms")
def queue_status():
    program = binary()
    with tempfile.TemporaryDirectory(prefix="banksman-status-") as folder:
        home = Home(folder, program)
        home.add(["true"] * 100_000)
        times = [timed([program, "status"], env=home.env, cwd=folder, stdout=subprocess.DEVNULL, check=True)[0] * 1000 for _ in range(20)]
    return Result(max(times) < 100, spread(times, "ms"))


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


@row("queue-memory", "a worker's memory: idle, and after 10,000 jobs", "under 30 MiB; flat: under 1.3 times what it is after 2,000")
def queue_memory():
    program = binary()
    with tempfile.TemporaryDirectory(prefix="banksman-memory-") as folder:
        home = Home(folder, program)
        worker = home.start("worker", "--quiet", "--at-once", "2")
        try:
            time.sleep(2)
            idle = resident(worker.pid)
            seen, wanted = [], 0
            for _ in range(5):
                wanted += 2000
                home.add(["true"] * 2000)
                while home.counts()["shipped"] < wanted:
                    time.sleep(0.2)
                seen.append(resident(worker.pid))
        finally:
            worker.terminate()
            worker.wait(30)
    ok = idle < 30 and seen[-1] < 30 and seen[-1] < seen[0] * 1.3
    return Result(ok, f"idle {idle:.1f} MiB; after 2,000 to 10,000 jobs {', '.join(f'{s:.1f}' for s in seen)} MiB")


def chaos(store, jobs, seed):
    done = subprocess.run([sys.executable, ROOT / "measure" / "queue_chaos.py", str(binary()), str(jobs), str(seed), *([store] if store else [])],
                          capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr[-500:])
    return done.returncode == 0, done.stdout.strip().splitlines()[-1]


@row("queue-chaos", "10,000 jobs with random dependencies, locks, priorities; 4 workers that are killed again and again; both stores",
     "all end, no overlap under one lock, no job lost")
def queue_chaos():
    jobs, seed = int(os.environ.get("BANKSMAN_JOBS", "10000")), int(os.environ.get("BANKSMAN_SEED", "1"))
    lite = chaos(None, jobs, seed)
    with postgres() as url:
        fleet = chaos(url, jobs, seed)
    return Result(lite[0] and fleet[0], f"SQLite: {lite[1]}; PostgreSQL: {fleet[1]}")
