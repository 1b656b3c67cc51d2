"""The losses and models in formulas (Typst's mathematics). They follow the code that the report quotes beside them."""

from typing import Any

from nnlab.report.document import Formula, Say

_BCE = (
    r"cal(L) = - 1/(784 N) sum_(n=1)^N sum_(i=1)^784 "
    r"[x_(n i) log hat(x)_(n i) + (1 - x_(n i)) log (1 - hat(x)_(n i))]"
)


def cross_entropy(say: Say) -> Formula:
    """Loss of the classifier."""
    return Formula(
        say(
            "交叉熵损失（z 为网络输出的 10 个分数，y 为真实类别，N 为批大小）：",
            "Cross-entropy (z: the ten scores, y: the true class, N: the batch size):",
        ),
        r"cal(L) = - 1/N sum_(n=1)^N log (exp(z_(n, y_n))) / (sum_(k=0)^9 exp(z_(n, k)))",
    )


def bce(say: Say) -> Formula:
    """Loss of the autoencoders."""
    return Formula(
        say(
            "二元交叉熵（x̂ 为重建，像素值在 0 到 1 之间）：",
            "Binary cross-entropy (x̂: the reconstruction, pixels in 0 to 1):",
        ),
        _BCE,
    )


def noise(factor: str, say: Say) -> Formula:
    """What the denoiser is shown."""
    return Formula(
        say("加噪（每一轮重新抽取 ε）：", "Noise (ε is drawn anew in every epoch):"),
        rf"tilde(x) = x + {factor} epsilon, quad epsilon ~ cal(N)(0, I)",
    )


def gatys(say: Say) -> list[Formula]:
    """Losses of src/nnlab/gatys/losses.py and objective.py."""
    return [
        Formula(
            say(
                "内容损失：特征的均方误差（F 为生成图在该层 ReLU 之后的特征，P 为内容图的特征，C 个通道，M = H·W 个位置）：",
                "Content loss: mean squared error of features (F: the generated picture's, after the layer's ReLU; P: the "
                "content picture's; C channels, M = H·W positions):",
            ),
            r'cal(L)_"content" = 1/(C M) sum_(i,j) (F_(i j) - P_(i j))^2',
        ),
        Formula(
            say("Gram 矩阵（除以特征的元素个数 C·M）：", "Gram matrix (divided by the number of elements, C·M):"),
            r'G = (F F^top) / (C M)',
        ),
        Formula(
            say("一层的风格损失：Gram 矩阵的均方误差（A 为风格图的 Gram 矩阵）：",
                "Style loss of one layer: mean squared error of Gram matrices (A: the style picture's):"),
            r'cal(L)_"style" = 1/C^2 sum_(i,j) (G_(i j) - A_(i j))^2',
        ),
        Formula(
            say("总损失（α、β、γ 为权重，w 为每层的权重）：", "Total (α, β, γ: weights; w: weights per layer):"),
            r'cal(L) = alpha sum_(l in "content") w_l cal(L)_"content"^((l)) + beta sum_(l in "style") w_l '
            r'cal(L)_"style"^((l)) + gamma cal(L)_"tv"',
        ),
    ]  # fmt: skip


def adain(train: dict[str, Any], say: Say) -> list[Formula]:
    """AdaIN and the losses of src/nnlab/adain/losses.py, with the weights of `train`."""
    return [
        Formula(
            say("AdaIN（f 为编码器 relu4_1 的特征，μ、σ 为每个通道在所有位置上的均值与标准差，c 内容图，s 风格图）：",
                "AdaIN (f: the encoder's features at relu4_1; μ, σ: mean and deviation per channel over all positions; c: "
                "content, s: style):"),
            r't = sigma(f(s)) dot (f(c) - mu(f(c))) / sigma(f(c)) + mu(f(s))',
        ),
        Formula(
            say("内容损失（g 为解码器）：", "Content loss (g: the decoder):"),
            r'cal(L)_c = "MSE"(f(g(t)), t)',
        ),
        Formula(
            say("风格损失（φ 为 relu1_1、relu2_1、relu3_1、relu4_1 的特征）：",
                "Style loss (φ: features at relu1_1, relu2_1, relu3_1, relu4_1):"),
            r'cal(L)_s = sum_(i=1)^4 ["MSE"(mu(phi_i (g(t))), mu(phi_i (s))) + "MSE"(sigma(phi_i (g(t))), sigma(phi_i (s)))]',
        ),
        Formula(
            say("总损失：", "Total:"),
            rf'cal(L) = {train["content_weight"]:g} thin cal(L)_c + {train["style_weight"]:g} thin cal(L)_s',
        ),
        Formula(
            say("风格强度 α（0：只重建内容图，1：完全风格化）：", "Strength α (0: the content rebuilt, 1: full style):"),
            r'T(c, s, alpha) = g(alpha t + (1 - alpha) f(c))',
        ),
    ]  # fmt: skip
