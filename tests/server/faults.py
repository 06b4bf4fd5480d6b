# SPDX-License-Identifier: Apache-2.0
"""Things that go wrong: clients that leave, a full disk, a job that fails, an end at any moment."""
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import time

from harness import PLADIS, SANITIZED, SOURCE, Server, run, size_of

LONG = {"prompt": "a red star", "steps": 150, "batch_count": 16}


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def begin(server, path, fields):
    """A request whose answer nobody has read yet."""
    body = json.dumps(fields)
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    return connection


def clients_that_leave():
    """At every stage: while it waits, while it is drawn, while events are read, in the middle of a body."""
    with Server() as server:
        drawn = begin(server, "/v1/images/generations", {"prompt": "a star", "steps": 150, "n": 16})
        wait_until(lambda: server.get("/health")["drawing"])
        waiting = begin(server, "/sdapi/v1/txt2img", {"prompt": "a ring", "steps": 150, "n_iter": 16})
        streamed = begin(server, "/v1/images/generations", {"prompt": "a ring", "steps": 150, "n": 16, "stream": True, "partial_images": 3})
        wait_until(lambda: server.get("/health")["queue"] == 2)
        waiting.close()
        wait_until(lambda: server.get("/health")["queue"] == 1)
        drawn.close()
        wait_until(lambda: server.get("/health")["queue"] == 0 and server.get("/health")["drawing"])
        streamed.close()
        wait_until(lambda: not server.get("/health")["drawing"])
        half = begin(server, "/api/jobs", {"prompt": "x" * 1000})
        half.close()
        job = server.post("/api/jobs", LONG, 202)
        follower = socket.create_connection(("127.0.0.1", server.port))
        follower.sendall(f"GET /api/jobs/{job['id']}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        follower.recv(100)
        follower.close() # somebody may come back for a job of our own interface
        wait_until(lambda: server.get(f"/api/jobs/{job['id']}")["state"] == "running")
        time.sleep(0.3)
        assert server.get(f"/api/jobs/{job['id']}")["state"] == "running"
        server.ask("DELETE", f"/api/jobs/{job['id']}")
        assert server.job({"prompt": "a red star", "steps": 2})["state"] == "done"


def queue_is_bounded():
    with Server("--queue", "3") as server:
        first = server.post("/api/jobs", LONG, 202)
        wait_until(lambda: server.get("/health")["drawing"])
        ids = [server.post("/api/jobs", LONG, 202)["id"] for _ in range(3)]
        status, headers, body = server.ask("POST", "/v1/images/generations", json.dumps({"prompt": "x"}), {"Content-Type": "application/json"})
        assert status == 429 and int(headers["retry-after"]) >= 1 and json.loads(body)["error"]["code"] == "queue_full"
        # Another client has a place of its own, and its turn before the others' second ones.
        guest = server.post("/api/jobs", {"prompt": "a star", "steps": 1, "user": "guest"}, 202)
        assert guest["place"] == 1, guest
        server.ask("DELETE", f"/api/jobs/{first['id']}")
        assert server.wait(guest["id"])["state"] == "done"
        for name in ids:
            server.ask("DELETE", f"/api/jobs/{name}")


def full_disk():
    """Pictures that cannot be kept are given to whoever asked all the same; no part of a file is left."""
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    with Server("-q", preexec_fn=small_files) as server:
        job = server.job({"prompt": "a red star above a blue ring", "steps": 2})
        assert job["state"] == "done" and "history" in job["warning"] and job["pictures"][0]["history"] is None, job
        assert size_of(server.ask("GET", job["pictures"][0]["url"])[2]) == (128, 128)
        assert os.listdir(server.history) == []
        assert server.get("/api/history")["names"] == []


def failing_jobs_are_messages():
    with Server("--models-dir", f"{SOURCE}/tests/data/reference/files") as server:
        broken = next(name for name in os.listdir(f"{SOURCE}/tests/data/reference/files") if "lora" in name and name.endswith(".safetensors"))
        job = server.job({"prompt": "x", "model": broken})
        assert job["state"] == "failed" and broken in job["error"], job
        job = server.job({"prompt": "x", "sampling_method": "scm"})
        assert job["state"] == "failed" and job["error"], job
        assert server.post("/v1/images/generations", {"prompt": "x", "model": broken}, 400)["error"]["message"]
        assert server.job({"prompt": "a star", "steps": 2})["state"] == "done"


def killed_and_started_again():
    with Server() as server:
        server.job({"prompt": "a star", "steps": 2})
        server.post("/api/jobs", {**LONG, "steps": 1}, 202)
        wait_until(lambda: len(os.listdir(server.history)) > 3)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.process.stdout.close()
        for name in os.listdir(server.history):
            data = open(os.path.join(server.history, name), "rb").read()
            assert name.endswith(".png") and data.endswith(b"IEND\xaeB`\x82"), name
        kept = sorted(os.listdir(server.history), reverse=True)
        open(os.path.join(server.history, "mine.png"), "wb").write(b"not a picture of the server")
        server.start()
        assert server.get("/api/history?limit=500")["names"] == kept
        server.get("/api/history/mine.png", 404)


def ends_in_time():
    for busy, within in ((False, 3), (True, 25)):
        with Server() as server:
            if busy:
                server.post("/api/jobs", LONG, 202)
                waiting = begin(server, "/v1/images/generations", {"prompt": "x", "steps": 150})
                wait_until(lambda: server.get("/health")["queue"] == 1)
            start = time.monotonic()
            assert server.stop(within) == 0, server.log()
            assert time.monotonic() - start < within
            if busy:
                answer = http.client.HTTPResponse(waiting)
                answer.begin()
                assert answer.status == 503, answer.status
                waiting.close()


def finishes_what_it_draws():
    with Server() as server:
        drawn = begin(server, "/v1/images/generations", {"prompt": "a star", "steps": 3 if SANITIZED else 50, "seed": 3})
        wait_until(lambda: server.get("/health")["drawing"])
        server.process.terminate()
        answer = http.client.HTTPResponse(drawn)
        answer.begin()
        assert answer.status == 200 and json.loads(answer.read())["data"], answer.status
        assert server.process.wait(20) == 0


def wrong_command_lines():
    def refused(*arguments, code=1, environment=None):
        done = subprocess.run([PLADIS, "serve", "--no-history", *arguments], capture_output=True, text=True, timeout=30,
                              env={**os.environ, **(environment or {})})
        assert done.returncode == code and done.stderr.count("error") == 1, (arguments, done)
        return done.stderr
    assert "no such model" in refused("-m", "none")
    assert "cannot listen on 300.1.1.1" in refused("--host", "300.1.1.1", "-m", f"{SOURCE}/models/demo")
    assert "port" in refused("--port", "70000", code=2)
    assert "expected a key of 8" in refused("-m", f"{SOURCE}/models/demo", environment={"PLADIS_API_KEY": "short"})
    assert "/nothing/here" in refused("-m", f"{SOURCE}/models/demo", "--api-key-file", "/nothing/here")
    assert "no model" in refused("--models-dir", "/proc/self/fdinfo")
    with Server() as server:
        assert "cannot listen" in refused("--port", str(server.port), "-m", f"{SOURCE}/models/demo")
    done = subprocess.run([PLADIS, "serve", "-m", f"{SOURCE}/models/demo", "--output-dir", "/proc/nothing"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "/proc/nothing" in done.stderr, done


run(clients_that_leave, queue_is_bounded, full_disk, failing_jobs_are_messages, killed_and_started_again, ends_in_time, finishes_what_it_draws,
    wrong_command_lines)
