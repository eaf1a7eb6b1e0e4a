#!/usr/bin/env bash
# The man page ($1) renders without a warning and names every command.
set -euo pipefail
warnings=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$1" 2>&1 >/dev/null)
[ -z "$warnings" ] || { echo "$warnings"; exit 1; }
page=$(LC_ALL=C.UTF-8 MANWIDTH=80 man -E UTF-8 -l "$1" | col -b)
for word in "verge serve" "verge check" "verge purge" "verge purges" "verge why" "verge ls" "verge get" "verge version" "EXIT STATUS" "SIGHUP"; do
  grep -qF "$word" <<<"$page" || { echo "the page does not say: $word"; exit 1; }
done
