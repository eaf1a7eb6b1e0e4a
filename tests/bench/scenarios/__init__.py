"""All that is measured, in the order in which it runs."""

from scenarios import gated, growth, handshakes, hits, memory, misses, seek, store

ALL = {scenario.name: scenario for part in (hits, misses, handshakes, memory, seek, gated, growth, store) for scenario in part.ALL}
