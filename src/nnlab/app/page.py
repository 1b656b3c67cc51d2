"""The page of `nnlab app`: its tabs, its look, its limits; it asks no other machine for anything."""

import argparse
import os
import signal
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import gradio as gr

from nnlab.app.digits import denoiser_tab, latent_tab
from nnlab.app.fashion import fashion_tab
from nnlab.app.gatys import gatys_tab
from nnlab.app.painting import Painter, stages_tab, style_tab
from nnlab.app.parts import texts
from nnlab.errors import UserError
from nnlab.params import Params, load_params
from nnlab.training.device import pick_device, pick_precision

LARGEST_UPLOAD = "64mb"
WAITING = 100  # requests that may wait for a tab's turn
# Fonts that are there; boxes that can be seen when they are not ticked.
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]).set(
    checkbox_border_color_dark="*neutral_500"
)
KEPT_SECONDS = 3600  # results of a page that stays open, and uploads since their last use; all go at its end


def run(options: argparse.Namespace) -> None:
    """Run `nnlab app` until Ctrl-C, SIGTERM or its terminal's end; uploads are removed then. UserError as a stage."""
    for end in filter(None, (signal.SIGTERM, getattr(signal, "SIGHUP", None))):  # Windows knows no SIGHUP
        if signal.getsignal(end) != signal.SIG_IGN:  # nohup: the page is to outlive its terminal
            signal.signal(end, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="nnlab-app-", ignore_cleanup_errors=True) as folder:
        page, address = start(Path(folder), options.host, options.port, options.open)
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            own = set(Path(folder).rglob("*"))  # samples, which every new visitor sees
            while True:
                time.sleep(60)
                sweep(Path(folder), own)
        page.close(verbose=False)  # at once: Gradio's block_thread would wait five seconds for a page that is open
    os._exit(0)  # a request's thread that is still at work would abort Python's own end


def sweep(folder: Path, kept: set[Path], seconds: float = KEPT_SECONDS) -> None:
    """Remove the files below `folder` that are older, but for those `kept`, and what was left empty.

    Gradio's own `delete_cache` ends for good where a file comes in the moment in which it looks, and never hears of the
    pictures that a run of Gatys shows.
    """
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path not in kept and path.stat().st_ctime < time.time() - seconds:
                path.rmdir() if path.is_dir() else path.unlink()


def start(folder: Path, host: str, port: int | None, open_browser: bool = False) -> tuple[gr.Blocks, str]:
    """Serve the page at `host`, at the first free port from 7860 on where none is given; return it and its address.

    Gradio keeps its files in `folder`, and tells nobody of it.
    """
    try:  # Gradio would go through a hundred ports of an address that is not there
        socket.create_server((host, port or 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        where = f"--host {host} --port {port}" if port else f"--host {host}"
        raise UserError(f"{where}: {error}; give an address of this machine and a free port") from None
    os.environ.update(GRADIO_TEMP_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False")
    page = build(load_params())
    _, address, _ = page.launch(
        server_name=f"[{host}]" if ":" in host else host, server_port=port or None, inbrowser=open_browser,
        prevent_thread_lock=True, quiet=True, share=False, enable_monitoring=False, run_history=False, footer_links=[],
        max_file_size=LARGEST_UPLOAD, theme=THEME, show_error=True,
        css_paths=Path(__file__).with_name("page.css"),
        _frontend=False,  # no request to itself, for which a busy machine takes more than the allowed 3 seconds
    )  # fmt: skip
    return page, address.replace("localhost", _own_address()) if host == "0.0.0.0" else address


def _own_address() -> str:
    """This machine's address in its network, which others can type; "localhost" where there is no network."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only looks up which way packets would take (RFC 5737)
        return str(probe.getsockname()[0])
    return "localhost"


def build(params: Params) -> gr.Blocks:
    """The page with a tab for each thing to play with."""
    say = texts(params.report.language)
    device = pick_device(params.hardware.device)
    place = device, pick_precision(params.hardware.precision, device)
    painter = Painter(say, *place)
    with gr.Blocks(title=say("title"), fill_width=True) as page:
        gr.Markdown(f"## {say('title')}")
        with gr.Tab(say("style_tab")):
            pair = style_tab(page, say, painter)
        with gr.Tab(say("stages_tab")) as tab:
            stages_tab(say, painter, tab, *pair)
        with gr.Tab(say("latent_tab")):
            latent_tab(say)
        with gr.Tab(say("denoiser_tab")):
            denoiser_tab(page, say)
        with gr.Tab(say("fashion_tab")):
            fashion_tab(page, say, params)
        with gr.Tab(say("gatys_tab")):
            gatys_tab(say, params, *place)
    return page.queue(max_size=WAITING)
