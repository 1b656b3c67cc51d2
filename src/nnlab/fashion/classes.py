"""The classes of Fashion-MNIST, by label."""

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)  # fmt: skip  (https://github.com/zalandoresearch/fashion-mnist#labels)
