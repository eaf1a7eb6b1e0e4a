"""The servers that are compared, each set up as an expert would for an edge cache on one core: one worker, the set in
memory, ECDSA P-256, TLS 1.3 and 1.2, HTTP/2, logs off (Verge is also measured with its access log on)."""

from peers.h2o import H2o
from peers.haproxy import HAProxy
from peers.nginx import Nginx
from peers.trafficserver import TrafficServer
from peers.varnish import Varnish
from peers.verge import Verge, VergeLogging

ALL = {peer.name: peer for peer in (Verge, VergeLogging, Nginx, HAProxy, Varnish, TrafficServer, H2o)}
