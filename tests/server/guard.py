# SPDX-License-Identifier: Apache-2.0
"""Nobody in who does not belong: names, origins, keys, limits; and what the log says of it."""
import base64
import json
import os
import socket
import time

from harness import SANITIZED, Server, png, read_all, run, text_of

KEY = "correct horse battery"


def names_and_origins():
    with Server("--allowed-host", "pictures.example") as server:
        here = f"127.0.0.1:{server.port}"
        for host, expected in ((here, 200), (f"localhost:{server.port}", 200), ("[::1]", 200), ("192.168.1.7:7860", 200),
                               ("pictures.example", 200), ("PICTURES.example:443", 200), ("evil.example", 403), ("localhost.evil.example", 403),
                               ("pictures.example.evil", 403), ("", 403), ("127.0.0.1.evil.example", 403)):
            assert server.ask("GET", "/health", headers={"Host": host})[0] == expected, host
        post = {"Content-Type": "application/json"}
        for origin, expected in ((f"http://{here}", 202), ("https://pictures.example", 202), ("http://evil.example", 403), ("null", 403),
                                 ("http://localhost:3000", 403), (f"http://{here}.evil.example", 403), ("file://", 403)):
            status = server.ask("POST", "/api/jobs", '{"prompt":"a star","steps":1}', {**post, "Origin": origin})[0]
            assert status == expected, (origin, status)
        for site, mode, path, expected in (("cross-site", "no-cors", "/api/history", 403), ("same-site", "cors", "/api/history", 403),
                                           ("same-origin", "cors", "/api/history", 200), ("cross-site", "navigate", "/", 200),
                                           ("cross-site", "navigate", "/api/history", 403), ("none", "navigate", "/", 200)):
            status = server.ask("GET", path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})[0]
            assert status == expected, (site, mode, path, status)
        # What a foreign page can send without asking first.
        assert server.ask("POST", "/api/jobs", '{"prompt":"x"}', {"Content-Type": "text/plain"})[0] == 415
        headers = server.ask("GET", "/")[1]
        assert "default-src 'none'" in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def keys():
    with Server(environment={"PLADIS_API_KEY": KEY}) as server:
        basic = base64.b64encode(f"anybody:{KEY}".encode()).decode()
        good = [{"Authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}, {"X-API-Key": KEY}, {"Authorization": f"Basic {basic}"}]
        bad = [{}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {KEY}x"}, {"Authorization": f"Bearer {KEY[:-1]}"},
               {"X-API-Key": KEY.upper()}, {"Authorization": f"Basic {base64.b64encode(b'a:b').decode()}"}, {"Authorization": "Basic ###"},
               {"Cookie": f"pladis-session={KEY}"}, {"Cookie": "pladis-session="}, {"Authorization": KEY}]
        for headers in good:
            assert server.ask("GET", "/api/server", headers=headers)[0] == 200, headers
        for headers in bad:
            status, answer, _ = server.ask("GET", "/api/server", headers=headers)
            assert status == 401 and answer["www-authenticate"] == "Bearer", headers
        for path, expected in (("/", 200), ("/page.css", 200), ("/page/main.js", 200), ("/health", 200), ("/metrics", 401),
                               ("/v1/models", 401), ("/api/history", 401), ("/nothing", 401)):
            assert server.ask("GET", path)[0] == expected, path
        assert server.ask("POST", "/api/session")[0] == 401
        cookie = server.ask("POST", "/api/session", headers=good[0])[1]["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and KEY not in cookie
        assert server.ask("GET", "/api/server", headers={"Cookie": "a=b; " + cookie.split(";")[0]})[0] == 200
        assert server.ask("GET", "/api/server", headers={"Cookie": cookie.split(";")[0][:-1]})[0] == 401
        assert KEY not in server.log(), "the key is in the log"
    with open("/tmp/pladis-key-of-a-test", "w") as file:
        file.write(KEY + "\n")
    try:
        with Server("--api-key-file", file.name) as server:
            assert server.ask("GET", "/api/server")[0] == 401 and server.ask("GET", "/api/server", headers={"X-API-Key": KEY})[0] == 200
    finally:
        os.unlink(file.name)


def limits():
    with Server("--max-pixels", "40000", "--max-steps", "20") as server:
        for fields, field in (({"width": 400, "height": 400}, "pixels"), ({"steps": 21}, "steps"), ({"batch_count": 17}, "batch-count"),
                              ({"init_img": text_of(png(300, 300))}, "pixels")):
            error = server.post("/api/jobs", {"prompt": "x", **fields}, 400)["error"]
            assert field in error["message"], (fields, error)
        job = server.job({"prompt": "x", "width": 512}) # the height is the model's
        assert job["state"] == "failed" and "pixels" in job["error"], job
        assert server.job({"prompt": "a star"})["state"] == "done"
        # A picture that unpacks to more than its header says, and one whose header lies.
        bomb = bytearray(png(8, 8))
        bomb[16:24] = (16384).to_bytes(4, "big") * 2
        assert server.post("/api/jobs", {"prompt": "x", "init_img": text_of(bytes(bomb))}, 400)
        short = bytearray(png(8, 8))
        short[16:24] = (100).to_bytes(4, "big") * 2
        assert server.job({"prompt": "x", "init_img": text_of(bytes(short))})["state"] == "failed"
        status, _, body = server.ask("POST", "/api/jobs", b"x", {"Content-Type": "application/json", "Content-Length": str(65 << 20)}, timeout=10)
        assert status == 413, (status, body)


def log_lines_are_not_forged():
    with Server() as server:
        server.raw(f"GET /a%0a127.0.0.1%20GET%20/forged%1b[31m HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: close\r\n\r\n".encode())
        lines = server.log().split("\n")
        assert any("/a" in line and "forged" in line for line in lines) and not any(line.startswith("127.0.0.1 GET /forged") for line in lines)
        assert "\x1b" not in server.log()


def slow_clients():
    """Slow headers, a slow body, a slow reader, and none at all: a place is held for a bounded time, and others are served."""
    with Server() as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
        for connection in silent[:30]:
            connection.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        begin = time.monotonic()
        assert server.ask("GET", "/health")[0] == 200 and time.monotonic() - begin < 1
        if not SANITIZED:
            silent[-1].settimeout(60)
            for _ in range(50): # a byte of a header a second keeps nothing open
                try:
                    silent[-1].sendall(b"G")
                    time.sleep(1)
                except OSError:
                    break
                silent[-1].settimeout(0.01)
                try:
                    if silent[-1].recv(1) == b"":
                        break
                except TimeoutError:
                    pass
            assert 20 < time.monotonic() - begin < 45, time.monotonic() - begin
        for connection in silent:
            connection.close()
        assert server.ask("GET", "/health")[0] == 200


def nonsense():
    with Server() as server:
        host = f"Host: localhost:{server.port}\r\n"
        for data in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", f"GET /{'a' * 100000} HTTP/1.1\r\n{host}\r\n".encode(),
                     f"GET / HTTP/1.1\r\n{host}X: {'b' * 100000}\r\n\r\n".encode(), f"POST /api/jobs HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n".encode(),
                     f"POST /api/jobs HTTP/1.1\r\n{host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
                     f"POST /v1/images/edits HTTP/1.1\r\n{host}Content-Type: multipart/form-data\r\nContent-Length: 4\r\n\r\nabcd".encode(),
                     f"POST /v1/images/edits HTTP/1.1\r\n{host}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\n\r\n--x\r\nabcd".encode(),
                     f"TRACE / HTTP/1.1\r\n{host}\r\n".encode(), f"GET /%ff%fe HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode()):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.settimeout(1.5)
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = read_all(connection)
                assert not answer or answer.split(b" ")[1][:1] in (b"4", b"5", b"2"), answer[:100]
        for body in ("[]", "null", "1", '{"prompt":"x","prompt":"y"}', "{" * 5000, '{"prompt":"\ud800"}', '{"prompt":"x","steps":1e400}',
                     '{"prompt":"x","seed":99999999999999999999}', '{"prompt":"x","lora":[[]]}', '{"prompt":"x","width":-5}', '{"prompt":"x","crop":"1"}'):
            status = server.ask("POST", "/api/jobs", body.encode("utf-8", "surrogatepass"), {"Content-Type": "application/json"})[0]
            assert status == 400, (body[:50], status)
        assert server.get("/health")["status"] == "ok"


run(names_and_origins, keys, limits, log_lines_are_not_forged, nonsense, slow_clients)
