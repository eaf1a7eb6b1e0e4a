#!/usr/bin/env python3
"""Holds which folder may include and link which: #include lines, and verge_library() lines in CMake.

    folders.py ROOT         checks the tree below ROOT; prints each breach as file:line: what; exit 1 if there is one
    folders.py --self-test  shows that breaches are found
"""
import pathlib
import re
import sys

# A folder's library, and what it may include beside itself. Longest path first: cache/policy is not cache.
MAY_INCLUDE = {
    "proxy/base": set(),
    "proxy/http": {"proxy/base"},
    "proxy/net": {"proxy/base"},
    "proxy/edge": {"proxy/base", "proxy/http", "config"},
    "proxy/pipeline": {"proxy/base", "proxy/http", "config", "cache/policy", "cache", "origin", "proxy/edge"},
    "proxy/control": {"proxy/base", "proxy/http", "proxy/net", "config", "cache", "origin"},
    "proxy/server": {"proxy/base", "proxy/http", "proxy/net", "config", "cache/policy", "cache", "origin",
                     "proxy/edge", "proxy/pipeline", "proxy/control"},
    "cache/policy": {"proxy/base", "proxy/http"},
    "cache": {"proxy/base", "proxy/http", "cache/policy"},
    "origin": {"proxy/base", "proxy/http", "proxy/net", "config"},
    "config": {"proxy/base"},
}
# A library that one folder hides from all others.
ONLY_IN = {"event2/": "proxy/net", "nghttp2/": "proxy/http", "lmdb.h": "cache", "yaml-cpp/": "config"}


def folder_of(path):
    for folder in sorted(MAY_INCLUDE, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return None


def include_faults(path, text, exists):
    """Breaches of the table in one source file. `exists` tells whether a path from the root is a file."""
    folder = folder_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        system = re.match(r"\s*#\s*include\s*<([^>]+)>", line)
        if system:
            for prefix, owner in ONLY_IN.items():
                if system[1].startswith(prefix) and folder != owner:
                    yield f"{path}:{number}: <{system[1]}> belongs behind {owner}"
        own = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not own:
            continue
        target = folder_of(own[1])
        if target is None or not exists(own[1]):
            yield f'{path}:{number}: "{own[1]}" is no file of this project; write it from the root'
        elif target != folder and target not in MAY_INCLUDE[folder]:
            yield f"{path}:{number}: {folder} may not include {target} ({own[1]})"


def link_faults(path, text):
    """Breaches of the table in one CMakeLists.txt."""
    folder_of_library = {folder.rsplit("/", 1)[-1]: folder for folder in MAY_INCLUDE}
    text = re.sub(r"#[^\n]*", "", text)
    for name, arguments in re.findall(r"verge_library\(\s*(\w+)([^)]*)\)", text):
        folder = folder_of_library.get(name)
        if folder is None:
            yield f"{path}: verge_{name} has no row in tests/arch/folders.py"
            continue
        links = arguments.partition("LINKS")[2]
        for linked in re.findall(r"\bverge_(\w+)", links):
            target = folder_of_library.get(linked)
            if target is None:
                yield f"{path}: verge_{name} links the unknown verge_{linked}"
            elif target not in MAY_INCLUDE[folder]:
                yield f"{path}: {folder} may not link {target}"


def tree_faults(root):
    for top in ("proxy", "cache", "config", "origin"):
        for file in sorted((root / top).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix in (".h", ".cc"):
                if folder_of(path) is None:
                    yield f"{path}: its folder has no row in tests/arch/folders.py"
                else:
                    yield from include_faults(path, file.read_text(), lambda name: (root / name).is_file())
            elif file.name == "CMakeLists.txt":
                yield from link_faults(path, file.read_text())


def self_test():
    there = lambda name: True
    gone = lambda name: False
    sound = [
        ("cache/ram/tier.cc", '#include "cache/policy/key.h"\n#include <vector>\n'),
        ("cache/lmdb/env.cc", '#include <lmdb.h>\n#include "cache/lmdb/env.h"\n'),
        ("proxy/server/node.cc", '#include "proxy/control/admin.h"\n'),
    ]
    broken = [
        ("cache/policy/key.cc", '#include "cache/entry/entry.h"\n', there),  # values know no storage
        ("cache/cache.cc", '#include "origin/origin.h"\n', there),
        ("cache/cache.cc", '#include "config/config.h"\n', there),
        ("proxy/http/h1.cc", '#include "proxy/net/connection.h"\n', there),
        ("proxy/pipeline/send.cc", '#include "proxy/net/connection.h"\n', there),
        ("origin/pool/pool.cc", '  #  include "proxy/server/node.h"\n', there),
        ("config/loader.cc", '#include "loader.h"\n', there),
        ("config/loader.cc", '#include "config/gone.h"\n', gone),
        ("origin/pool/pool.cc", "#include <event2/event.h>\n", there),
    ]
    for path, text in sound:
        assert not list(include_faults(path, text, there)), path
    for path, text, exists in broken:
        assert len(list(include_faults(path, text, exists))) == 1, (path, text)
    assert not list(link_faults("f", "verge_library(http LINKS verge_base PkgConfig::NGHTTP2)"))
    assert len(list(link_faults("f", "verge_library(http LINKS verge_base verge_net)"))) == 1
    assert len(list(link_faults("f", "verge_library(cache DIRS a\n  LINKS verge_origin verge_policy)"))) == 1
    assert len(list(link_faults("f", "verge_library(new LINKS verge_base)"))) == 1


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    faults = list(tree_faults(pathlib.Path(sys.argv[1])))
    print("\n".join(faults) if faults else "every #include and link keeps to the table")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
