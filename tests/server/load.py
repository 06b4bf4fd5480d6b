# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: each tries again when it is told 429, gets its picture, and none is starved; /health answers at once, and
memory stays flat. PLADIS_SERVER_LOAD: seconds (8; the whole measurement takes 120)."""
import json
import os
import threading
import time

from harness import SANITIZED, Server, run

SECONDS = float(os.environ.get("PLADIS_SERVER_LOAD", "8"))
CLIENTS = 200


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Client(threading.Thread):
    """One after the other, pictures; what each took, and how often the queue was full."""

    def __init__(self, server, number, end):
        super().__init__(daemon=True)
        self.server, self.number, self.end = server, number, end
        self.times, self.refusals, self.problems = [], 0, []

    def run(self):
        while not self.times or time.monotonic() < self.end:
            begin = time.monotonic()
            status = 429
            while status == 429:
                status, headers, body = self.server.ask("POST", "/v1/images/generations", json.dumps(
                    {"prompt": "a red star", "steps": 1, "seed": self.number, "user": str(self.number)}), {"Content-Type": "application/json"},
                    timeout=300)
                if status == 429:
                    self.refusals += 1
                    time.sleep(int(headers["retry-after"]))
            if status != 200:
                self.problems.append((status, body[:200]))
                return
            self.times.append(time.monotonic() - begin)


def two_hundred_clients():
    with Server("--queue", "50", "--no-history", "-q") as server:
        server.job({"prompt": "a red star", "steps": 1})
        end = time.monotonic() + SECONDS
        clients = [Client(server, number, end) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        health, memory = [], []
        while any(client.is_alive() for client in clients):
            begin = time.monotonic()
            assert server.get("/health")["status"] == "ok"
            health.append(time.monotonic() - begin)
            memory.append(server.memory())
            time.sleep(0.05)
        problems = [problem for client in clients for problem in client.problems]
        assert not problems, problems[:3]
        counts = [len(client.times) for client in clients]
        times = [t for client in clients for t in client.times]
        half = len(memory) // 2
        growth = max(memory[half:]) / max(memory[:half])
        print(f"{CLIENTS} clients, {SECONDS:g} s: {sum(counts)} pictures, {min(counts)} to {max(counts)} a client, "
              f"{sum(c.refusals for c in clients)} times 429; a picture took {percentile(times, 0.5):.2f} s in the median, at most {max(times):.2f} s; "
              f"/health {1000 * percentile(health, 0.5):.1f} ms, p99 {1000 * percentile(health, 0.99):.1f} ms; "
              f"memory {max(memory) / 1e6:.0f} MB, second half / first {growth:.3f}")
        assert min(counts) >= 1
        if not SANITIZED:
            assert max(times) < 4 * percentile(times, 0.5), "one client is starved"
            assert percentile(health, 0.99) < 0.05, "p99 of /health"
            assert growth < 1.1, "memory grows"


run(two_hundred_clients)
