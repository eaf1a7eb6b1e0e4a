"""What a scenario works with: one peer in one round, the origin, how long to load it, and peers of its own."""

import contextlib
import os

import load


class Context:
    """`peer` runs as it comes; `generator` makes load (the module load, or what a test puts in its place); `latency`:
    whether to measure at half load as well. Notes say what a figure lacks."""

    def __init__(self, peer, origin, seconds, client_certificate, latency=True, generator=load):
        self.peer, self.origin, self.seconds, self.client_certificate = peer, origin, seconds, client_certificate
        self.latency, self.generator = latency, generator
        self.notes = []
        self.kept = {}  # what scenarios share in this round, by name: peers with a full store

    def own(self, setup, under):
        """Another instance of the same peer, set up otherwise, in a folder of its own; started."""
        peer = type(self.peer)(self.peer.site, setup, os.path.join(under, ""))
        try:
            peer.start()
        except BaseException:
            peer.discard()
            raise
        return peer

    @contextlib.contextmanager
    def with_own(self, setup, under="own"):
        peer = self.own(setup, under)
        try:
            yield peer
        finally:
            peer.discard()

    def drop(self, name):
        kept = self.kept.pop(name, None)
        if kept:
            kept.peer.discard()

    def close(self):
        for name in list(self.kept):
            self.drop(name)

    def log(self, name="steady.log"):
        return os.path.join(self.peer.site.directory, name)
