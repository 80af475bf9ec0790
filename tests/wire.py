"""A world without a network: names that resolve as a test says, and a wire on which all addresses are one origin."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence

import httpcore


class Names:
    """A resolver that knows these names and, like the system's, every way of writing an address.

    A name has the answers to each look-up in turn; the last one stays.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(answers) for name, answers in names.items()}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            answers = self._answers.get(host.rstrip(".").lower())
            if answers is None:
                raise
            return answers[0] if len(answers) == 1 else answers.pop(0)
        return [str(sockaddr[0]) for *_, sockaddr in found]


class Wire(httpcore.AsyncNetworkBackend):
    """A network on which every address is the same loopback origin; it notes what was dialled."""

    def __init__(self, port: int, *, dead: str | None = None) -> None:
        self.dialled: list[tuple[str, int]] = []
        self._port = port
        self._dead = dead
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is httpcore's)
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host == self._dead:
            raise httpcore.ConnectTimeout
        return await self._inner.connect_tcp("127.0.0.1", self._port, timeout=timeout)
