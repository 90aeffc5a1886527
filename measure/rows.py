"""What a row is, and what rows share: building the binary, timing, medians."""
import dataclasses, os, pathlib, re, statistics, subprocess, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROWS = []


class Missing(Exception):
    """Something that the row needs is not there."""


@dataclasses.dataclass
class Result:
    ok: bool
    measured: str


@dataclasses.dataclass
class Row:
    name: str
    what: str
    target: str
    measure: object


def row(name, what, target):
    """Registers a function as a row."""
    def register(measure):
        ROWS.append(Row(name, what, target, measure))
        return measure
    return register


def target_dir():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def build(*what):
    """Builds in release mode and fails loudly."""
    done = subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", *what], cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"cargo build {' '.join(what)} failed")


def binary():
    build("-p", "banksman")
    return target_dir() / "release" / "banksman"


def example(package, name):
    """Builds and runs an example; its standard output."""
    build("-p", package, "--example", name)
    return subprocess.run([target_dir() / "release" / "examples" / name], capture_output=True, text=True, check=True).stdout


def passed(package, test, *filters, **more):
    """How many tests of these names passed; none when one failed."""
    env = {**os.environ, "CI": "true", **more}
    done = subprocess.run(["cargo", "test", "--locked", "--quiet", "-p", package, "--test", test, "--", *filters],
                          cwd=ROOT, env=env, capture_output=True, text=True)
    told = re.search(r"(\d+) passed; (\d+) failed", done.stdout)
    if not told:
        raise RuntimeError((done.stdout + done.stderr).strip()[-300:])
    return (int(told[1]) if done.returncode == 0 else 0), int(told[2])


def timed(command, **more):
    """Wall seconds and the finished process."""
    start = time.monotonic()
    done = subprocess.run(command, **more)
    return time.monotonic() - start, done


def spread(values, unit, digits=1):
    """`median X (min to max, n)`."""
    return (f"median {statistics.median(values):.{digits}f} {unit} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f}, n = {len(values)})")


def environment(name, what):
    """A path from the environment, or Missing with what it should hold."""
    value = os.environ.get(name)
    if not value:
        raise Missing(f"set {name} to {what}")
    path = pathlib.Path(value)
    if not path.exists():
        raise Missing(f"{name}={value} does not exist")
    return path
