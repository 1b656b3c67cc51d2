"""What GCompris tells about its pictures: titles and tiles in its boards (QML), authors and licences in its READMEs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BOARD = re.compile(
    r'(?:instruction|"title")\s*:\s*qsTr\("(?P<title>[^"]*)"\)'
    r'|"(?:pixmapfile|image2)"\s*:\s*"(?P<file>[^"]*\.webp)"'
    r'(?:,\s*"x"\s*:\s*"(?P<x>[\d.]+)",\s*"y"\s*:\s*"(?P<y>[\d.]+)")?'
)
_KEY = re.compile(r"(Copyright|License|Source|Comments?|Files): *(.*)")
_CORRECTIONS = (  # of what the boards have
    ("Hokusa,", "Hokusai,"),
    ("Brugel,", "Bruegel,"),
    ("Bazille,", "Frédéric Bazille,"),
    ("Van Gogh,", "van Gogh,"),
    ("Pere ", "Père "),
    ("Cafe ", "Café "),
    ("sea Route", "Sea Route"),
    ("Girls At The", "Girls at the"),
    (" - 1760-70", ""),  # Hiroshige was born in 1797
)


@dataclass(frozen=True)
class Piece:
    """A file, and where it is a tile of a jigsaw, its centre in fractions of the field's width and height."""

    file: Path
    centre: tuple[float, float] | None = None


@dataclass(frozen=True)
class Rights:
    """Who made a picture and on what terms it may be used; `origin` says where GCompris has it from."""

    copyright: str
    licence: str
    origin: str


@dataclass(frozen=True)
class Work:
    """A picture of GCompris: one whole file, or tiles."""

    title: str
    pieces: list[Piece]
    rights: Rights

    @property
    def is_painting(self) -> bool:
        """GCompris's READMEs say so: "All the paintings are from …", "based on an original painting by …"."""
        return "painting" in self.rights.origin


def read_works(resources: Path) -> list[Work]:
    """Every picture below `resources`, a copy of (a part of) GCompris's `src/activities`, in a fixed order."""
    rights: dict[Path, Rights] = {}
    for readme in sorted(resources.rglob("README")):
        rights |= {readme.parent / name: found for name, found in read_rights(readme.read_text(encoding="utf-8"))}
    boards: list[tuple[str, list[Piece]]] = []
    for path in sorted(resources.glob("*/resource/board/*.qml")):
        for title, pieces in read_board(path.read_text(encoding="utf-8"), path.parent.parent, resources).items():
            whole = [piece for piece in pieces if not piece.centre]  # with tiles beside it: to be found in it
            boards.append((title, whole or pieces))
    named = {piece.file for _, pieces in boards for piece in pieces}
    rest = [file for file in sorted(resources.rglob("*.webp")) if file not in named]
    works = [*boards, *((_words(file.stem), [Piece(file)]) for file in rest)]
    return [Work(title, pieces, rights[pieces[0].file]) for title, pieces in works if pieces[0].file.is_file()]


def read_board(text: str, activity: Path, resources: Path) -> dict[str, list[Piece]]:
    """The pieces of each title; a file's path is relative to `activity`, or begins with its place in GCompris."""
    for wrong, right in _CORRECTIONS:
        text = text.replace(wrong, right)
    title = ""
    found: dict[str, list[Piece]] = {}
    for match in _BOARD.finditer(text):
        if match["file"] is None:
            title = match["title"].removesuffix(".")
            found[title] = []
        else:
            _, absolute, path = match["file"].rpartition("src/activities/")
            centre = (float(match["x"]), float(match["y"])) if match["x"] else None
            found[title].append(Piece((resources if absolute else activity) / path, centre))
    return {title: pieces for title, pieces in found.items() if pieces}


def read_rights(text: str) -> Iterator[tuple[str, Rights]]:
    """File names and their rights. A README has blocks between empty lines: `Copyright:`, `License:` …, file names."""
    for block in re.split(r"\n\s*\n", text):
        key, files = "", []
        found: dict[str, str] = {}
        for line in map(str.strip, block.splitlines()):
            if match := _KEY.fullmatch(line):
                key, line = match[1].removesuffix("s"), match[2]
            if line.endswith(".webp"):  # below `Files:` or behind it, or without that word
                files.append(line)
            elif line:
                found[key] = f"{found[key]}; {line}" if key in found else line
        origin = "; ".join(found[key] for key in ("Source", "Comment") if key in found)
        for file in files:
            yield file, Rights(found.get("Copyright", ""), found.get("License", ""), origin)


def _words(stem: str) -> str:
    """ "long_nosed_monkey", "leaningTowerOfPisa", "windmill3" -> words with a capital at the front."""
    words = re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", stem.rstrip("0123456789"))
    return words[:1].upper() + words[1:]
