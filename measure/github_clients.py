"""Rows about GitHub that tests decide: genuine clients against the facade, documents against what they may ask for, ticks that land together."""
import os, re, subprocess

import rows


def passed(package, test, *filters):
    """How many tests of these names passed; none when one failed."""
    env = {**os.environ, "CI": "true"}
    done = subprocess.run(["cargo", "test", "--locked", "--quiet", "-p", package, "--test", test, "--", *filters],
                          cwd=rows.ROOT, env=env, capture_output=True, text=True)
    told = re.search(r"(\d+) passed; (\d+) failed", done.stdout)
    if not told:
        raise RuntimeError((done.stdout + done.stderr).strip()[-300:])
    return (int(told[1]) if done.returncode == 0 else 0), int(told[2])


def material():
    done = subprocess.run([rows.ROOT / "measure" / "conformance.sh"], capture_output=True, text=True)
    if done.returncode != 0:
        raise rows.Missing(done.stderr.strip()[-200:])


@rows.row("github-clients", "the facade under gh 2.23.0 and 2.102.0 (every command of the table, clone and checkout) and octokit (both paths)",
          "all pass, with both versions of gh")
def github_clients():
    material()
    table = (rows.ROOT / "crates/facade/tests/clients/table.rs").read_text().split("pub(super) const TABLE", 1)[1]
    commands = len(re.findall(r"^    (?:row|after|fails)\(", table, re.M))
    good, bad = passed("banksman-facade", "it", "clients::")
    return rows.Result(bad == 0 and good >= 6, f"{commands} commands with each of two versions of gh, octokit at two paths: {good} tests passed, {bad} failed")


@rows.row("github-structure", "every document valid against GitHub's schema; a field without a row in structural.allow, a String in a public type; "
          "329 published payloads", "all hold, and each control is caught")
def github_structure():
    material()
    good, bad = passed("banksman-forge", "structure")
    return rows.Result(bad == 0 and good > 0, f"{good} tests passed, {bad} failed")


@rows.row("github-ticks", "20 merges that land together on one epic, while people edit its body", "20 ticks, foreign edits kept")
def github_ticks():
    embedded, bad = passed("banksman-forge", "local", "twenty_ticks_at_once")
    client, worse = passed("banksman-forge", "github", "ticks")
    return rows.Result(bad + worse == 0 and embedded == 1 and client > 0,
                       f"embedded forge: {embedded} passed, client of GitHub: {client} passed, {bad + worse} failed")
