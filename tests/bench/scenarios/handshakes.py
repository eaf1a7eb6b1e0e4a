"""New TLS connections with one request each: full and resumed, with and without a client's certificate."""

from check import NotComparable, at_rest, judge_load, must_serve
from loaded import per_request
from peers.peer import Setup
from row import Scenario, load_metrics, of_best

ENOUGH = 0.99  # of the connections that resumption must have worked for


def handshake(resume, mtls):
    def on(context, peer):
        client = context.client_certificate if mtls else None
        shown = ["--cert", client[0], "--key", client[1]] if mtls else []
        address = f"https://127.0.0.1:{peer.tls_port}/1k"
        for _ in range(3):
            must_serve(address, context.origin.body("1k"), *shown)
        if mtls:
            try:
                must_serve(address, context.origin.body("1k"))
            except NotComparable:
                pass
            else:
                raise NotComparable("it serves a client without a certificate")
        asked, before = at_rest(context.origin), peer.cpu_seconds()
        load, resumed = context.generator.handshakes(peer.tls_port, context.seconds, resume, client)
        spent = peer.cpu_seconds() - before
        judge_load(load, context.origin.requests() - asked, size=1000, hits=peer.is_cache or None,
                   least=30)
        if resume and resumed < ENOUGH * load.requests:
            raise NotComparable(f"{resumed} of {load.requests} connections were resumed")
        if not resume and resumed > load.requests - ENOUGH * load.requests:
            raise NotComparable(f"{resumed} of {load.requests} full handshakes were resumed")
        return per_request(load, spent)

    def measure(context):
        if not mtls:
            return on(context, context.peer)
        with context.with_own(Setup(mtls=True)) as peer:
            return on(context, peer)
    return measure


ALL = [Scenario(f"{'mtls' if mtls else 'handshake'}-{'resumed' if resume else 'full'}", handshake(resume, mtls),
                load_metrics(of_best(0.6 if mtls else 0.95, ("nginx",)))[:2])
       for mtls in (False, True) for resume in (False, True)]
