"""API Gateway's and Lambda's part: osls with serverless-offline, in front of the functions in ../functions."""

import fcntl
import hashlib
import shutil

from .processes import Process, accepts, environment, free_ports, run

STAMP = ".package-lock.sha256"  # as sha256sum writes it; tests/run keeps the same


def install_node_modules(here):
    """`npm ci`, unless node_modules was made from this very lock file."""
    for program in ("node", "npm"):
        if shutil.which(program, path=environment()["PATH"]) is None:
            raise AssertionError(f"the end-to-end test needs {program} (tests/run installs it)")
    digest = hashlib.sha256((here / "package-lock.json").read_bytes()).hexdigest()
    stamp = here / "node_modules" / STAMP
    with open(here / "package-lock.json", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text().split()[:1] == [digest]:
            return
        run(["npm", "ci", "--no-progress"], cwd=here, timeout=600)
        stamp.write_text(f"{digest}  tests/e2e/package-lock.json\n")


class Serverless:
    def __init__(self, here, folder, logs):
        self._here, self._folder, self._logs = here, folder, logs
        self.http_api = self.rest_api = self.lambda_endpoint = None

    def start(self):
        project = self._folder
        shutil.copytree(self._here / "functions", project)
        (project / "node_modules").symlink_to(self._here / "node_modules")
        http, websocket, invoke = free_ports(3)
        env = environment(HOME=str(project), SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", CI="1",
                          AWS_ACCESS_KEY_ID="unused", AWS_SECRET_ACCESS_KEY="unused")
        process = Process("serverless", [
            self._here / "node_modules/.bin/osls", "offline", "start", "--host", "127.0.0.1", "--httpPort", http,
            "--websocketPort", websocket, "--lambdaPort", invoke, "--noTimeout"], self._logs, env=env, cwd=project)
        process.wait_ready(lambda: accepts(http) and accepts(invoke))
        self.http_api = f"http://127.0.0.1:{http}"
        self.rest_api = f"http://127.0.0.1:{http}/dev"
        self.lambda_endpoint = f"http://127.0.0.1:{invoke}"
