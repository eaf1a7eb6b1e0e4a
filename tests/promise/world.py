"""The world of a run: an origin whose content changes, and what may be named in it."""

import asyncio
import contextlib
import dataclasses

HOST = "www.example.com"
OTHER = "shop.example.com"
SECTIONS, PAGES = 8, 12


def all_urls():
    return [f"{host}/s{s}/p{p}" for host in (HOST, OTHER) for s in range(SECTIONS) for p in range(PAGES)]


def tags_of(url):
    section, page = url.split("/")[1:]
    return [f"section-{section[1:]}", f"odd-{int(page[1:]) % 2}"]


@dataclasses.dataclass(frozen=True)
class Target:
    """What an invalidation names: the members of POST /purge, and which URLs it covers."""
    name: str
    command: dict
    urls: frozenset


def random_target(dice):
    urls = all_urls()
    host = dice.choice((HOST, OTHER))
    section, page = dice.randrange(SECTIONS), dice.randrange(PAGES)
    kind = dice.choices(("exact", "prefix", "inner", "tag", "host", "all"), (60, 15, 8, 12, 3, 2))[0]
    if kind == "exact":
        return Target(f"exact {host}/s{section}/p{page}", {"paths": [f"/s{section}/p{page}"], "hosts": [host]},
                      frozenset({f"{host}/s{section}/p{page}"}))
    if kind == "prefix":
        return Target(f"prefix /s{section}/*", {"paths": [f"/s{section}/*"]},
                      frozenset(u for u in urls if u.split("/")[1] == f"s{section}"))
    if kind == "inner":
        return Target(f"inner /s*/p{page}", {"paths": [f"/s*/p{page}"]},
                      frozenset(u for u in urls if u.split("/")[2] == f"p{page}"))
    if kind == "tag":
        tag = dice.choice((f"section-{section}", f"odd-{page % 2}"))
        return Target(f"tag {tag}", {"tags": [tag]}, frozenset(u for u in urls if tag in tags_of(u)))
    if kind == "host":
        return Target(f"host {host}", {"all": True, "hosts": [host]}, frozenset(u for u in urls if u.startswith(host + "/")))
    return Target("all", {"all": True}, frozenset(urls))


class Origin:
    """Answers with the version that a URL has when the request arrives, and often takes its time to say so."""

    def __init__(self, dice, slowest):
        """`slowest`: seconds that it sometimes takes to answer."""
        self.dice = dice
        self.delays = (0, 0, 0, slowest / 20, slowest / 4, slowest)
        self.versions = dict.fromkeys(all_urls(), 0)
        self.asked = 0
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()

    def change(self, urls):
        for url in urls:
            self.versions[url] += 1

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
                url = fields["host"] + path
                self.asked += 1
                version = self.versions[url]  # from here on it may be overtaken
                delay = self.dice.choice(self.delays)
                if delay:
                    await asyncio.sleep(delay)
                writer.write(self._answer(url, version, fields))
                await writer.drain()
        writer.close()

    def _answer(self, url, version, fields):
        etag = f'"{version}"'
        head = (f"ETag: {etag}\r\nCache-Tag: {','.join(tags_of(url))}\r\nVary: Accept-Language\r\n"
                f"Cache-Control: max-age={self.dice.choice((0, 1, 600, 600, 600))}, stale-if-error=600\r\n")
        if fields.get("if-none-match") == etag:
            return f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode()
        body = f"{url} {version} " + "." * self.dice.choice((0, 100, 3000))
        return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
