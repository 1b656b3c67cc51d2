"""The decoder that is fitted instead of drawn."""

import torch
import torch.nn.functional as F

from nnlab.adain.model import Encoder, initial_decoder, to_images
from nnlab.adain.start import closed_form_decoder
from nnlab.vgg_weights import read_weights


def test_it_gives_pictures_back_far_better_than_their_mean_colour_and_the_same_bits_each_time(weight_files):
    weights, colours = read_weights(weight_files[0]), torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    crops = (255 * F.interpolate(colours, size=32, mode="bicubic").clamp(0, 1)).round().byte()  # soft blobs of colour
    images, fitted = to_images(crops, torch.float32), closed_form_decoder(weights, crops, seed=1)
    with torch.no_grad():
        features = Encoder(weights).encode(images)
        error, at_random = (
            (decoder(features) - images).square().mean(dim=(1, 2, 3)) for decoder in (fitted, initial_decoder(1))
        )
    of_mean_colour = images.var(dim=(2, 3), correction=0).mean(dim=1)
    assert (10 * error < of_mean_colour).all()
    assert (at_random > of_mean_colour).all()
    again = closed_form_decoder(weights, crops, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(fitted.parameters(), again.parameters()))
