#!/usr/bin/env bash
# Every shell script of the repository ($1) passes shellcheck, every YAML file yamllint.
set -euo pipefail
cd "$1"
mapfile -t files < <(find . \( -name .git -o -name node_modules -o -name corpus -o -path ./build -o -path ./artifacts \) \
  -prune -o -type f -print)
scripts=() yamls=()
for file in "${files[@]}"; do
  case "$file" in
    *.sh) scripts+=("$file") ;;
    *.yaml | *.yml) yamls+=("$file") ;;
    *) if head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh$'; then scripts+=("$file"); fi ;;
  esac
done
if [ "${#scripts[@]}" -lt 3 ] || [ "${#yamls[@]}" -lt 1 ]; then
  echo "too few files found; is $1 the repository?"
  exit 1
fi
shellcheck "${scripts[@]}"
yamllint --strict -c .yamllint "${yamls[@]}"
echo "${#scripts[@]} scripts, ${#yamls[@]} YAML files"
