"""All that is measured, in the order in which it runs."""

from scenarios import gated, handshakes, hits, memory, misses, seek, store

ALL = {scenario.name: scenario for part in (hits, misses, handshakes, memory, seek, gated, store) for scenario in part.ALL}
