# SPDX-License-Identifier: Apache-2.0
"""Programs that people have: curl, the openai package, a client of A1111 (webuiapi), and schemathesis with a validator of OpenAPI, which
tries thousands of requests. The packages are in a folder of their own (./dev setup fetches them); what is missing is skipped, and said."""
import json
import os
import shutil
import subprocess
import sys

from harness import SKIPPED, SOURCE, Server, run, size_of

FOLDER = os.environ.get("PLADIS_CLIENTS", os.path.join(SOURCE, ".cache/clients"))
PYTHON = os.path.join(FOLDER, "bin/python")

OPENAI = """
import base64, sys, urllib.request
from openai import BadRequestError, NotFoundError, OpenAI
client = OpenAI(base_url=sys.argv[1] + "/v1", api_key="a key of a test", max_retries=0)
assert [m.id for m in client.models.list()] == ["demo"] and client.models.retrieve("demo").owned_by == "pladis"
answer = client.images.generate(model="demo", prompt="two green hearts", n=2, size="128x128", response_format="b64_json", quality="standard",
                                user="me", extra_body={"seed": 5, "steps": 4, "pladis": 1.5, "pladis_alpha": 1.7})
assert len(answer.data) == 2 and base64.b64decode(answer.data[0].b64_json)[:4] == b"\\x89PNG" and answer.size == "128x128"
url = client.images.generate(model="demo", prompt="a ring", response_format="url", extra_body={"steps": 2}).data[0].url
open(sys.argv[2], "wb").write(urllib.request.urlopen(url).read()) # the name of the picture is secret enough
events = list(client.images.generate(model="demo", prompt="a star", stream=True, partial_images=2, extra_body={"steps": 12}))
assert [e.type.split(".")[1] for e in events] == ["partial_image", "partial_image", "completed"]
assert [e.partial_image_index for e in events[:2]] == [0, 1]
with open(sys.argv[2], "rb") as image, open(sys.argv[2], "rb") as mask:
    assert client.images.edit(model="demo", image=image, mask=mask, prompt="two red hearts", extra_body={"strength": 0.6}).data
for fields, kind in ({"model": "none"}, NotFoundError), ({"size": "9"}, BadRequestError), ({"extra_body": {"output": "x"}}, BadRequestError):
    try:
        client.images.generate(prompt="x", **fields)
        sys.exit(f"{fields} is taken")
    except kind as error:
        assert error.body["message"], error
"""

WEBUIAPI = """
import sys
from PIL import Image
import webuiapi
api = webuiapi.WebUIApi(host="127.0.0.1", port=int(sys.argv[1]), username="me", password="a key of a test")
api.session.auth = ("me", "a key of a test")
assert api.get_options()["sd_model_checkpoint"] == "demo" and "Euler a" in [s["name"] for s in api.get_samplers()]
drawn = api.txt2img(prompt="a blue ring", negative_prompt="star", seed=7, steps=5, cfg_scale=4, sampler_name="Euler", width=128, height=128)
assert drawn.image.size == (128, 128) and drawn.info["seed"] == 7 and "Sampler: Euler," in drawn.info["infotexts"][0], drawn.info
mask = Image.new("L", (128, 128), 0)
mask.paste(255, (0, 0, 64, 128))
assert api.img2img(images=[drawn.image], mask_image=mask, prompt="a red ring", seed=7, steps=5, width=128, height=128).image.size == (128, 128)
assert api.get_progress()["progress"] == 0 and api.util_get_model_names() == ["demo"] and api.interrupt() == {}
api.util_set_model("demo")
api.refresh_checkpoints()
"""

# By design: what a schema cannot say (names that the server has, numbers as texts in forms), and jobs that can be looked at when they are
# over, and have no preview at first.
UNCHECKED = "positive_data_acceptance,negative_data_rejection,use_after_free,ensure_resource_availability"


def client(code, *arguments):
    done = subprocess.run([PYTHON, "-c", code, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


def curl():
    with Server() as server:
        path = os.path.join(server.folder.name, "x.png")
        text = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{server.port}/v1/images/generations", "-H", "Content-Type: application/json",
                               "-d", '{"prompt": "a red star", "response_format": "url"}'], capture_output=True, text=True, check=True).stdout
        subprocess.run(["curl", "-sf", "-o", path, json.loads(text)["data"][0]["url"]], check=True)
        assert size_of(open(path, "rb").read()) == (128, 128)
        text = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{server.port}/v1/images/edits", "-F", "prompt=a ring", "-F", f"image=@{path}", "-F", "steps=3"],
                              capture_output=True, text=True, check=True).stdout
        assert json.loads(text)["data"][0]["b64_json"]


def openai():
    with Server(environment={"PLADIS_API_KEY": "a key of a test"}) as server:
        client(OPENAI, f"http://127.0.0.1:{server.port}", os.path.join(server.folder.name, "x.png"))


def webuiapi():
    with Server(environment={"PLADIS_API_KEY": "a key of a test"}) as server:
        client(WEBUIAPI, str(server.port))


def description_is_valid():
    with Server() as server:
        path = os.path.join(server.folder.name, "openapi.json")
        with open(path, "w") as file:
            json.dump(server.get("/api/openapi.json"), file)
        client("import json, sys; from openapi_spec_validator import validate; validate(json.load(open(sys.argv[1])))", path)


def schemathesis():
    with Server("-q") as server:
        done = subprocess.run([os.path.join(FOLDER, "bin/schemathesis"), "run", f"http://127.0.0.1:{server.port}/api/openapi.json", "--max-examples",
                               os.environ.get("PLADIS_SCHEMATHESIS", "12"), "--workers", "1", "--exclude-checks", UNCHECKED, "--no-color"],
                              capture_output=True, text=True, timeout=1200, cwd=server.folder.name)
        print(next((line.strip() for line in done.stdout.split("\n") if "generated" in line), ""))
        assert done.returncode == 0, done.stdout[-3000:]
        assert server.get("/health")["status"] == "ok"


def has(module):
    return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


tests = [(curl, shutil.which("curl")), (openai, has("openai")), (webuiapi, has("webuiapi")), (description_is_valid, has("openapi_spec_validator")),
         (schemathesis, has("schemathesis"))]
for test, there in tests:
    if not there:
        print(f"skipped: {test.__name__} is not here")
if not any(there for _, there in tests):
    sys.exit(SKIPPED)
run(*(test for test, there in tests if there))
