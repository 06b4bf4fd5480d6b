# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium by the WebDriver protocol, which is HTTP and JSON."""
import base64
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
KEYS = {"enter": "\ue007", "tab": "\ue004", "escape": "\ue00c", "control": "\ue009", "shift": "\ue008", "right": "\ue014", "down": "\ue015", "space": " "}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    def __init__(self, width=1400, height=1000, dark=False, phone=False):
        self.profile = tempfile.TemporaryDirectory(prefix="pladis-browser-", ignore_cleanup_errors=True)
        self.port = free_port()
        self.driver = subprocess.Popen([DRIVER, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        options = {"binary": CHROMIUM, "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                                                f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}"]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        end = time.monotonic() + 30
        while True:
            try:
                self.session = None
                self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        self.tool("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})
        if dark:
            self.tool("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        prefix = f"/session/{self.session}" if self.session else ""
        connection.request(method, prefix + path, json.dumps(body if body is not None else {}) if method == "POST" else None)
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value and "stacktrace" in value:
            raise RuntimeError(value["message"])
        return value

    def tool(self, command, parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def script(self, code, *arguments):
        return self.call("POST", "/execute/sync", {"script": code, "args": list(arguments)})

    def wait(self, code, seconds=90):
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while True:
            value = self.script(f"return {code}")
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"never true: {code}; {self.script('return document.getElementById(`problem`)?.textContent')}")
            time.sleep(0.05)

    def element(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.element(selector)}/click")

    def type(self, selector, text):
        self.call("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def keys(self, *keys):
        """Press keys at whatever has the focus; several at once as a tuple."""
        actions = []
        for key in keys:
            together = [KEYS.get(k, k) for k in (key if isinstance(key, tuple) else (key,))]
            actions += [{"type": "keyDown", "value": k} for k in together] + [{"type": "keyUp", "value": k} for k in reversed(together)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def drag(self, selector, *places):
        """Press the pointer at shares (x, y) of an element, one after the other."""
        self.script("arguments[0].scrollIntoView({block:'center'})", {ELEMENT: self.element(selector)})
        box = self.script("const b = arguments[0].getBoundingClientRect(); return [b.left, b.top, b.width, b.height]", {ELEMENT: self.element(selector)})
        moves = [{"type": "pointerMove", "duration": 20, "x": int(box[0] + x * box[2]), "y": int(box[1] + y * box[3])} for x, y in places]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def shot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def complaints(self):
        """What the page's console says is wrong."""
        return [line["message"] for line in self.call("POST", "/se/log", {"type": "browser"}) if line["level"] in ("SEVERE", "WARNING")]

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        try:
            self.call("DELETE", "")
        except Exception:
            pass
        self.driver.kill()
        self.driver.wait()
        self.profile.cleanup()
