# SPDX-License-Identifier: Apache-2.0
"""The three interfaces as their clients see them: pictures, options, errors, all by the same table of options."""
import base64
import json
import subprocess

from harness import PLADIS, SOURCE, Server, form, png, run, size_of, text_of

FAST = {"steps": 3, "seed": 7}


def decode(text):
    return base64.b64decode(text, validate=True)


def same_bytes_as_the_program():
    """A job's picture is the program's for the same options, pixel for pixel and in its metadata."""
    with Server("-t", "1") as server:
        job = server.job({"prompt": "a red star", "model": "demo", **FAST, "pladis": 1.5, "pladis_alpha": 2, "guidance": ["cfg-zero"]})
        assert job["state"] == "done", job
        _, _, drawn = server.ask("GET", job["pictures"][0]["url"])
        subprocess.run([PLADIS, "generate", "-m", f"{SOURCE}/models/demo", "-p", "a red star", "--steps", "3", "-s", "7", "--pladis",
                        "1.5", "--pladis-alpha", "2", "--guidance", "cfg-zero", "-q", "-t", "1", "-o", f"{server.folder.name}/own.png"], check=True)
        own = open(f"{server.folder.name}/own.png", "rb").read()
        assert drawn == own, "the server's PNG differs from the program's"
        settings = job["pictures"][0]["settings"]
        assert settings["pladis"] == 1.5 and settings["steps"] == 3 and settings["sampling_method"] == "ddim", settings


def jobs_tell_how_far_they_are():
    with Server() as server:
        status, headers, body = server.ask("POST", "/api/jobs", json.dumps({"prompt": "two green hearts", "steps": 4, "batch_count": 2}),
                                           {"Content-Type": "application/json"})
        assert status == 202 and headers["location"] == "/api/jobs/" + json.loads(body)["id"]
        name = json.loads(body)["id"]
        status, headers, body = server.ask("GET", f"/api/jobs/{name}/events")
        assert headers["content-type"] == "text/event-stream"
        events = [block.split("\n") for block in body.decode().strip().split("\n\n") if block.startswith("event:")]
        last = json.loads(events[-1][1][len("data: "):])
        assert events[-1][0] == "event: done" and last["state"] == "done" and len(last["pictures"]) == 2
        assert last["pictures"][1]["seed"] == last["seed"] + 1
        assert server.get("/api/jobs/00000000000000000000000000000000", 404)
        for picture in last["pictures"]:
            assert size_of(server.ask("GET", picture["url"])[2]) == (128, 128)


def jobs_are_cancelled():
    with Server() as server:
        first = server.post("/api/jobs", {"prompt": "a red star", "steps": 150, "batch_count": 16}, 202)["id"]
        second = server.post("/api/jobs", {"prompt": "a ring"}, 202)
        assert second["place"] in (1, 2) or second["state"] == "running", second
        assert json.loads(server.ask("DELETE", f"/api/jobs/{second['id']}")[2])["state"] == "cancelled"
        server.ask("DELETE", f"/api/jobs/{first}")
        assert server.wait(first)["state"] == "cancelled"
        assert server.job({"prompt": "a blue ring", **FAST})["state"] == "done"


def words_and_previews():
    with Server() as server:
        job = server.job({"prompt": "a red star above a blue ring", "steps": 6, "attention_maps": "star,ring", "keep": False})
        assert [m["word"] for m in job["maps"]] == ["star", "ring"], job
        for one in job["maps"]:
            assert size_of(decode(one["sparse"].split(",")[1])) == (16, 16) and 0 < one["most"] <= 1
        assert job["pictures"][0]["history"] is None and server.get("/api/history")["names"] == []
        name = server.post("/api/jobs", {"prompt": "a red star", "steps": 150}, 202)["id"]
        while server.get(f"/api/jobs/{name}")["state"] == "queued":
            pass
        for _ in range(400):
            status, _, body = server.ask("GET", f"/api/jobs/{name}/preview")
            if status == 200:
                break
        assert status == 200 and size_of(body) == (16, 16)
        server.ask("DELETE", f"/api/jobs/{name}")


def history_is_kept():
    with Server() as server:
        server.job({"prompt": "a red star", **FAST, "negative_prompt": "ring"})
        names = server.get("/api/history")["names"]
        assert len(names) == 1
        settings = server.get(f"/api/history/{names[0]}/settings")
        assert settings["pictures"][0]["prompt"] == "a red star" and settings["pictures"][0]["negative_prompt"] == "ring"
        assert settings["model"] == "demo"
        _, _, data = server.ask("GET", f"/api/history/{names[0]}")
        status, _, body = server.ask("POST", "/api/png-settings", data, {"Content-Type": "image/png"})
        assert status == 200 and json.loads(body)["pictures"] == settings["pictures"]
        again = {key: value for key, value in settings["pictures"][0].items() if value is not None}
        assert server.job(again)["state"] == "done"
        assert server.ask("GET", f"/api/history/{server.get('/api/history')['names'][0]}")[2] == data, "drawn again it is another one"
        assert server.ask("DELETE", f"/api/history/{names[0]}")[0] == 204
        server.get(f"/api/history/{names[0]}", 404)
        for wrong in ("..%2f..%2fetc%2fpasswd", "x.png", "20261231-235959-0123abcd-1.png", "%00.png"):
            assert server.ask("GET", f"/api/history/{wrong}")[0] == 404, wrong


def openai():
    with Server() as server:
        assert [m["id"] for m in server.get("/v1/models")["data"]] == ["demo"]
        answer = server.post("/v1/images/generations", {"model": "demo", "prompt": "two green hearts", "n": 2, "size": "128x128",
                                                        "response_format": "b64_json", "quality": "high", "user": "x", **FAST})
        assert [p["seed"] for p in answer["data"]] == [7, 8] and size_of(decode(answer["data"][0]["b64_json"])) == (128, 128)
        answer = server.post("/v1/images/generations", {"prompt": "a ring", "response_format": "url", **FAST})
        url = answer["data"][0]["url"]
        assert url.startswith(f"http://127.0.0.1:{server.port}/api/pictures/")
        assert size_of(server.ask("GET", url[len(f"http://127.0.0.1:{server.port}"):])[2]) == (128, 128)
        parts = [("prompt", "a red ring"), ("image[]", ("x.png", png(128, 128))), ("mask", ("m.png", png(128, 128))), ("n", 1),
                 ("strength", "0.5"), ("steps", 4), ("model", "demo")]
        body, kind = form(parts)
        status, _, answer = server.ask("POST", "/v1/images/edits", body, {"Content-Type": kind})
        assert status == 200 and size_of(decode(json.loads(answer)["data"][0]["b64_json"])) == (128, 128), answer[:300]
        status, headers, body = server.ask("POST", "/v1/images/generations", json.dumps(
            {"prompt": "a star", "stream": True, "partial_images": 2, "steps": 12, "seed": 7}), {"Content-Type": "application/json"})
        kinds = [line[7:] for line in body.decode().split("\n") if line.startswith("event: ")]
        assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"], kinds


def openai_errors():
    wrong = [({}, "prompt"), ({"prompt": "x", "model": "dall-e-3"}, "model"), ({"prompt": "x", "size": "big"}, "size"),
             ({"prompt": "x", "size": "99999x9"}, "width"), ({"prompt": "x", "n": 99}, "n"), ({"prompt": 5}, "prompt"),
             ({"prompt": "x", "response_format": "jpg"}, "response_format"), ({"prompt": "x", "output_format": "webp"}, "output_format"),
             ({"prompt": "x", "stepz": 3}, "stepz"), ({"prompt": "x", "output": "/tmp/x"}, "output"), ({"prompt": "x", "threads": 9}, "threads"),
             ({"prompt": "x", "lora": ["../x"]}, "lora"), ({"prompt": "x", "lora": ["none"]}, "lora"), ({"prompt": "x", "vae": "/etc"}, "vae"),
             ({"prompt": "x", "init_img": "/etc/passwd"}, "init-img"), ({"prompt": "x", "image": text_of(b"GIF89a")}, "image"),
             ({"prompt": "x", "mask": text_of(png(8, 8))}, "mask"), ({"prompt": "x", "steps": 1000}, "steps")]
    with Server() as server:
        for fields, field in wrong:
            status, _, body = server.ask("POST", "/v1/images/generations", json.dumps(fields), {"Content-Type": "application/json"})
            error = json.loads(body)["error"]
            assert status in (400, 404) and error["message"] and error["type"] == "invalid_request_error", (fields, status, error)
            assert error["param"] in (field, field.replace("-", "_"), "batch-count" if field == "n" else field), (fields, error)
        assert server.post("/v1/images/generations", {"prompt": "x", "pladis_blocks": "nowhere"}, 400)["error"]["message"]
        assert server.ask("GET", "/v1/nothing")[0] == 404 and server.ask("PUT", "/v1/models")[1]["allow"] == "GET, HEAD"
        assert server.ask("POST", "/v1/images/generations", "{}", {"Content-Type": "text/plain"})[0] == 415
        assert server.ask("POST", "/v1/images/generations", "{\"prompt\":", {"Content-Type": "application/json"})[0] == 400


def a1111():
    # What a client of A1111 sends although nobody asked for it.
    defaults = {"enable_hr": False, "hr_scale": 2, "hr_upscaler": "Latent", "hr_second_pass_steps": 0, "hr_resize_x": 0, "hr_resize_y": 0,
                "denoising_strength": 0.7, "firstphase_width": 0, "firstphase_height": 0, "prompt": "", "styles": [], "subseed": -1,
                "subseed_strength": 0.0, "seed_resize_from_h": -1, "seed_resize_from_w": -1, "restore_faces": False, "tiling": False,
                "do_not_save_samples": False, "do_not_save_grid": False, "negative_prompt": "", "eta": None, "s_churn": 0, "s_tmax": 0,
                "s_tmin": 0, "s_noise": 1, "override_settings": {}, "override_settings_restore_afterwards": True, "script_args": [],
                "script_name": None, "send_images": True, "save_images": False, "alwayson_scripts": {}, "sampler_index": "Euler", "url": "http://localhost", "auth": "me:key",
                "refiner_checkpoint": None, "refiner_switch_at": None, "batch_size": 1, "n_iter": 1, "use_async": False}
    with Server() as server:
        del defaults["use_async"]
        answer = server.post("/sdapi/v1/txt2img", {**defaults, "prompt": "a blue ring", "seed": 5, "steps": 4, "cfg_scale": 4,
                                                   "sampler_name": "DPM++ 2M Karras", "width": 128, "height": 128, "n_iter": 2})
        info = json.loads(answer["info"])
        assert info["all_seeds"] == [5, 6] and info["sampling_method"] == "dpm++2m" and info["scheduler"] == "karras", info
        assert answer["parameters"]["steps"] == 4 and "auth" not in answer["parameters"] and "Steps: 4, Sampler: DPM++ 2M, Schedule type: Karras" in info["infotexts"][0]
        picture = answer["images"][0]
        described = server.post("/sdapi/v1/png-info", {"image": "data:image/png;base64," + picture})
        assert described["info"] == info["infotexts"][0] and described["parameters"]["seed"] == 5
        answer = server.post("/sdapi/v1/img2img", {**defaults, "prompt": "a red ring", "init_images": [picture], "mask": text_of(png(128, 128)),
                                                   "mask_blur": 4, "inpainting_fill": 0, "inpaint_full_res": True, "steps": 4, "resize_mode": 0})
        assert size_of(decode(answer["images"][0])) == (128, 128)
        assert server.post("/sdapi/v1/txt2img", {"prompt": "x", "enable_hr": True}, 400)["detail"].startswith("enable_hr: not supported")
        assert server.post("/sdapi/v1/txt2img", {"prompt": "x", "sampler_name": "Nothing"}, 400)["body"] == "sampling-method"
        assert server.post("/sdapi/v1/txt2img", {"prompt": "x", "override_settings": {"a": 1}}, 400)
        assert server.get("/sdapi/v1/progress")["state"]["job"] == ""
        for path in ("samplers", "schedulers", "sd-models", "sd-vae", "upscalers", "loras", "prompt-styles", "face-restorers"):
            assert isinstance(server.get(f"/sdapi/v1/{path}"), list), path
        names = [s["name"] for s in server.get("/sdapi/v1/samplers")]
        assert "Euler a" in names and len(names) == len(set(names))
        assert server.get("/sdapi/v1/memory")["ram"]["total"] > 0 and server.get("/sdapi/v1/embeddings")["loaded"] == {}
        assert server.get("/sdapi/v1/options")["sd_model_checkpoint"] == "demo"
        server.post("/sdapi/v1/options", {"sd_model_checkpoint": "demo [1a2b3c4d]"})
        server.post("/sdapi/v1/options", {"sd_model_checkpoint": "other"}, 404)
        server.post("/sdapi/v1/options", {"eta_noise_seed_delta": 31337}, 400)


def every_open_option_is_a_field():
    """The table decides: what it opens is a field of all three interfaces, and nothing else is."""
    with Server() as server:
        options = {o["name"].replace("-", "_") for o in server.get("/api/options")}
        schemas = server.get("/api/openapi.json")["components"]["schemas"]
        for name in ("job_request", "openai_request", "a1111_txt2img", "a1111_img2img"):
            missing = options - set(schemas[name]["properties"])
            assert not missing, (name, missing)
        assert {"pladis", "pladis_alpha", "pladis_blocks", "seed", "steps", "lora", "guidance", "init_img", "mask"} <= options
        assert not options & {"output", "threads", "dump", "report", "profile", "prompt_file", "lora_dir", "tokenizer", "config"}


def models_and_loras_by_name():
    with Server("--models-dir", f"{SOURCE}/tests/data/reference/models", "--lora-dir", f"{SOURCE}/tests/data/loras/files", demo=False) as server:
        names = [m["model_name"] for m in server.get("/sdapi/v1/sd-models")]
        assert "sd15" in names and "sdxl" in names, names
        assert {"name": "kohya"} == {"name": [x["name"] for x in server.get("/sdapi/v1/loras") if x["name"] == "kohya"][0]}
        small = {"prompt": "a fox", "steps": 2, "width": 64, "height": 64, "seed": 3}
        plain = server.job({**small, "model": "sd15"})
        with_lora = server.job({**small, "model": "sd15", "lora": ["kohya:0.7"]})
        by_tag = server.job({**small, "model": "sd15", "prompt": "a fox <lora:kohya:0.7>"})
        pictures = [server.ask("GET", job["pictures"][0]["url"])[2] for job in (plain, with_lora)]
        assert pictures[0] != pictures[1], "a LoRA changes nothing"
        for job in (with_lora, by_tag):
            assert 'Lora 1: "kohya.safetensors:0.7"' in job["pictures"][0]["parameters"], job
        assert server.job({**small, "model": "sdxl"})["state"] == "done"
        assert "sana-text" in server.job({**small, "model": "sd15", "vae": "sana-text"})["error"]


run(same_bytes_as_the_program, jobs_tell_how_far_they_are, jobs_are_cancelled, words_and_previews, history_is_kept, openai, openai_errors,
    a1111, every_open_option_is_a_field, models_and_loras_by_name)
