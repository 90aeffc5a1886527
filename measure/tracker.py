"""Rows about the tracker: items in, outcomes out, over a stub program and over the embedded server."""
import contextlib, http.client, http.server, json, os, pathlib, sqlite3, subprocess, sys, tempfile, threading, time
from rows import Result, binary, row

TOKEN = "bench-token-5f1c"
CANARY = "canary-7d3e9a"
BODY = f"echo {CANARY}\n"
STUB = """#!%(python)s
import json, os, sys
at, words = %(at)r, sys.argv[1:]
with open(at + "/calls", "a") as calls:
    calls.write(json.dumps([words[0], words[1], words[2] if len(words) > 2 else "", " ".join(sys.argv)]) + "\\n")
def fail(code):
    print(json.dumps({"error": {"code": code, "message": "x"}})); sys.exit(22)
if os.path.exists(at + "/down"): sys.exit(22)
if os.environ.get("AQ_TRACKER_TOKEN") != %(token)r: fail("unauthorized")
items = json.load(open(at + "/items.json"))
name = words[1].split("?")[0].split("/")[2]
if name not in items: fail("not_found")
if words[0] == "PATCH":
    items[name].update(json.loads(words[2])); json.dump(items, open(at + "/items.json", "w"))
print(json.dumps(items[name]))
"""


class Stub:
    """A program that stands for a tracker; keeps what it was called with."""
    name = "stub program"

    def __init__(self, program, home, folder):
        self.at = pathlib.Path(folder) / "stub"
        self.at.mkdir()
        items = {f"T-{n}": {"id": f"T-{n}", "productId": "p1", "type": "task", "title": f"Job {n}", "description": BODY, "status": "open",
                            "labels": ["engine:shell", "ai"]} for n in (1, 2, 3)}
        (self.at / "items.json").write_text(json.dumps(items))
        self.program = self.at / "tracker.py"
        self.program.write_text(STUB % {"python": sys.executable, "at": str(self.at), "token": TOKEN})
        self.program.chmod(0o755)

    def env(self):
        return {"AQ_TRACKER_API_CMD": str(self.program), "AQ_TRACKER_TOKEN": TOKEN}

    def down(self, down):
        (self.at / "down").touch() if down else (self.at / "down").unlink()

    def calls(self):
        """Method, path, body, and everything else that others could see of a call."""
        log = self.at / "calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def status(self, item):
        return json.loads((self.at / "items.json").read_text())[item]["status"]

    def close(self):
        pass


class Embedded:
    """The embedded server behind a proxy that counts and can fail."""
    name = "embedded server"

    def __init__(self, program, home, folder):
        env = {**os.environ, "BANKSMAN_HOME": str(home), "AQ_TRACKER_TOKEN": TOKEN}
        self.server = subprocess.Popen([program, "serve", "--only", "tracker", "--listen", "127.0.0.1:0", "--json"],
                                       env=env, stdout=subprocess.PIPE, text=True)
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.server.stdout.readline()
            if not line:
                raise RuntimeError("serve ended")
            text += line
        self.address = json.loads(text)["tracker"].removeprefix("http://")
        for n in (1, 2, 3):
            made = self.ask("POST", "/items", {"title": f"Job {n}", "description": BODY, "productId": "p1", "labels": ["engine:shell", "ai"]})
            assert made[0] == 201, made
        self.log, self.failing, outer = [], False, self

        class Proxy(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                seen = {k: v for k, v in self.headers.items() if k.lower() != "authorization"}
                outer.log.append([self.command, self.path, body.decode(), json.dumps(seen)])
                status, answer = (500, b"{}") if outer.failing else outer.send(self.command, self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            do_GET = do_POST = do_PATCH = pass_on

        self.proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()

    def send(self, method, path, body, headers):
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=10)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def ask(self, method, path, body=None):
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        status, answer = self.send(method, path, json.dumps(body) if body else None, headers)
        return status, json.loads(answer)

    def env(self):
        return {"AQ_TRACKER_API": f"http://127.0.0.1:{self.proxy.server_port}", "AQ_TRACKER_TOKEN": TOKEN}

    def down(self, down):
        self.failing = down

    def calls(self):
        return list(self.log)

    def status(self, item):
        return self.ask("GET", f"/items/{item}")[1]["status"]

    def close(self):
        self.proxy.shutdown()
        self.server.terminate()
        self.server.wait(timeout=20)


def scenario(kind, program):
    """Plays everything once; a list of what was wrong."""
    wrong = []

    def expect(holds, what):
        if not holds:
            wrong.append(f"{kind.name}: {what}")

    with tempfile.TemporaryDirectory(prefix="banksman-bench-") as folder:
        home, cwd = pathlib.Path(folder) / "home", pathlib.Path(folder) / "work"
        cwd.mkdir()
        tracker = kind(program, home, folder)
        base = {k: v for k, v in os.environ.items() if not k.startswith("AQ_")} | {"BANKSMAN_HOME": str(home), "AQ_PRODUCT_ID": "p1"}

        def run(*args, code=0, **env):
            done = subprocess.run([program, *args], env=base | tracker.env() | env, cwd=cwd, capture_output=True, text=True, timeout=120)
            expect(done.returncode == code, f"{' '.join(args)}: exit {done.returncode}, not {code}: {done.stderr.strip()[-300:]}")
            expect(TOKEN not in done.stdout + done.stderr, f"{' '.join(args)} printed the token")
            return done.stdout

        def jobs():
            with contextlib.closing(sqlite3.connect(f"file:{home}/store.db?mode=ro", uri=True)) as db:
                return db.execute("SELECT * FROM job ORDER BY id").fetchall()

        def files():
            return sorted(str(p.relative_to(home / "queue")) for p in (home / "queue").rglob("*.md"))

        def told(since):
            calls = tracker.calls()[since:]
            return sum(c[0] == "PATCH" for c in calls), sum(c[0] == "POST" for c in calls)

        try:
            # 401, 404, another product: exit 1 and nothing made.
            run("from-tracker", "T-1", code=1, AQ_TRACKER_TOKEN="wrong")
            run("from-tracker", "T-99", code=1)
            run("from-tracker", "T-1", code=1, AQ_PRODUCT_ID="p2")
            expect(not jobs() and not files(), f"a refused item left {len(jobs())} jobs, files {files()}")
            # Twice in, one job.
            made = run("from-tracker", "T-1").strip()
            expect(f"inbox/{made}" in files(), f"{made!r} is not in the inbox")
            expect("there already" in run("from-tracker", "T-1"), "the second from-tracker does not say that the job is there")
            expect(len(jobs()) == 1 and len(files()) == 1, f"{len(jobs())} jobs, {len(files())} files")
            run("worker", "--until-empty", "--quiet")
            # Twice out, one of each.
            since = len(tracker.calls())
            run("to-tracker", "1")
            run("to-tracker", "1")
            expect(told(since) == (1, 1), f"to-tracker twice: {told(since)} calls of PATCH and comment")
            expect(tracker.status("T-1") == "done", f"T-1 is {tracker.status('T-1')}")
            # A tracker that fails: the job stays as it is and is echoed later, by a worker.
            run("from-tracker", "T-2")
            run("worker", "--until-empty", "--quiet")
            tracker.down(True)
            before, since = jobs(), len(tracker.calls())
            run("to-tracker", "2", code=1)
            expect(jobs() == before, "a failed echo changed the job")
            failed = len(tracker.calls())
            expect(told(since)[0] >= 1, "nothing was tried")
            tracker.down(False)
            # Every stage by itself, with auto on.
            run("from-tracker", "T-3", AQ_TRACKER_AUTO="1")
            worker = subprocess.Popen([program, "worker", "--quiet"], env=base | tracker.env(), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            begin = time.monotonic()
            while time.monotonic() - begin < 60 and (tracker.status("T-2"), tracker.status("T-3")) != ("done", "done"):
                time.sleep(0.2)
            later = time.monotonic() - begin
            time.sleep(1)
            worker.terminate()
            worker.wait(timeout=30)
            expect(jobs()[:2] == before, "an echo changed a job")
            expect((tracker.status("T-2"), tracker.status("T-3")) == ("done", "done"), "not echoed within 60 s")
            comments = [c[1] for c in tracker.calls()[failed:] if c[0] == "POST"]
            expect(sorted(comments) == ["/items/T-2/comments", "/items/T-3/comments"], f"comments: {comments}")
            sent = json.dumps(tracker.calls())
            expect(CANARY not in sent, "prompt text was sent")
            expect(TOKEN not in sent, "the token is among arguments or in a body")
            return wrong, later
        finally:
            tracker.close()


@row("tracker", "from-tracker and to-tracker twice each, HTTP 500, 401, 404, another product, a canary; stub program and embedded server",
     "1 job; 1 PATCH, 1 comment; echoed later, job unchanged; exit 1 and no file; no prompt text sent")
def tracker():
    program = binary()
    wrong, laters = [], []
    for kind in (Stub, Embedded):
        more, later = scenario(kind, program)
        wrong += more
        laters.append(later)
    for line in wrong:
        print(f"   {line}")
    return Result(not wrong, f"{len(wrong)} deviations; after a failure echoed {laters[0]:.1f} s (stub) and {laters[1]:.1f} s (server) after the next worker began")
