"""Amazon S3's part: Ceph's RADOS gateway as a single node, its store in memory. It verifies SigV4 for real."""

import json
import shutil
import urllib.error
import urllib.request
import uuid

from .processes import Process, environment, free_ports, run, PATH

PACKAGES = {"radosgw": "radosgw", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", "aws": "awscli"}
ACCESS_KEY = "VERGETESTKEY"
SECRET_KEY = "only-known-to-this-test"
REGION = "eu-west-1"

CONFIG = """
[global]
fsid = {fsid}
mon initial members = a
mon host = v1:127.0.0.1:{mon}
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd crush chooseleaf type = 0
ms bind msgr2 = false
ms bind port min = {osd_first}
ms bind port max = {osd_last}
run dir = {d}/run
admin socket = {d}/run/$name.asok
log file = {d}/log/$name.log
keyring = {d}/keyring
[mon.a]
mon data = {d}/mon
mon data avail crit = 1
public addr = 127.0.0.1:{mon}
[osd.0]
osd objectstore = memstore
memstore device bytes = 1073741824
osd data = {d}/osd
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw enable apis = s3, admin, pubsub, notifications
rgw data = {d}/rgw
"""


def missing_packages():
    return [package for program, package in PACKAGES.items() if shutil.which(program, path=PATH) is None]


class Ceph:
    def __init__(self, folder, logs):
        if missing := missing_packages():
            raise AssertionError("the end-to-end test needs these Debian packages: " + " ".join(missing) +
                                 " (tests/run installs them; or: deploy/install-packages test)")
        self._d = folder
        self._logs = logs
        self.endpoint = None

    def start(self):
        d = self._d
        for part in ("run", "log", "mon", "osd", "rgw"):
            (d / part).mkdir(parents=True)
        ports = free_ports(12)
        fsid = str(uuid.uuid4())
        conf = d / "ceph.conf"
        conf.write_text(CONFIG.format(d=d, fsid=fsid, mon=ports[0], rgw=ports[1], osd_first=ports[2],
                                      osd_last=ports[-1]))
        keyring, monmap, osd = d / "keyring", d / "monmap", str(uuid.uuid4())
        run(["ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"])
        run(["ceph-authtool", keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd",
             "allow *"])
        run(["monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{ports[0]}]", "--fsid", fsid, monmap])
        run(["ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring])
        self._run("ceph-mon", ["ceph-mon", "-c", conf, "-i", "a", "-f"])
        run(["ceph", "-c", conf, "osd", "new", osd, "0"])
        run(["ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", osd])
        self._start_store(conf)
        gateway = self._run("radosgw", ["radosgw", "-c", conf, "-n", "client.rgw", "-f"])
        self.endpoint = f"http://127.0.0.1:{ports[1]}"
        gateway.wait_ready(self._answers)
        run(["radosgw-admin", "-c", conf, "-n", "client.rgw", "user", "create", "--uid=deployer",
             "--display-name=deployer", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"])

    def _start_store(self, conf):
        """Only then the gateway: pools made meanwhile can keep the store from ever joining. A second try for the same."""
        def up():
            return json.loads(run(["ceph", "-c", conf, "osd", "stat", "--format", "json"]).stdout)["num_up_osds"] == 1

        for last in (False, False, True):
            store = self._run("ceph-osd", ["ceph-osd", "-c", conf, "-i", "0", "-f"])
            try:
                store.wait_ready(up, *(() if last else (40,)))
                return
            except AssertionError:
                if last:
                    raise
                store.stop()

    def _run(self, name, argv):
        return Process(name, argv, self._logs)

    def _answers(self):
        try:
            with urllib.request.urlopen(self.endpoint, timeout=30):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def aws(self, *arguments):
        """The AWS CLI, as a deploy script runs it; returns what it printed."""
        env = environment(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, AWS_DEFAULT_REGION=REGION,
                          AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_PAGER="",
                          AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        return run(["aws", "--endpoint-url", self.endpoint, *arguments], env=env).stdout.decode()
