"""Rows about GitHub that tests decide: genuine clients against the facade, documents against what they may ask for, ticks that land together."""
import re, subprocess

import rows


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
    good, bad = rows.passed("banksman-facade", "it", "clients::")
    return rows.Result(bad == 0 and good >= 6, f"{commands} commands with each of two versions of gh, octokit at two paths: {good} tests passed, {bad} failed")


@rows.row("github-structure", "every document valid against GitHub's schema; a field without a row in structural.allow, a String in a public type; "
          "329 published payloads", "all hold, and each control is caught")
def github_structure():
    material()
    good, bad = rows.passed("banksman-forge", "structure")
    return rows.Result(bad == 0 and good > 0, f"{good} tests passed, {bad} failed")


@rows.row("github-ticks", "20 merges that land together on one epic, while people edit its body", "20 ticks, foreign edits kept")
def github_ticks():
    client, bad = rows.passed("banksman-facade", "it", "landing::twenty_merges_that_land_together")
    embedded, worse = rows.passed("banksman-forge", "local", "twenty_ticks_at_once")
    return rows.Result(bad + worse == 0 and client == 1 and embedded == 1,
                       f"client of GitHub, over the facade: {20 * client} of 20 merged and ticked, 5 edits kept; embedded forge: {20 * embedded} of 20")


@rows.row("facade-fuzz", "60,000 made-up calls, as many queries, and as many documents of the client that are cut or changed, at the facade",
          "0 panics, every answer JSON in GitHub's shape")
def facade_fuzz():
    good, bad = rows.passed("banksman-facade", "it", "anything::", PROPTEST_CASES="60000")
    return rows.Result(bad == 0 and good == 4, f"{good} campaigns without a panic or another answer, {bad} with one")
