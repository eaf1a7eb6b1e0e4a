"""Keeps both cores from being halted while waits are measured: on a virtual machine a halted core comes back when its host
likes, often milliseconds later, and the idler a server, the more of its waits would be the host's. The loops here take
only what nobody wants (SCHED_IDLE): whoever becomes ready is on at once."""

import contextlib
import subprocess

CORES = ("0", "1")
LOOP = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", "while :; do :; done")


class Awake:
    def __init__(self):
        self.loops = [subprocess.Popen(["taskset", "-c", core, "chrt", "--idle", "0", *LOOP], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for core in CORES]

    def close(self):
        for loop in self.loops:
            loop.kill()
            loop.wait()


def awake():
    return contextlib.closing(Awake())
