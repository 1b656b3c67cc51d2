"""The README's table of results: `python tests/readme_results.py` writes it into both READMEs.

The script takes it from the metrics of the workspace, before they are committed; the tests compare with those of git's
HEAD, because another machine's run differs by rounding.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh.md")
BEGIN, END = "<!-- results", "<!-- end of results -->"


Read = Callable[[str], str]  # the text of a file by its path from the project's folder


def here(name: str) -> str:
    """The workspace's file."""
    return (ROOT / name).read_text(encoding="utf-8")


def committed(name: str) -> str:
    """The file of git's HEAD; CalledProcessError where there is no such file or no repository."""
    command = ["git", "show", f"HEAD:{name}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode("utf-8")


def rows(chinese: bool, read: Read) -> list[tuple[str, str]]:
    """(what, result) of every line of the table."""

    def metrics(name: str) -> dict:
        return json.loads(read(f"metrics/{name}.json"))

    fashion, variants = metrics("fashion"), metrics("fashion_variants")
    autoencoder, denoiser = metrics("autoencoder"), metrics("denoiser")
    gatys, adain = metrics("gatys")["main"], metrics("adain")
    stand_in = (" (stand-in pictures)", "（替代图像）") if gatys.get("stand_in") else ("", "")
    best = max(variants, key=lambda name: variants[name]["test_accuracy"])
    named = f"`{best}`"
    values = (
        f"{fashion['test_accuracy']:.2%}",
        f"{variants[best]['test_accuracy']:.2%}",
        f"{autoencoder['test_bce']:.4f}",
        f"{autoencoder['knn_accuracy']:.1%}",
        f"{denoiser['noisy_psnr_db']:.1f} → {denoiser['denoised_psnr_db']:.1f} dB",
        f"{gatys['content_loss']:.4g} + {gatys['style_loss']:.4g}",
        f"{adain['heldout_content_loss']:.2f} + {adain['heldout_style_loss']:.2f}",
    )
    english = (
        f"Fashion-MNIST, 784-128-10, {fashion['epochs']} epochs: test accuracy",
        f"Fashion-MNIST, best variant ({named}), {variants[best]['epochs']} epochs: test accuracy",
        "MNIST autoencoder, 2-D code: test BCE, nats per pixel",
        "MNIST autoencoder, 2-D code: 10-nearest-neighbour accuracy",
        f"MNIST denoiser, noise factor {denoiser['noise_factor']}: PSNR of noisy and rebuilt images",
        f"Gatys, main job, {gatys['iterations']} iterations: weighted content + style loss{stand_in[0]}",
        f"AdaIN, {adain['iterations']} iterations: content + style loss on {adain['pairs']} held-out pairs",
    )
    translated = (
        f"Fashion-MNIST，784-128-10，{fashion['epochs']} 轮：测试准确率",
        f"Fashion-MNIST，最佳变体（{named}），{variants[best]['epochs']} 轮：测试准确率",
        "MNIST 自编码器，二维编码：测试 BCE（奈特/像素）",
        "MNIST 自编码器，二维编码：10 近邻准确率",
        f"MNIST 去噪，噪声系数 {denoiser['noise_factor']}：含噪图像与重建图像的 PSNR",
        f"Gatys，main 任务，{gatys['iterations']} 次迭代：加权内容损失 + 风格损失{stand_in[1]}",
        f"AdaIN，{adain['iterations']} 次迭代：{adain['pairs']} 个留出图像对上的内容损失 + 风格损失",
    )
    return list(zip(translated if chinese else english, values))


def table(chinese: bool, read: Read) -> str:
    head = "| 内容 | 结果 |" if chinese else "| what | result |"
    return "\n".join([head, "|---|---|", *(f"| {what} | {value} |" for what, value in rows(chinese, read))])


def with_table(text: str, chinese: bool, read: Read) -> str:
    """`text` with the lines between the two marks replaced."""
    pattern = re.compile(rf"({re.escape(BEGIN)}[^\n]*\n).*?({re.escape(END)})", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no lines {BEGIN!r} ... {END!r}")
    return pattern.sub(lambda match: f"{match[1]}\n{table(chinese, read)}\n\n{match[2]}", text)


def main() -> int:
    for name in READMES:
        path = ROOT / name
        path.write_text(with_table(path.read_text(encoding="utf-8"), ".zh." in name, here), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
