"""What the numbers of the MNIST autoencoder and the denoiser say."""

from typing import Any

from nnlab.report.document import Say
from nnlab.report.inputs import Columns, column
from nnlab.report.tasks.words import change, course_of, percent, short


def judged(metrics: dict[str, Any], say: Say) -> str:
    """Which images the two loss curves are of."""
    count = f"{int(metrics['test_images']):,}"
    return say(
        f"训练损失曲线在前 {count} 张训练图像上计算，测试损失曲线在 {count} 张测试图像上计算，均在每轮结束之后。",
        f"The training curve is measured on the first {count} training images, the test curve on the {count} test images, "
        "both after each epoch.",
    )


def knn(accuracy: float, say: Say) -> str:
    """What ten nearest neighbours make of the codes."""
    said = say(
        f"只看 2 维编码本身（未经 asinh 变换），10 近邻分类器在测试集上的准确率为 {percent(accuracy)} %（随机猜测约为 10 %）：",
        f"From the two numbers alone (as they are, without asinh), ten nearest neighbours name {percent(accuracy)} % of the test digits (guessing: about "
        "10 %): ",
    )
    if accuracy > 0.6:
        return said + say(
            "训练时没有用标签，相同的数字在潜空间中仍聚在一起。",
            "equal digits lie together although no label was used.",
        )
    if accuracy > 0.15:
        return said + say("潜空间只把数字部分地分开。", "the latent space separates the digits in part.")
    return said + say("潜空间没有把数字分开。", "the latent space does not separate the digits.")


def loss_course(loss: Columns, say: Say) -> str:
    """How the test loss runs."""
    run, kind = column(loss, "test_loss"), say("测试损失", "The test loss")
    if len(run) == 1:
        return say(
            f"训练 1 轮后，{kind}为 {short(run[0])} 奈特/像素。",
            f"{kind} after one epoch is {short(run[0])} nats per pixel.",
        )
    return say(
        f"{kind}由 {short(run[0])} 变为 {short(run[-1])} 奈特/像素（{change(run[0], run[-1], say)}），{course_of(run, say)}。",
        f"{kind} goes from {short(run[0])} to {short(run[-1])} nats per pixel ({change(run[0], run[-1], say)}); it "
        f"{course_of(run, say)}.",
    )
