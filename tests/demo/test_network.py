"""The cable passes bytes, resets when cut, and comes back on the same port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from foodflow_desktop.demo.network import Cable


@pytest.fixture
def echo_port() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client:
            while got := client.recv(1024):
                client.sendall(got)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_cable_carries_cuts_and_carries_again(echo_port: int) -> None:
    cable = Cable(echo_port)
    cable.plug()
    port = cable.port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"one")
        assert client.recv(10) == b"one"
        cable.cut()
        with pytest.raises(ConnectionError):
            for _ in range(50):
                client.sendall(b"two")
                if client.recv(10) == b"":
                    raise ConnectionResetError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    cable.plug()
    assert cable.port == port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"three")
        assert client.recv(10) == b"three"
    cable.close()
