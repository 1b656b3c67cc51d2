"""The command `nnlab`: one subcommand per thing that works without the pipeline.

Here are the options. What a user can cause ends in one line on standard error, with exit code 1, or 2 for wrong usage.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from nnlab.adain import command as adain
from nnlab.adain.model import MIN_SIDE
from nnlab.errors import UserError, exit_code

LARGEST_SIDE = 16384  # pixels
EXAMPLES = """examples:
  nnlab stylize --content photo.jpg --style painting.jpg --output result.jpg
  nnlab stylize --content photo.jpg --style a.jpg b.jpg --style-weights 0.3 0.7 --alpha 0.8 --output result.png
  nnlab stylize --content photos/ --style paintings/ --size 512 --output results/
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return the exit code: that of `errors.exit_code`, or 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if any(re.fullmatch("(--[a-z-]+=)?", text) for text in arguments):  # as a path it would be the working folder
            raise UserError("an argument is empty; is a variable of the shell not set?")
        options = _parser().parse_args(arguments)
    except UserError as error:
        dashed = [text for text in arguments if re.match(r"-[^-\d.].*[./]", text)]  # a file's name, no option
        print(f"nnlab: error: {error}{f'; write ./{dashed[0]}' if dashed else ''}", file=sys.stderr)
        return 2
    return exit_code("nnlab", lambda: options.run(options), "interrupted; finished pictures are whole")


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line, which `main` prints."""

    def error(self, message: str) -> NoReturn:
        """UserError with the way to the help."""
        raise UserError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="nnlab", description="Neural Lab's command-line tools.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "stylize",
        help="draw photos in the style of paintings (AdaIN)",
        description="Draw photos in the style of paintings with AdaIN, exactly as large as the photos without --size.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("--content", type=Path, required=True, metavar="PATH", help="photo, or folder of photos")
    add("--style", type=Path, nargs="+", action="extend", required=True, metavar="PATH",
        help="painting; several are blended; a folder stands for each painting in it")  # fmt: skip
    add("--output", type=Path, required=True, metavar="PATH", help="file; or folder for CONTENT_STYLE.jpg")
    add("--alpha", type=float, default=1.0, metavar="A", help="0 is nearly the photo, 1 is all style (default: 1)")
    add("--style-weights", type=float, nargs="+", metavar="W", help="share of each style in the blend (default: equal)")
    add("--preserve-color", action="store_true", help="keep the photo's colours (CORAL on the style, as pytorch-AdaIN)")
    add("--size", type=_size, default=0, metavar="PX", help="shorter side of the photo; 0: original (default: 0)")
    add("--style-size", type=_size, default=512, metavar="PX",
        help="shorter side of the painting; 0: original (default: 512); larger means larger strokes")  # fmt: skip
    add("--format", choices=("jpg", "png", "webp"), default="jpg", help="of files in an output folder (default: jpg)")
    _add_models(command)
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1 ... (default: auto)")
    add("--precision", choices=("auto", "float32", "bfloat16"), default="auto",
        help="auto: bfloat16 where the machine is fast at it (default: auto)")  # fmt: skip
    command.set_defaults(run=adain.stylize)

    command = commands.add_parser(
        "export",
        help="write encoder and decoder as files for other programs",
        description="Write encoder and decoder as files for naoto0804/pytorch-AdaIN's test.py, or as ONNX.",
    )
    folder = command.add_mutually_exclusive_group(required=True)
    add = folder.add_argument
    add("--output", type=Path, metavar="FOLDER", help="folder for vgg_normalised.pth and decoder.pth of pytorch-AdaIN")
    add("--onnx", type=Path, metavar="FOLDER", help="folder for encoder.onnx and decoder.onnx (needs the extra `onnx`)")
    _add_models(command)
    command.set_defaults(run=adain.export)

    command = commands.add_parser(
        "app",
        help="open a page to play with what the pipeline has trained",
        description="Serve a page to play with all four experiments, until Ctrl-C. Needs the extra app (Gradio).",
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: all (default: 127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860 on)")
    command.add_argument("--open", action="store_true", help="open the page in the browser")
    command.set_defaults(run=_app)
    return parser


def _app(options: argparse.Namespace) -> None:
    os.environ.update(NO_PROXY="*", no_proxy="*")  # the page asks only itself; Gradio's import fails at SOCKS proxies
    try:
        from nnlab.app import page  # noqa: PLC0415 (Gradio takes seconds to import, which no other command should)
    except ModuleNotFoundError as missing:
        raise UserError(f"{missing.name} is not installed; run: pip install -e '.[app]'") from None
    page.run(options)


def _add_models(command: argparse.ArgumentParser) -> None:
    """Other networks than the shipped ones; a decoder needs the encoder that it was trained with."""
    for part in ("encoder", "decoder"):
        told = f"other {part}: .safetensors of the pipeline, or pytorch-AdaIN's .pth"
        command.add_argument(f"--{part}", type=Path, metavar="FILE", help=told)


def _size(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < MIN_SIDE or int(text) > LARGEST_SIDE:
        raise argparse.ArgumentTypeError(f"{text!r}: must be 0, or {MIN_SIDE} to {LARGEST_SIDE} pixels")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
