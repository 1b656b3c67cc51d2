"""The report's parts on the MNIST autoencoder and the denoiser."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from nnlab.errors import UserError
from nnlab.report.document import Chart, Context, Figure, Number, Quote, Say, Task, parameters
from nnlab.report.inputs import AGAIN, Columns, column, numeric, read_csv
from nnlab.report.tasks import autoencoder_findings as findings
from nnlab.report.tasks import formulas, reduced
from nnlab.report.tasks.words import percent


def build(context: Context) -> Task:
    """The autoencoder, from metrics/autoencoder.json, plots/autoencoder and data/results/autoencoder."""
    say, plot = context.say, context.inputs.plot
    metrics = context.inputs.metric("autoencoder")
    loss = context.inputs.table("autoencoder/loss.csv")
    section = context.params["autoencoder"]
    return Task(
        key="autoencoder",
        title=say("MNIST 深度自编码器", "A deep autoencoder for MNIST"),
        done=[
            say(
                f"编码器把 28×28 的手写数字压缩成 2 个数，解码器由这 2 个数重建图像（{_layers(section, 2)}，GELU 激活）；网络用全部 60,000 张训练图像训练，"
                "数字的类别标签不参与训练。然后画出测试集编码的散点图，并在潜空间的网格上逐点解码。编码中间密、尾部长，因此两图的坐标轴为 "
                "asinh((编码 − 中位数) / 尺度)，网格在这样的 asinh 坐标轴上是均匀的。",
                "The encoder squeezes a 28×28 digit into two numbers and the decoder rebuilds it from them "
                f"({_layers(section, 2)}, GELU). All 60,000 "
                "training images are used, their labels are not. Then the codes of the test images are drawn, and the "
                "decoder is run over a grid of the latent space. Codes are dense in the middle and have long tails, so the axes "
                "of both figures are asinh((code − median) / scale): the grid is uniform on these asinh axes.",
            )
        ],
        parameters=parameters(section, "autoencoder"),
        numbers=[
            Number(say("测试 BCE", "test BCE"), f"{metrics['test_bce']:.4f}", say("奈特/像素", "nats per pixel")),
            Number(say("编码的 10-NN 准确率", "10-NN accuracy on codes"), percent(metrics["knn_accuracy"]), "%"),
            Number(say("训练轮数", "epochs"), str(metrics["epochs"])),
        ],
        findings=[
            findings.loss_course(loss, say),
            findings.judged(metrics, say),
            findings.knn(metrics["knn_accuracy"], say),
        ],
        figures=[
            Figure(plot("autoencoder/loss.png"), say("损失曲线", "Loss"), web=False),
            Figure(plot("autoencoder/reconstructions.png"), say("原图与重建", "Originals and reconstructions")),
            Figure(
                plot("autoencoder/latent.png"),
                say("测试集的编码，按数字着色（asinh 坐标轴）", "Codes of the test set by digit (asinh axes)"),
                web=False,
            ),
            Figure(
                plot("autoencoder/grid.png"),
                say(
                    "潜空间网格上的解码结果（网格在 asinh 坐标轴上均匀）",
                    "The decoder over a grid of the latent space (uniform on asinh axes)",
                ),
                web=False,
            ),
        ],
        formulas=[formulas.bce(say)],
        charts=_charts(loss, say),
        quotes=[
            Quote("autoencoder/model.py", "Autoencoder", say("网络", "The network")),
            Quote("autoencoder/losses.py", "bce", say("损失", "The loss")),
        ],
        warnings=_warnings(("自编码器", "The autoencoder"), metrics, reduced.AUTOENCODER_EPOCHS, "autoencoder", say),
        extras={"latent": _latent(context)},
    )


def build_denoiser(context: Context) -> Task:
    """The denoiser, from metrics/denoiser.json and plots/denoiser."""
    say, plot = context.say, context.inputs.plot
    metrics = context.inputs.metric("denoiser")
    loss = context.inputs.table("denoiser/loss.csv")
    gain = metrics["denoised_psnr_db"] - metrics["noisy_psnr_db"]
    factor = f"{metrics['noise_factor']:g}"
    section = context.params["denoiser"]
    layers = _layers(section, section.get("code", 0))
    return Task(
        key="denoiser",
        title=say("MNIST 去噪自编码器", "A denoising autoencoder for MNIST"),
        done=[
            say(
                f"自编码器 {layers}（GELU 激活）的输入是加了噪声的图像 x + {factor}·N(0, 1)，目标是干净的图像 x；每一轮都重新抽取噪声。",
                f"The autoencoder {layers} (GELU) is shown the noisy image x + {factor}·N(0, 1) and is asked for the clean "
                "image x; noise is drawn anew in every epoch.",
            )
        ],
        parameters=parameters(section, "denoiser"),
        numbers=[
            Number(say("带噪图像 PSNR", "PSNR of the noisy image"), f"{metrics['noisy_psnr_db']:.2f}", "dB"),
            Number(say("重建图像 PSNR", "PSNR of the rebuilt image"), f"{metrics['denoised_psnr_db']:.2f}", "dB"),
            Number(say("测试 BCE", "test BCE"), f"{metrics['test_bce']:.4f}", say("奈特/像素", "nats per pixel")),
        ],
        findings=[
            findings.loss_course(loss, say),
            findings.judged(metrics, say),
            say(
                f"去噪使 PSNR 从 {metrics['noisy_psnr_db']:.2f} dB 变为 {metrics['denoised_psnr_db']:.2f} dB"
                f"（{gain:+.2f} dB），即均方误差变为原来的 {10 ** (-gain / 10):.3g} 倍。",
                f"Denoising takes the PSNR from {metrics['noisy_psnr_db']:.2f} dB to {metrics['denoised_psnr_db']:.2f} dB "
                f"({gain:+.2f} dB): the mean squared error becomes {10 ** (-gain / 10):.3g} times what it was.",
            ),
        ],
        figures=[
            Figure(plot("denoiser/loss.png"), say("损失曲线", "Loss"), web=False),
            Figure(
                plot("denoiser/digits.png"),
                say("数字 0–9：原图、带噪图像、重建", "Digits 0-9: original, noisy, rebuilt"),
            ),
        ],
        formulas=[
            formulas.noise(factor, say),
            formulas.bce(say),
        ],
        charts=_charts(loss, say),
        quotes=[Quote("autoencoder/noise.py", "add_noise", say("加噪", "The noise"))],
        warnings=_warnings(("去噪自编码器", "The denoiser"), metrics, reduced.DENOISER_EPOCHS, "denoiser", say),
    )


def _warnings(what: tuple[str, str], metrics: dict[str, Any], full: int, section: str, say: Say) -> list[str]:
    return reduced.warn(what, metrics["epochs"], full, ("轮", "epochs"), f"{section}.epochs", say)


def _layers(section: dict[str, Any], code: int) -> str:
    """Widths of all layers: 784-1000-2-1000-784."""
    hidden = section.get("hidden", [])
    return "-".join(str(n) for n in [784, *hidden, code, *hidden[::-1], 784])


def _charts(loss: Columns, say: Say) -> list[Chart]:
    x, values = column(loss, "epoch"), numeric(loss).without("epoch")
    words = {"train": say("训练", "training"), "test": say("测试", "test")}
    series = {next((text for key, text in words.items() if key in name), name): v for name, v in values.items()}
    return [Chart(say("重建损失", "Reconstruction loss"), say("轮", "epoch"), say("BCE（奈特/像素）", "BCE (nats per pixel)"),
                  x, series)]  # fmt: skip


def _latent(context: Context) -> dict[str, Any]:
    """Codes (x, y, digit) of the test set and the decoded grid."""
    table = read_csv(context.inputs.result("autoencoder/codes.csv"))
    xs, ys, digits = (column(table, name) for name in ("x", "y", "digit"))
    codes = [(x, y, int(digit)) for x, y, digit in zip(xs, ys, digits)]
    return {"codes": codes, **_grid(context.inputs.result("autoencoder/grid.npz"))}


def _grid(path: Path) -> dict[str, Any]:
    """The pictures and their places, as the stage autoencoder_evaluate wrote them."""
    try:
        with np.load(path, allow_pickle=False) as grid:
            images, xs, ys = grid["images"], grid["xs"].tolist(), grid["ys"].tolist()
        if images.ndim != 4 or images.shape[:2] != (len(ys), len(xs)):
            raise ValueError("its pictures are not those of its axes")
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: damaged ({' '.join(str(error).split())}); {AGAIN}") from None
    return {"images": images, "xs": xs, "ys": ys}
