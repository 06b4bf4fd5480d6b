"""Make the demo model: python train.py --work DIR [--out FOLDER]. See README.md."""
import argparse
from pathlib import Path

import torch

import autoencoder
import dataset
import denoiser
import export
import text

STAGES = ("autoencoder", "text", "dataset", "denoiser", "export")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints; each stage continues from its own")
    parser.add_argument("--out", type=Path, help="folder to export to (default: WORK/export)")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="processes of U-Net training, one thread each; "
                        "better than threads if other work shares the cores")
    parser.add_argument("--pictures", type=int, default=14000)
    parser.add_argument("--autoencoder-minutes", type=float, default=14)
    parser.add_argument("--text-minutes", type=float, default=2.5)
    parser.add_argument("--samples", type=int, default=400000, help="samples of U-Net training in total; they also "
                        "determine the learning rate's schedule")
    parser.add_argument("--lr", type=float, default=2e-3, help="learning rate of the U-Net at its plateau")
    parser.add_argument("--crops-share", type=float, default=denoiser.CROPS_ONLY, help="share of the samples that are trained on crops only")
    parser.add_argument("--init-from", type=Path, help="an exported folder: keep its autoencoder, tokenizer and text "
                        "tower, and start the U-Net from its weights")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    work, seed = options.work, options.seed
    work.mkdir(parents=True, exist_ok=True)
    if options.init_from and not (work / "denoiser_start.pt").exists():
        export.unpack(options.init_from, work)
    if "autoencoder" in options.stages and not (work / "autoencoder_final.pt").exists():
        autoencoder.train(work, options.autoencoder_minutes, seed)
    if "text" in options.stages and not (work / "text_final.pt").exists():
        text.train(work, options.text_minutes, seed)
    if "dataset" in options.stages and not (work / "dataset.pt").exists():
        dataset.make(work, options.pictures, seed)
    if "denoiser" in options.stages:
        denoiser.train(work, options.samples, seed, options.lr, crops_only=options.crops_share,
                       processes=options.processes)
    if "export" in options.stages:
        out = options.out or work / "export"
        export.write(work, out)
        print(f"largest difference from StableDiffusionPipeline: {export.check(out):.2f} of 255")


if __name__ == "__main__":
    main()
