"""All that is measured, in the order in which it runs."""

from scenarios import carried, changes, entries, gated, growth, handshakes, hits, memory, misses, purges, seek, store

PARTS = (hits, misses, handshakes, memory, seek, gated, changes, purges, carried, growth, entries, store)
ALL = {scenario.name: scenario for part in PARTS for scenario in part.ALL}
