"""The `report` section of params.yaml, and what follows from a student number."""

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from nnlab.params import Section

NAME_PLACEHOLDER = "姓名"  # "name": the default, so that the file name shows what is still to be filled in
ID_PLACEHOLDER = "学号"  # "student number"
EVEN_ALPHA = (0.3, 0.6, 0.9)
ODD_ALPHA = (0.2, 0.5, 0.8)

# The value becomes part of a file name and of a shell command in dvc.yaml.
_FORBIDDEN = set('/\\:*?"<>|$`!;&%{}#~\t\n\r')


def _as_text(value: Any) -> Any:
    """A student number without quotes in the YAML arrives as an integer."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _file_name_part(text: str) -> str:
    bad = sorted({repr(c) for c in text if c in _FORBIDDEN or unicodedata.category(c)[0] == "C"})
    if bad:
        raise ValueError(f"becomes part of a file name, so it cannot contain {' '.join(bad)}")
    if text != text.strip() or text.startswith((".", "-")):
        raise ValueError("becomes part of a file name, so it cannot begin or end with a space, or begin with . or -")
    if len(text.encode("utf-8")) > 90:
        raise ValueError("becomes part of a file name, so at most 90 bytes (30 Chinese characters)")
    return text


def _nfc(text: str) -> str:
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("type accented letters as single characters (Unicode NFC)")
    return text


FileNamePart = Annotated[str, BeforeValidator(_as_text), AfterValidator(_nfc), AfterValidator(_file_name_part)]


class ReportParams(Section):
    """Who hands in, and in which language."""

    name: FileNamePart
    student_id: FileNamePart
    course: str
    language: Literal["zh", "en"]


def placeholders(report: ReportParams) -> list[str]:
    """The keys that still have their placeholder, or nothing at all."""
    unset = {"name": ("", NAME_PLACEHOLDER), "student_id": ("", ID_PLACEHOLDER)}
    return [f"report.{key}" for key, values in unset.items() if getattr(report, key) in values]


def assigned_alpha(student_id: str) -> tuple[float, ...] | None:
    """The sweep that the assignment asks of this number: by its last digit, even or odd. None without a digit."""
    digits = re.findall(r"[0-9]", student_id)
    if not digits:
        return None
    return ODD_ALPHA if int(digits[-1]) % 2 else EVEN_ALPHA
