"""The page of `nnlab app`: its tabs, its look, its limits; it asks no other machine for anything."""

import argparse
import os
import signal
import tempfile
import threading
from pathlib import Path

import gradio as gr

from nnlab.app.digits import denoiser_tab, latent_tab
from nnlab.app.fashion import fashion_tab
from nnlab.app.gatys import gatys_tab
from nnlab.app.painting import Painter, stages_tab, style_tab
from nnlab.app.parts import texts
from nnlab.params import Params, load_params

LARGEST_UPLOAD = "64mb"
WAITING = 100  # requests that may wait for a tab's turn
KEPT_SECONDS = 3600  # uploads and results of a page that stays open; all go at its end
FONTS = ["system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]


def run(options: argparse.Namespace) -> None:
    """Run `nnlab app` until Ctrl-C or SIGTERM; what was uploaded is removed then. UserError as for a stage."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="nnlab-app-", ignore_cleanup_errors=True) as folder:
        prepare(Path(folder))
        page = build(load_params())
        _, address, _ = start(page, options.host, options.port, options.open)
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("closed")
        finally:
            page.close(verbose=False)


def prepare(folder: Path) -> None:
    """Have Gradio keep its files in `folder`, tell nobody of it, and ask no proxy for the page itself."""
    os.environ.update(GRADIO_TEMP_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False", NO_PROXY="*")


def build(params: Params) -> gr.Blocks:
    """The page with a tab for each thing to play with; call `prepare` before."""
    say = texts(params.report.language)
    painter = Painter(params.hardware, say)
    with gr.Blocks(title=say("title"), delete_cache=(600, KEPT_SECONDS), fill_width=True) as page:
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
            gatys_tab(say, params)
    return page.queue(max_size=WAITING)


def start(page: gr.Blocks, host: str, port: int | None, open_browser: bool = False) -> tuple[object, str, str]:
    """Serve the page at `host`, at the first free port from 7860 on where none is given; return at once."""
    theme = gr.themes.Default(font=FONTS, font_mono=["ui-monospace", "monospace"])
    return page.launch(
        server_name=host, server_port=port, inbrowser=open_browser, prevent_thread_lock=True, quiet=True, share=False,
        ssr_mode=False, pwa=False, mcp_server=False, enable_monitoring=False, run_history=False, footer_links=[],
        max_file_size=LARGEST_UPLOAD, theme=theme, css_paths=Path(__file__).with_name("page.css"),
        _frontend=False,  # no request to itself, for which a busy machine takes more than the allowed 3 seconds
    )  # fmt: skip
