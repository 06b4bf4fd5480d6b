# SPDX-License-Identifier: Apache-2.0
"""Cut recorded generations of flow models down to what a sampler sees.

    python tools/reference/flow_recordings.py REFERENCE tests/data/sampling/generations

REFERENCE is a folder of the layout in README.md that holds the families below. The output has the same layout: of a
case its case.json and the schedule, the predictions and the samples, of a model its scheduler_config.json.
tests/unit/sampling/test_samplers.c follows them call by call.
"""
import json
import pathlib
import shutil
import sys

from safetensors.torch import load_file, save_file

CASES = ("anima-gen-img2img-pladis", "flux2-klein-base-gen-text512-pladis", "krea2-gen-text512-pladis",
         "sana-gen-euler-pladis", "sana-sprint-gen-1-step-pladis", "sana-sprint-gen-4-step-pladis",
         "sana-sprint-gen-dense", "sana-text-gen-empty-negative-pladis")
KEPT = ("timesteps", "sigmas", "noise_pred.", "latents", "step_noise.", "image_latents", "noise")
FIELDS = ("name", "kind", "model", "steps", "seed", "scheduler", "is_distilled", "first_step", "sensitivity")


def main():
    source, out = map(pathlib.Path, sys.argv[1:3])
    for name in CASES:
        case = json.loads((source / "cases" / name / "case.json").read_text())
        case["scheduler"].pop("resolved", None)
        tensors = {k: v for k, v in load_file(source / "cases" / name / "tensors.safetensors").items()
                   if (k.startswith(KEPT) and k != "latents_init") or (k == "model_out.00" and case["model"] == "sana-sprint")}
        folder = out / "cases" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "case.json").write_text(json.dumps({k: case[k] for k in FIELDS if k in case}, indent=1) + "\n")
        save_file(tensors, folder / "tensors.safetensors")
        scheduler = pathlib.Path("models") / case["model"] / "scheduler"
        (out / scheduler).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / scheduler / "scheduler_config.json", out / scheduler / "scheduler_config.json")


if __name__ == "__main__":
    main()
