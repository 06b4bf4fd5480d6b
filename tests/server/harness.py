# SPDX-License-Identifier: Apache-2.0
"""A server of a test, and requests to it: nothing but Python's own library."""
import base64
import contextlib
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zlib

PLADIS, SOURCE = sys.argv[1], sys.argv[2]
SKIPPED = 77
# Programs with a sanitizer are slower by so much that limits of time say nothing of them.
SANITIZED = any(name in open(PLADIS, "rb").read() for name in (b"__asan_init", b"__tsan_init"))


class Server:
    """`pladis serve` with the demo model on a port of its own, in a folder of its own."""

    def __init__(self, *arguments, demo=True, environment=None, **popen):
        self.folder = tempfile.TemporaryDirectory(prefix="pladis-server-", ignore_cleanup_errors=True)
        self.history = os.path.join(self.folder.name, "history")
        self.arguments = [PLADIS, "serve", "--port", "0", "--output-dir", self.history, *arguments]
        if demo:
            self.arguments += ["-m", os.path.join(SOURCE, "models/demo")]
        self.environment = {**os.environ, **(environment or {})}
        self.popen = popen
        self.start()

    def start(self):
        self.log_path = os.path.join(self.folder.name, "log")
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=open(self.log_path, "ab"),
                                        env=self.environment, text=True, **self.popen)
        address = self.process.stdout.readline().strip()
        assert address.startswith("http://"), f"no address: {address!r} {self.log()}"
        self.port = int(address.rstrip("/").rsplit(":", 1)[1])

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def stop(self, within=30):
        self.process.terminate()
        code = self.process.wait(within)
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if problem[0]:
            print(self.log()[-4000:], file=sys.stderr)
        self.folder.cleanup()

    # ---- requests ----

    def ask(self, method, path, body=None, headers=None, timeout=120):
        """Status, headers in lower case, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path, expected=200, **options):
        status, _, body = self.ask("GET", path, **options)
        assert status == expected, (path, status, body[:500])
        return json.loads(body)

    def post(self, path, fields, expected=200, headers=None, **options):
        status, _, body = self.ask("POST", path, json.dumps(fields), {"Content-Type": "application/json", **(headers or {})}, **options)
        assert status == expected, (path, status, body[:500])
        return json.loads(body) if body else None

    def job(self, fields, **options):
        """A job, waited for."""
        return self.wait(self.post("/api/jobs", fields, 202, **options)["id"])

    def wait(self, name, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.get(f"/api/jobs/{name}")
            if job["state"] not in ("queued", "running"):
                return job
            time.sleep(0.02)
        raise AssertionError(f"job {name} is not over: {job}")

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) * 1024

    def raw(self, data, timeout=10):
        """Bytes sent, what comes back until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(data)
            return read_all(connection)


def read_all(connection):
    parts = []
    with contextlib.suppress(ConnectionError, TimeoutError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def form(parts):
    """A multipart body and its type. A part is a text, or (name of a file, bytes)."""
    boundary = "a-boundary-of-a-test"
    lines = []
    for name, value in parts:
        file = isinstance(value, tuple)
        disposition = f'form-data; name="{name}"' + (f'; filename="{value[0]}"' if file else "")
        lines += [f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode(), value[1] if file else str(value).encode(), b"\r\n"]
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def png(width, height, pixels=None):
    """A PNG of `width` by `height`, white, or of these bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = pixels or b"\xff" * (3 * width * height)
    rows = b"".join(b"\0" + pixels[3 * width * y:3 * width * (y + 1)] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def size_of(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:20]
    return struct.unpack(">II", data[16:24])


def text_of(data):
    return base64.b64encode(data).decode()


def run(*tests):
    """Run functions; the exit code says whether all went well."""
    failed = 0
    for test in tests:
        begin = time.monotonic()
        try:
            test()
            print(f"ok      {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {test.__name__}", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)
