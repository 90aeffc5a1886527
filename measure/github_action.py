"""The row about the whole way from a webhook to what is done about it: one home's `serve` as GitHub, another home's `serve` that watches it."""
import hashlib, hmac, http.client, json, os, pathlib, subprocess, tempfile, time

from rows import Result, binary, row, spread

SECRET = "a secret of a measurement"
TIMES = 12
APART = 6


class Serving:
    """A `serve` of a home, until it is left."""

    def __init__(self, program, home, *args, **environment):
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        environment = {**kept, "HOME": str(home), "USER": "me", "LANG": "C.UTF-8", "BANKSMAN_HOME": str(home), **environment}
        self.server = subprocess.Popen([program, "--json", "serve", "--listen", "127.0.0.1:0", "--quiet", *args],
                                       env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        told = ""
        while not told.endswith("}\n"):
            told += self.server.stdout.readline() or exit("serve ended")
        self.told = json.loads(told)
        self.address = self.told["url"].removeprefix("http://")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(timeout=30)

    def call(self, method, path, body=None, token=None, **headers):
        line = http.client.HTTPConnection(self.address, timeout=30)
        headers |= {"Authorization": f"token {token}"} if token else {}
        line.request(method, path, None if body is None else body if isinstance(body, bytes) else json.dumps(body), headers)
        answer = line.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status}")
        return json.loads(text) if text[:1] in (b"{", b"[") else text


def git(folder, *args):
    who = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *who, *args], check=True, capture_output=True)


def repository(folder):
    """A repository with a branch for each pull request."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "app").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "First commit")
    for n in range(TIMES + APART):
        git(folder, "switch", "-qc", f"work-{n}", "main")
        (folder / f"file-{n}").write_text("text\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "Work")
    git(folder, "switch", "-q", "main")


def token_of(program, home, login):
    environment = {**os.environ, "BANKSMAN_HOME": str(home), "USER": "me"}
    given = subprocess.run([program, "--json", "forge", "token", login], env=environment, capture_output=True, text=True, check=True)
    return pathlib.Path(json.loads(given.stdout)["token_file"]).read_text().strip()


@row("webhook-action", f"{TIMES} times: a person opens a review thread on a hosted agent's pull request, its webhook comes in, and `serve` asks "
     f"for the fix: from the delivery to the comment on the forge, all on loopback; {APART} times with the receiver in a process of its own",
     "under 1 s")
def webhook_action():
    program = binary()
    with tempfile.TemporaryDirectory(prefix="banksman-bench-") as folder:
        folder = pathlib.Path(folder)
        there, here = folder / "there", folder / "here"
        there.mkdir(), here.mkdir()
        repository(folder / "shop")
        (there / "repos.toml").write_text(
            f'[repos.shop]\npath = "{folder}/shop"\ndefault_branch = "main"\nimplementers = ["shell"]\nrequired_approvals = 1\n')
        (here / "repos.toml").write_text(
            '[repos."me/shop"]\ngithub = "me/shop"\ndefault_branch = "main"\n'
            'hosted = [{ name = "jules", label = "jules", login = "jules" }]\n')
        agent, ann = token_of(program, there, "jules"), token_of(program, there, "ann")
        with Serving(program, there, "--only", "forge") as forge:
            own = pathlib.Path(forge.told["forge_own_token_file"]).read_text().strip()
            pulls = [forge.call("POST", "/repos/me/shop/pulls", {"title": f"Work {n}", "head": f"work-{n}", "base": "main"}, agent)["number"]
                     for n in range(TIMES + APART)]
            (here / "config.toml").write_text(f'[github]\napi_url = "{forge.told["url"]}"\n')
            more = {"GITHUB_TOKEN": own, "BANKSMAN_CONFIG": str(here / "config.toml"), "BANKSMAN_GITHUB_WEBHOOK_SECRET": SECRET}
            with Serving(program, here, "--only", "sweeps", "--only", "webhooks", **more) as watcher:
                seconds = [once(forge, watcher, number, ann) for number in pulls[:TIMES]]
            with Serving(program, here, "--only", "sweeps", **more), Serving(program, here, "--only", "webhooks", **more) as receiver:
                apart = [once(forge, receiver, number, ann) for number in pulls[TIMES:]]
    return Result(max(seconds + apart) < 1,
                  f"{spread([s * 1000 for s in seconds], 'ms', 0)}; apart {spread([s * 1000 for s in apart], 'ms', 0)}")


def once(forge, watcher, number, ann):
    """Seconds from a delivery to the comment that it leads to."""
    time.sleep(1.0)  # What the last one left behind is over.
    pull = f"/repos/me/shop/pulls/{number}"
    comments = f"/repos/me/shop/issues/{number}/comments"
    head = forge.call("GET", pull, token=ann)["head"]["sha"]
    if forge.call("GET", comments, token=ann):
        raise RuntimeError("something was said before it was called for")
    changed = {"commit_id": head, "event": "COMMENT", "body": "", "comments": [{"path": f"file-{number_of(forge, pull, ann)}", "line": 1, "body": "why?"}]}
    forge.call("POST", f"{pull}/reviews", changed, ann)
    body = json.dumps({"action": "submitted", "repository": {"full_name": "me/shop"}, "pull_request": {"number": number}}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    began = time.monotonic()
    watcher.call("POST", "/webhooks/github", body, **{
        "X-GitHub-Event": "pull_request_review", "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-{number:012x}",
        "X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"})
    while not forge.call("GET", comments, token=ann):
        if time.monotonic() - began > 30:
            raise RuntimeError(f"nothing was said on #{number} for 30 s")
        time.sleep(0.005)
    return time.monotonic() - began


def number_of(forge, pull, ann):
    """Which of the branches it is, by the name of its head."""
    return forge.call("GET", pull, token=ann)["head"]["ref"].removeprefix("work-")
