"""All that is measured, in the order in which it runs."""

from scenarios import changes, gated, growth, handshakes, hits, memory, misses, seek, store

PARTS = (hits, misses, handshakes, memory, seek, gated, changes, growth, store)
ALL = {scenario.name: scenario for part in PARTS for scenario in part.ALL}
