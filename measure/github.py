"""Rows about GitHub: hostile worlds through the genuine client, webhooks into a running server."""
import concurrent.futures, hashlib, hmac, http.client, json, os, statistics, subprocess, tempfile, threading, time
from rows import Result, binary, build, example, passed, row, target_dir

WORLDS = 2000
SECRET = "a secret of a measurement"


def hostile():
    """The report of the hostile worlds; run once for all rows of a call."""
    if not hasattr(hostile, "report"):
        build("-p", "banksman-sim", "--example", "simulate")
        program = target_dir() / "release" / "examples" / "simulate"
        done = subprocess.run([program, "github", "0", str(WORLDS), "--json"], capture_output=True, text=True, check=True)
        hostile.report = json.loads(done.stdout)
    return hostile.report


def of(report, *invariants):
    return [violation for violation in report["violations"] if violation["invariant"] in invariants]


@row("github-canaries", f"{WORLDS} worlds on a hostile GitHub: canaries in every slot, header, error, check, label and login; forged structure",
     "0 canaries in store, events, requests; 0 merges of what was not evaluated; the control is caught")
def canaries():
    report = hostile()
    found, forged = of(report, "no_canary"), of(report, "merged_as_evaluated", "dispatch", "threads")
    control = subprocess.run(["cargo", "test", "--release", "--locked", "-p", "banksman-sim", "--lib", "github::"], capture_output=True)
    return Result(not found and not forged and control.returncode == 0,
                  f"{len(found)} canaries, {len(forged)} forgeries believed, control {'caught' if control.returncode == 0 else 'missed'}")


@row("github-duplicates", f"{WORLDS} worlds with errors, limits, cut bodies and answers lost after the effect",
     "0 duplicate effects, 0 other violations")
def duplicates():
    report = hostile()
    twice, lost = of(report, "one_effect", "sentences"), report["seen"].get("answer lost", 0)
    return Result(not report["violations"],
                  f"{len(twice)} duplicates in {report['effects']} effects with {lost} answers lost, {len(report['violations'])} violations")


def cost():
    if not hasattr(cost, "told"):
        cost.told = json.loads(example("banksman-sim", "github_cost"))
    return cost.told


@row("github-sweep", "one sweep of 100 open pull requests through the genuine client, 40 checks and 10 threads each",
     "at most 4 points, 4 requests, 300 ms of own time")
def sweep():
    it = cost()["sweep"]
    requests = it["points"] + it["rest"] + it["unchanged"]
    return Result(it["points"] <= 4 and requests <= 4 and it["own_seconds"] < 0.3,
                  f"{it['points']} points, {requests} requests, {it['own_seconds'] * 1000:.0f} ms")


@row("github-hour", "1,000 open pull requests in 50 repositories for an hour of virtual time, 200 pushes, webhooks on, the schedule as it is by "
     "default then; 24 simulated hours of ten callers who always want more", "at most 500 points, 100 REST reads; 0 limits exceeded")
def hour():
    told = cost()
    heard, unheard = told["hour"], told["hour_unheard"]
    day, failed = passed("banksman-forge", "governor", "a_day_of_a_burst_passes_no_limit")
    return Result(heard["points"] <= 500 and heard["rest"] <= 100 and day == 1 and failed == 0,
                  f"{heard['points']} points, {heard['rest']} REST reads ({unheard['points']} points with the schedule for no webhooks); "
                  f"{'0 limits exceeded in the 24 hours' if day == 1 else 'limits exceeded in the 24 hours'}")


class Receiver:
    """A server that takes in webhooks and nothing else."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory()
        environment = dict(os.environ, BANKSMAN_HOME=self.home.name, BANKSMAN_GITHUB_WEBHOOK_SECRET=SECRET)
        self.server = subprocess.Popen([binary(), "--json", "serve", "--only", "webhooks", "--listen", "127.0.0.1:0", "--quiet"],
                                       env=environment, stdout=subprocess.PIPE, text=True)
        told = ""
        while not told.endswith("}\n"):
            told += self.server.stdout.readline() or exit("serve ended")
        self.address = json.loads(told)["url"].removeprefix("http://")
        self.mine = threading.local()
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(timeout=20)
        self.home.cleanup()

    def deliver(self, number, secret=SECRET, spoil=0):
        """Seconds and status of one delivery; `spoil` changes one byte after it was signed."""
        body = json.dumps({"action": "opened", "repository": {"full_name": f"acme/r{number % 50}"}, "issue": {"number": number},
                           "filler": "x" * 8000}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if spoil:
            body = body[:spoil] + bytes([body[spoil] ^ 1]) + body[spoil + 1:]
        if not hasattr(self.mine, "line"):
            self.mine.line = http.client.HTTPConnection(self.address, timeout=30)
        began = time.monotonic()
        self.mine.line.request("POST", "/webhooks/github", body, {
            "X-GitHub-Event": "issues", "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-{number:012x}",
            "X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"})
        answer = self.mine.line.getresponse()
        answer.read()
        return time.monotonic() - began, answer.status


@row("webhooks", "serve on loopback: 200 signed deliveries a second for 20 s; 10,000 forged ones", "p99 under 100 ms; 0 forged ones accepted")
def webhooks():
    with Receiver() as receiver, concurrent.futures.ThreadPoolExecutor(16) as pool:
        began, waiting = time.monotonic(), []
        for number in range(4000):
            time.sleep(max(0, began + number / 200 - time.monotonic()))
            waiting.append(pool.submit(receiver.deliver, number))
        done = [one.result() for one in waiting]
        times = sorted(seconds for seconds, _ in done)
        refused = sum(status >= 300 for _, status in done)
        forged = pool.map(lambda n: receiver.deliver(n, "another" if n % 2 else SECRET, 0 if n % 2 else 1 + n % 8000), range(10_000))
        accepted = sum(status != 401 for _, status in forged)
    p99 = times[int(len(times) * 0.99)] * 1000
    return Result(p99 < 100 and accepted == 0 and refused == 0,
                  f"p99 {p99:.1f} ms, median {statistics.median(times) * 1000:.1f} ms, {refused} of 4000 refused; {accepted} forged ones accepted")
