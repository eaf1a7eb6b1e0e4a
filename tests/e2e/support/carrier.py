"""SNS that carries to SQS, by npm fauxqs (carrier.mjs), as long as a test class runs."""

import json
import subprocess
from pathlib import Path

from .processes import environment, free_ports
from .serverless import install_node_modules

HERE = Path(__file__).resolve().parent.parent
PATIENCE = 30


class Carrier:
    def __init__(self):
        install_node_modules(HERE)
        port, = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(["node", HERE / "carrier.mjs", str(port)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, env=environment())
        self.topic = json.loads(self._process.stdout.readline())["topic"]

    def ask(self, **what):
        """See carrier.mjs."""
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()
