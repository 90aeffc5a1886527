"""Row about the reader of job files."""
import json, subprocess
from rows import Result, build, row, target_dir


@row("manifest-fuzz", "the reader of job files on mutated files, YAML's oddities and raw bytes", "60 s, no crash, no hang, round trip holds")
def fuzz():
    build("-p", "banksman-core", "--example", "manifest_fuzz")
    done = subprocess.run([target_dir() / "release" / "examples" / "manifest_fuzz", "--seconds", "60"], capture_output=True, text=True)
    if done.returncode != 0:
        return Result(False, done.stderr.strip().splitlines()[0])
    out = json.loads(done.stdout)
    return Result(out["executions"] > 0, f"{out['executions']} executions in {out['seconds']} s, {out['accepted']} accepted and read back, "
                                         f"slowest call {out['slowest_ms']:.1f} ms, seed {out['seed']}")
