"""Rows about training data: line protocol and a real InfluxDB, ingest, sinks that are down, capture beside the script that teams run today."""
import contextlib, http.client, http.server, json, os, pathlib, signal, socket, statistics, subprocess, tempfile, threading, time, urllib.error, \
    urllib.parse, urllib.request

from rows import ROOT, Missing, Result, binary, build, example, row, target_dir

TOKEN = "a-token-of-a-measurement"


def free_port(pair=1):
    """A port of the loopback that is free, with so many behind it."""
    for _ in range(50):
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for offset in range(1, pair):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            return port
    raise Missing("no free port")


@contextlib.contextmanager
def running(command, **more):
    """A process that is ended at the end, with all that it started."""
    process = subprocess.Popen(command, start_new_session=True, **more)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def influxdb():
    """The base URL of a fresh InfluxDB 1.6."""
    done = subprocess.run([ROOT / "measure" / "influxdb.sh", "install"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(done.stderr.strip()[-200:])
    with tempfile.TemporaryDirectory(prefix="influxdb-") as folder:
        port = free_port(2)
        url = f"http://127.0.0.1:{port}"
        with running([ROOT / "measure" / "influxdb.sh", "run", folder, str(port)]) as server:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(url + "/ping").close()
                    break
                if server.poll() is not None:
                    raise RuntimeError("influxd ended: " + pathlib.Path(folder, "log").read_text()[-300:])
                time.sleep(0.1)
            yield url


def ask(url, path, data=None):
    request = urllib.request.Request(url + path, data=data, method="POST" if data is not None else "GET")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def same(kept, wanted):
    """Whether the server gives back what was written; 64-bit integers to the last digit, floats to the last bit."""
    if isinstance(wanted, float) and not isinstance(kept, bool):
        return isinstance(kept, (int, float)) and float(kept) == wanted
    return type(kept) is type(wanted) and kept == wanted


@row("line-protocol", "lines with spaces, commas, quotes, backslashes, emoji, 64-bit edges, written to a real InfluxDB 1.6 and read back",
     "all accepted, all unchanged; both readers of the property test agree")
def line_protocol():
    material = json.loads(example("banksman-core", "line_protocol"))
    with influxdb() as url:
        ask(url, "/query?q=" + urllib.parse.quote("CREATE DATABASE lp"), b"")
        status, body = ask(url, "/write?db=lp&precision=ns", material["lines"].encode())
        if status != 204:
            return Result(False, f"refused with {status}: {body[:200]!r}")
        measurements = {entry["measurement"] for entry in material["expected"]}
        kept = {}
        for name in measurements:
            quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
            query = urllib.parse.urlencode({"db": "lp", "epoch": "ns", "q": f"SELECT * FROM {quoted} GROUP BY *"})
            told = json.loads(ask(url, "/query?" + query)[1])
            for series in told["results"][0].get("series", []):
                for values in series["values"]:
                    fields = {key: value for key, value in zip(series["columns"][1:], values[1:]) if value is not None}
                    kept[series["tags"].get("case")] = (series["name"], series["tags"], fields, values[0])
    unlike = []
    for entry in material["expected"]:
        name, tags, fields, at = kept.get(entry["tags"]["case"], (None, {}, {}, None))
        tags = {key: value for key, value in tags.items() if value != ""}
        right = name == entry["measurement"] and tags == entry["tags"] and at == entry["time"] and fields.keys() == entry["fields"].keys()
        if not right or not all(same(fields[key], value) for key, value in entry["fields"].items()):
            unlike.append((entry, (name, tags, fields, at)))
    property_test = subprocess.run(["cargo", "test", "--release", "--locked", "--quiet", "-p", "banksman-core", "--test", "line_protocol"],
                                   cwd=ROOT, capture_output=True, env=dict(os.environ, PROPTEST_CASES="20000"))
    agree = "agree" if property_test.returncode == 0 else "do not agree"
    text = f"{len(material['expected'])} lines written, {len(unlike)} came back changed; the readers {agree} on 20,000 cases a property"
    if unlike:
        text += f", first: {unlike[0]}"
    return Result(not unlike and property_test.returncode == 0, text)


@contextlib.contextmanager
def serving(home, *parts, environment=None):
    """A running serve of these parts; what it told."""
    command = [binary(), "--json", "serve", "--listen", "127.0.0.1:0", "--quiet"]
    for part in parts:
        command += ["--only", part]
    environment = dict(os.environ, BANKSMAN_HOME=str(home), INFLUX_TOKEN=TOKEN, **(environment or {}))
    with running(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        told = ""
        while not told.endswith("}\n"):
            line = server.stdout.readline()
            if not line:
                raise RuntimeError("serve ended")
            told += line
        yield json.loads(told)


def batch(number, lines=5000):
    """Observations as a script writes them; every batch has its own times."""
    text = []
    for n in range(lines):
        index = number * lines + n
        text.append(
            f'pr_observation,author=app/copilot,pr={index % 100},repo=acme_shop merge_state="BLOCKED",mergeable=true,is_draft=false,'
            f"auto_merge_enabled=false,checks_total=12i,checks_passing={index % 12}i,checks_failing=1i,reviews_approved=0i,"
            f"reviews_changes_requested=1i,threads_total={index % 30}i,threads_unresolved={index % 7}i,pr_age_hours=31i,last_push_hours=4i,"
            f"last_activity_hours=2i,conflict_attempts=0i,review_fix_attempts=1i {1753600000000000000 + index // 100 * 1000000000}")
    return "\n".join(text).encode()


@row("ingest", "POST /api/v2/write of 40 batches of 5,000 lines at a running serve on SQLite, durable, two connections, 5 runs; a bare loop of the "
     "same INSERTs in the same run", "at least 100,000 observations/s")
def ingest():
    batches, rates, bare = 40, [], []
    bodies = [batch(number) for number in range(batches)]
    build("-p", "banksman-store", "--features", "conformance", "--example", "training_rates")
    program = target_dir() / "release" / "examples" / "training_rates"
    for _ in range(5):
        bare.append(json.loads(subprocess.run([program, str(batches)], capture_output=True, text=True, check=True).stdout)["bare"])
        with tempfile.TemporaryDirectory(prefix="ingest-") as home, serving(home, "write") as told:
            address = told["url"].removeprefix("http://")
            left, statuses, guard = list(bodies), [], threading.Lock()

            def post():
                line = http.client.HTTPConnection(address, timeout=60)
                while True:
                    with guard:
                        if not left:
                            return
                        body = left.pop(0)
                    line.request("POST", "/api/v2/write?org=o&bucket=b&precision=ns", body, {"Authorization": "Token " + TOKEN})
                    answer = line.getresponse()
                    answer.read()
                    statuses.append(answer.status)

            threads = [threading.Thread(target=post) for _ in range(2)]
            begun = time.monotonic()
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            took = time.monotonic() - begun
            if statuses != [204] * batches:
                return Result(False, f"answers: {sorted(set(statuses))}")
            rates.append(batches * 5000 / took)
    median, limit = statistics.median(rates), statistics.median(bare)
    return Result(median >= 100_000, f"median {median:,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f}, n = 5), "
                  f"{median / limit:.0%} of the bare loop's {limit:,.0f}/s")


class Stub(http.server.BaseHTTPRequestHandler):
    """Counts the points that come."""
    protocol_version = "HTTP/1.1"
    came = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Stub.came += [int(line.split(b"pr=")[1].split(b",")[0]) for line in body.splitlines()]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@row("sink-down", "a sink that is down for 10,000 batches and then comes back", "all arrive, in order, none twice")
def sink_down():
    batches, port = 10_000, free_port()
    build("-p", "banksman-sink", "--example", "sink_down")
    program = target_dir() / "release" / "examples" / "sink_down"
    Stub.came = []
    with tempfile.TemporaryDirectory(prefix="spool-") as folder:
        begun = time.monotonic()
        with running([program, f"http://127.0.0.1:{port}", folder, str(batches)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     text=True) as sender:
            if sender.stdout.readline().strip() != "spooled":
                return Result(False, "the batches could not be spooled")
            spooled = time.monotonic() - begun
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Stub)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            sender.stdin.write("\n")
            sender.stdin.flush()
            delivered = sender.stdout.readline().strip() == "delivered"
            server.shutdown()
    came, wanted = Stub.came, list(range(batches * 2))
    return Result(delivered and came == wanted,
                  f"{len(came)} of {len(wanted)} points arrived, {len(came) - len(set(came))} twice, "
                  f"{'in order' if came == sorted(came) else 'out of order'}; spooled in {spooled:.1f} s")


class Counter:
    """Passes requests on to a server and counts them."""

    def __init__(self, upstream):
        counter = self
        self.count = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                counter.count += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                line = http.client.HTTPConnection(upstream, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "host")}
                line.request(self.command, self.path, body or None, headers)
                answer = line.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def side_by_side(count, *more):
    """So many pull requests captured by the script and by `training capture` through the client of GitHub."""
    if subprocess.run([ROOT / "measure" / "conformance.sh", "clients"], capture_output=True).returncode != 0:
        raise Missing("a current gh cannot be installed")
    gh = max((ROOT / "target" / "conformance" / "gh").glob("[0-9]*/bin"))
    for needed in ("jq", "curl"):
        if subprocess.run(["which", needed], capture_output=True).returncode != 0:
            raise Missing(f"{needed} is missing")
    program = binary()
    with tempfile.TemporaryDirectory(prefix="cap-", dir="/tmp") as folder:
        folder = pathlib.Path(folder)
        made = json.loads(subprocess.run([ROOT / "measure" / "capture_world.sh", program, folder, str(count), *more], capture_output=True, text=True,
                                         check=True, env=dict(os.environ, USER="tester")).stdout)
        scripted, captured = folder / "scripted.jsonl", folder / "captured.jsonl"
        environment = {"USER": "tester", "BANKSMAN_TRAINING_JSON_FILE": str(scripted)}
        with serving(made["home"], "forge", "write", environment=environment) as told:
            (folder / "gh").mkdir()
            (folder / "gh" / "config.yml").write_text(f"http_unix_socket: {told['forge_socket']}\n")
            begun = time.monotonic()
            script = subprocess.run(["sh", ROOT / "measure" / "capture-to-influx.sh", "tester/shop"], capture_output=True, text=True, env=dict(
                os.environ, PATH=f"{gh}:{os.environ['PATH']}", GH_CONFIG_DIR=str(folder / "gh"), GH_TOKEN="x", GH_PROMPT_DISABLED="1", INFLUX_HOST=told["url"], INFLUX_TOKEN=TOKEN))
            took_script = time.monotonic() - begun
            if script.returncode != 0:
                raise RuntimeError("the script failed: " + (script.stderr or script.stdout)[-300:])
            token = pathlib.Path(told["forge_token_file"]).read_text().strip()
            counter = Counter(told["url"].removeprefix("http://"))
            home = folder / "other"
            home.mkdir()
            (home / "repos.toml").write_text('[repos."tester/shop"]\ngithub = "tester/shop"\ndefault_branch = "main"\nimplementers = ["shell"]\n'
                                             'checks = [["test", "true"]]\ncheck_apps = [1]\n')

            def capture(url, file):
                environment = dict(os.environ, BANKSMAN_HOME=str(home), GITHUB_TOKEN=token, BANKSMAN_GITHUB_API_URL=url)
                if file:
                    environment["BANKSMAN_TRAINING_JSON_FILE"] = str(file)
                begun = time.monotonic()
                done = subprocess.run([program, "--json", "training", "capture"], capture_output=True, text=True, env=environment)
                took = time.monotonic() - begun
                if done.returncode != 0:
                    raise RuntimeError("capture failed: " + done.stderr[-300:])
                return took

            capture(counter.url, captured)
            requests = counter.count
            times = [capture(told["url"], None) for _ in range(7)]
        points = [{json.loads(line)["pull"]: json.loads(line) for line in file.read_text().splitlines()} for file in (scripted, captured)]
    for side in points:
        for point in side.values():
            point.pop("at")
    return {"script": took_script, "capture": times, "requests": requests, "scripted": points[0], "captured": points[1]}


@row("capture-script", "the script that teams run today (gh, jq, curl), unchanged, against serve for both gh and curl; 20 open pull requests: "
     "drafts, conflicts, approvals, requests for changes, threads", "the same points as training capture records, field by field")
def capture_script():
    told = side_by_side(20, "threads")
    scripted, captured = told["scripted"], told["captured"]
    unlike = {(number, field) for number in scripted.keys() | captured.keys()
              for field in scripted.get(number, {}).keys() | captured.get(number, {}).keys()
              if scripted.get(number, {}).get(field) != captured.get(number, {}).get(field)}
    text = f"{len(scripted)} points by the script, {len(captured)} by capture, {len(unlike)} fields differ"
    if unlike:
        number, field = sorted(unlike)[0]
        text += f", such as {field} of #{number}: {scripted.get(number, {}).get(field)} and {captured.get(number, {}).get(field)}"
    return Result(not unlike and len(captured) == 20, text)


@row("capture-100", "training capture of 100 open pull requests without threads (each 100 new ones cost a request) through the client of GitHub, the "
     "process included, against that script in the same run", "at least 100 times faster, 1 to 4 requests")
def capture_100():
    told = side_by_side(100)
    median = statistics.median(told["capture"])
    factor = told["script"] / median
    return Result(factor >= 100 and 1 <= told["requests"] <= 4,
                  f"median {median * 1000:.0f} ms ({min(told['capture']) * 1000:.0f} to {max(told['capture']) * 1000:.0f}, n = 7) and "
                  f"{told['requests']} requests; the script {told['script']:.1f} s: {factor:.0f} times")
