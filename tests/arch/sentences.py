#!/usr/bin/env python3
"""Holds that each test that tests/cache/policy/README.md names for a sentence of RFC 9111 exists.

    sentences.py ROOT         prints each name that is no test; exit 1 if there is one
    sentences.py --self-test  shows that such names are found
"""
import pathlib
import re
import sys


def missing(table, unit_tests, scenarios):
    """Names in the table's rows that are no test, and rows without any name."""
    for row in re.findall(r"^\| [345]\S* \|.*$", table, re.MULTILINE):
        names = re.findall(r"`([^`]+)`", row)
        if not names:
            yield f"no test: {row}"
        for name in names:
            if name not in unit_tests and name not in scenarios:
                yield f"no such test: {name}"


def main():
    if sys.argv[1:] == ["--self-test"]:
        table = "| 3 | a | `A.B`, `x.py:test_y` |\n| 4.1 | b | `A.C` |\n| 5 | c | |\n"
        assert list(missing(table, {"A.B"}, {"x.py:test_y"})) == ["no such test: A.C", "no test: | 5 | c | |"]
        return 0
    root = pathlib.Path(sys.argv[1])
    unit_tests = {
        f"{suite}.{name}"
        for path in (root / "tests/cache/policy").glob("*_test.cc")
        for suite, name in re.findall(r"^TEST(?:_F)?\((\w+),\s*(\w+)\)", path.read_text(), re.MULTILINE)
    }
    scenarios = {
        f"{path.name}:{name}"
        for path in (root / "tests/scenarios").glob("*_test.py")
        for name in re.findall(r"^    def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    table = (root / "tests/cache/policy/README.md").read_text()
    faults = list(missing(table, unit_tests, scenarios))
    for fault in faults:
        print(fault)
    if not faults:
        print("every sentence has its tests")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
