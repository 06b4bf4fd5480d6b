# SPDX-License-Identifier: Apache-2.0
"""The page in a browser: draw, compare, cancel, words, settings of a PNG, mask, grid, history, key; by keyboard alone, on a phone, and with
enough contrast. PLADIS_PAGE_SHOTS: a folder for screenshots."""
import os
import subprocess
import sys
import tempfile

from browser import CHROMIUM, DRIVER, Browser
from harness import SKIPPED, Server, run

if not CHROMIUM or not DRIVER:
    print("skipped: there is no chromium with chromedriver")
    sys.exit(SKIPPED)

SHOTS = os.environ.get("PLADIS_PAGE_SHOTS")
PROMPT = "a large red star above a small blue ring"
DRAWN = "document.querySelector('#pictures img.drawn:not(.forming)')?.naturalWidth > 0 && !document.getElementById('picture-actions').hidden"
IDLE = "document.getElementById('progress-box').hidden"


def shot(browser, name):
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        browser.shot(os.path.join(SHOTS, f"{name}.png"))


def open_page(browser, server):
    browser.open(f"http://localhost:{server.port}/")
    browser.wait("document.querySelectorAll('#examples button').length > 0 && document.querySelectorAll('#more label').length > 5")


def set_value(browser, name, value):
    browser.script("const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('input'))", name, str(value))


def draws_and_compares():
    with Server() as server, Browser() as browser:
        open_page(browser, server)
        shot(browser, "empty")
        set_value(browser, "seed", 133)
        browser.type("#prompt", PROMPT)
        browser.keys(("control", "enter"))
        browser.wait(DRAWN)
        caption = browser.script("return document.getElementById('caption').textContent")
        assert "seed 133" in caption and "λ 2" in caption and "20 steps" in caption, caption
        browser.script("[...document.querySelectorAll('#words button')].find((b) => b.textContent === 'star').click()")
        browser.wait("document.querySelectorAll('#maps canvas').length === 2 && !document.getElementById('maps').hidden")
        assert "dense" in browser.script("return document.getElementById('maps').textContent")
        shot(browser, "words")
        # Another word of the same picture needs no further drawing.
        jobs = server.get("/api/history")["count"]
        browser.script("[...document.querySelectorAll('#words button')].find((b) => b.textContent === 'ring').click()")
        browser.wait("document.getElementById('maps').textContent.includes('ring')", 5)
        assert server.get("/api/history")["count"] == jobs == 1
        set_value(browser, "seed", 133)
        browser.click("#compare")
        browser.wait("document.querySelectorAll('.wipe img').length === 2 && " + IDLE)
        left, right = browser.script("return [...document.querySelectorAll('.wipe img')].map((i) => i.src)")
        assert left != right
        browser.drag(".wipe", (0.5, 0.5), (0.2, 0.5))
        width = browser.script("return parseFloat(document.querySelector('.wipe .over').style.width)")
        assert 15 < width < 25, width
        browser.drag(".wipe", (0.2, 0.5), (0.5, 0.5))
        shot(browser, "compare")
        assert not browser.complaints(), browser.complaints()


def cancels_and_tells_of_problems():
    with Server() as server, Browser() as browser:
        open_page(browser, server)
        browser.type("#prompt", "a red star")
        set_value(browser, "steps", 150)
        set_value(browser, "batch_count", 16)
        browser.click("#draw")
        browser.wait("document.querySelector('#pictures img.forming')?.naturalWidth > 0 && document.querySelectorAll('#queue li').length === 1")
        assert "Step" in browser.script("return document.getElementById('progress-text').textContent")
        browser.click("#cancel")
        browser.wait(IDLE + " && document.querySelectorAll('#queue li').length === 0")
        set_value(browser, "batch_count", 1)
        set_value(browser, "width", 13)
        browser.click("#draw")
        message = browser.wait("!document.getElementById('problem').hidden && document.getElementById('problem').textContent")
        assert "multiple" in message or "width" in message, message


def settings_come_back():
    with Server() as server, Browser() as browser:
        server.job({"prompt": "a blue ring", "negative_prompt": "star", "steps": 7, "seed": 99, "pladis": 1.2, "cfg_scale": 3, "sampling_method": "euler"})
        open_page(browser, server)
        browser.wait("document.querySelectorAll('#history li').length === 1")
        browser.click("#history .open")
        browser.wait(DRAWN)
        values = browser.script("return ['prompt', 'negative_prompt', 'steps', 'seed', 'pladis', 'cfg_scale', 'sampling_method'].map((n) => document.getElementById(n).value)")
        assert values == ["a blue ring", "star", "7", "99", "1.2", "3", "euler"], values
        # The same from a file, as if it were dropped.
        name = server.get("/api/history")["names"][0]
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(server.ask("GET", f"/api/history/{name}")[2])
            file.flush()
            set_value(browser, "prompt", "")
            browser.type("#restore-file", file.name)
            browser.wait("document.getElementById('prompt').value === 'a blue ring'")
        browser.script("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
        browser.click("#copy")
        command = browser.wait("window.copied")
        program = [sys.argv[1], *command.split()[1:2]]
        assert command.startswith("pladis generate --prompt 'a blue ring'") and "--seed 99" in command, command
        done = subprocess.run(command.replace("pladis generate", " ".join(program), 1) + f" -q -t 1 -o {server.folder.name}/x.png", shell=True,
                              env={**os.environ, "PLADIS_MODEL_DIR": os.path.join(sys.argv[2], "models")}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        browser.script("document.querySelector('#history .delete').click()")
        browser.wait("document.querySelectorAll('#history li').length === 0")
        assert server.get("/api/history")["count"] == 0


def mask_is_painted():
    with Server() as server, Browser() as browser:
        open_page(browser, server)
        browser.type("#prompt", "a red star")
        set_value(browser, "seed", 5)
        browser.click("#draw")
        browser.wait(DRAWN)
        browser.click("#use-picture")
        browser.wait("!document.getElementById('mask').hidden")
        browser.drag("#mask", (0.3, 0.3), (0.5, 0.4), (0.7, 0.3))
        set_value(browser, "prompt", "a blue ring")
        browser.click("#draw")
        browser.wait(DRAWN + " && document.querySelectorAll('#history li').length === 2")
        name = server.get("/api/history")["names"][0]
        settings = server.get(f"/api/history/{name}/settings")["pictures"][0]
        assert settings["init_img"] and settings["mask"] and settings["strength"] == 0.75, settings
        # By keys, too.
        browser.click("#mask-clear")
        browser.script("document.getElementById('mask').focus()")
        browser.keys("space", "right", "right", "space", "down", "space")
        painted = browser.script("""const c = document.getElementById('mask'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let light = 0; for (let i = 0; i < d.length; i += 4) light += d[i] + d[i + 2] - 2 * d[i + 1] > 90; return light;""")
        assert painted > 50, painted
        shot(browser, "mask")


def grid_is_drawn():
    with Server() as server, Browser() as browser:
        open_page(browser, server)
        browser.type("#prompt", "two green hearts")
        set_value(browser, "steps", 4)
        browser.script("document.getElementById('grid-box').open = true")
        browser.click("#grid-draw")
        browser.wait("document.querySelectorAll('#grid td img').length === 9 && " + IDLE)
        assert len(set(browser.script("return [...document.querySelectorAll('#grid td img')].map((i) => i.src)"))) == 9
        shot(browser, "grid")
        assert not browser.complaints(), browser.complaints()


def key_is_asked_for():
    with Server(environment={"PLADIS_API_KEY": "a key of a test"}) as server, Browser() as browser:
        browser.open(f"http://localhost:{server.port}/")
        browser.wait("document.getElementById('key-dialog').open")
        browser.type("#key", "another key")
        browser.keys("enter")
        browser.wait("!document.getElementById('key-problem').hidden && document.getElementById('key-dialog').open")
        browser.script("document.getElementById('key').value = ''")
        browser.type("#key", "a key of a test")
        browser.keys("enter")
        browser.wait("document.querySelectorAll('#examples button').length > 0")
        browser.type("#prompt", "a red star")
        browser.click("#draw")
        browser.wait(DRAWN + " && document.querySelector('#history img')?.naturalWidth > 0")


def keyboard_alone():
    """Everything that a pointer reaches, Tab reaches, and what has the focus is seen to have it."""
    with Server() as server, Browser() as browser:
        open_page(browser, server)
        browser.script("for (const d of document.querySelectorAll('details')) d.open = true")
        wanted = browser.script("""return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
            .filter((e) => e.checkVisibility() && !e.disabled && e.getClientRects().length > 0).map((e) => { e.dataset.want = 1; return e.id || e.textContent; })""")
        browser.script("document.activeElement.blur(); window.seen = new Set(); window.unseen = []")
        for _ in range(len(wanted) + 5):
            browser.keys("tab")
            browser.script("""const e = document.activeElement; if (e.dataset.want) { seen.add(e);
                const mark = e.matches('.file input') ? e.parentElement : e;
                if (getComputedStyle(mark).outlineStyle === 'none') unseen.push(e.id || e.textContent); }""")
        missed = browser.script("return [...document.querySelectorAll('[data-want]')].filter((e) => !seen.has(e)).map((e) => e.id || e.textContent)")
        assert not missed, missed
        assert not browser.script("return unseen"), browser.script("return unseen")
        browser.script("document.getElementById('prompt').focus()")
        browser.keys(*"a red star", ("control", "enter"))
        browser.wait(DRAWN)
        browser.script("document.getElementById('compare').focus()")
        browser.keys("enter")
        browser.wait("document.querySelector('.wipe-box input') && " + IDLE)
        browser.script("document.querySelector('.wipe-box input').focus()")
        browser.keys("right", "right")
        assert browser.script("return document.querySelector('.wipe .over').style.width") == "52%"
        unnamed = browser.script("""return [...document.querySelectorAll('input, select, textarea, button')].filter((e) => e.checkVisibility() &&
            !((e.labels?.length && [...e.labels].some((l) => l.control === e)) || e.textContent.trim() || e.getAttribute('aria-label') || e.querySelector('img[alt]'))).map((e) => e.outerHTML)""")
        assert not unnamed, unnamed


CONTRAST = """
const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.checkVisibility() || e.closest('.wipe, .delete, #toast')) continue;
  const a = light(parse(getComputedStyle(e).color)), b = light(behind(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${e.tagName} "${e.textContent.trim().slice(0, 30)}": ${ratio.toFixed(2)}`);
}
return poor;"""


def contrast_and_widths():
    with Server() as server:
        server.job({"prompt": PROMPT, "seed": 133})
        for name, size in (("wide", (1400, 1000)), ("tablet", (820, 1180)), ("phone", (390, 844))):
            for dark in (False, True):
                with Browser(*size, dark=dark, phone=name == "phone") as browser:
                    open_page(browser, server)
                    browser.script("for (const d of document.querySelectorAll('details')) d.open = true")
                    browser.script("document.getElementById('problem').textContent = 'A problem'; document.getElementById('problem').hidden = false")
                    poor = browser.script(CONTRAST)
                    assert not poor, (name, dark, poor)
                    wide, inner = browser.script("return [document.documentElement.scrollWidth, innerWidth]")
                    assert wide <= inner, f"{name}: the page is {wide} pixels wide on {inner}"
                    browser.script("for (const d of document.querySelectorAll('details')) d.open = false; document.getElementById('problem').hidden = true; scrollTo(0, 0)")
                    if name == "phone":
                        small = browser.script("""return [...document.querySelectorAll('button, select, summary')].filter((e) => e.checkVisibility() &&
                            e.getBoundingClientRect().height < 22).map((e) => e.outerHTML.slice(0, 80))""")
                        assert not small, small
                        browser.type("#prompt", "a red star")
                        browser.click("#draw")
                        browser.wait(DRAWN)
                        top = browser.script("return document.getElementById('stage').getBoundingClientRect().top")
                        assert -200 < top < 300, f"the picture is not in view: {top}"
                    shot(browser, f"{name}-{'dark' if dark else 'light'}")


run(draws_and_compares, cancels_and_tells_of_problems, settings_come_back, mask_is_painted, grid_is_drawn, key_is_asked_for, keyboard_alone,
    contrast_and_widths)
