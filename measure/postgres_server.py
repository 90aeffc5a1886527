"""A PostgreSQL server for the rows that need one."""
import contextlib, subprocess, tempfile

import rows


@contextlib.contextmanager
def server():
    """A PostgreSQL server of its own; its URL."""
    script = rows.ROOT / "measure" / "postgres.sh"
    installed = subprocess.run([script, "install"], capture_output=True, text=True)
    if installed.returncode != 0:
        raise rows.Missing(installed.stderr.strip())
    with tempfile.TemporaryDirectory(prefix="banksman-pg-", dir="/tmp") as folder:
        started = subprocess.run([script, "start", folder], capture_output=True, text=True)
        try:
            if started.returncode != 0:
                raise rows.Missing(started.stderr.strip())
            yield started.stdout.strip()
        finally:
            subprocess.run([script, "stop", folder], check=True)
