"""Make the normalised encoder from the VGG19 weights and the sample photos."""

from pathlib import Path

from nnlab.adain.normalise import filter_means, normalised
from nnlab.adain.weights import save_encoder
from nnlab.data.images import list_images
from nnlab.data.samples import PHOTOS
from nnlab.data.tensors import load_image
from nnlab.params import load_params
from nnlab.stage import run
from nnlab.vgg_weights import read_weights


def main(vgg: Path, samples: Path, encoder: Path, params: Path = Path("params.yaml")) -> None:
    """Write `encoder`: the weights in `vgg`, every filter scaled to a mean activation of 1 over the photos."""
    side, weights = load_params(params).adain.normalise.photo_side, read_weights(vgg)
    what = "pytorch-AdaIN's normalised VGG19, as it is"
    if weights.kind != "adain":
        photos = list_images(samples / PHOTOS)
        what = f"VGG19 ({weights.kind}), mean activations over {len(photos)} photos made 1"
        weights = normalised(weights, filter_means(weights, (load_image(photo, side) for photo in photos)))
    save_encoder(weights, encoder, {"what": what})
    print(f"{encoder}: {what}")


if __name__ == "__main__":
    run(main)
