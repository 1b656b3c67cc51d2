"""Make the normalised encoder from the VGG19 weights and the sample photos."""

from pathlib import Path

from nnlab.adain.weights import filter_means, normalised, save_encoder
from nnlab.data.images import list_images, read_image, resize_shorter
from nnlab.data.samples import PHOTOS
from nnlab.data.tensors import to_tensor
from nnlab.params import Params
from nnlab.stage import script
from nnlab.vgg.weights import read_weights


@script
def main(vgg: Path, samples: Path, encoder: Path, params: Params) -> None:
    """Write `encoder`: the weights in `vgg`, every filter scaled to a mean activation of 1 over the photos."""
    side, weights = params.adain.normalise.photo_side, read_weights(vgg)
    what = "pytorch-AdaIN's normalised VGG19, as it is"
    if weights.kind != "adain":
        photos = list_images(samples / PHOTOS)
        what = f"VGG19 ({weights.kind}), mean activations over {len(photos)} photos made 1"
        images = (to_tensor(resize_shorter(read_image(photo), side)) for photo in photos)
        weights = normalised(weights, filter_means(weights, images))
    save_encoder(weights, encoder, {"what": what})
    print(f"{encoder}: {what}")
