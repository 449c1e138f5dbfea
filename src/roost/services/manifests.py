"""The manifests that are in use: those that come with roost, and over them those of a directory."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import structlog

from roost.core.manifest import Manifest, ManifestInvalid, choose

ANY = "any"
"""The manifest of programs that have none of their own."""

SUFFIX = ".toml"

log = structlog.get_logger("attention")


class Manifests:
    """All manifests; those of the directory are tried first."""

    def __init__(self, found: dict[str, Manifest]) -> None:
        self.any = found[ANY]
        self.names = sorted(found)
        self._all = [manifest for name, manifest in found.items() if name != ANY]

    @classmethod
    def load(cls, directory: Path) -> Manifests:
        """Those of ours, and those in `directory`, which need not exist; one that cannot be used is left out, and said.

        A file in the directory takes the place of ours of the same name, or with `extends` goes in front of it.
        """
        ours = {manifest.name: manifest for manifest in map(Manifest.parse, _texts_of_ours())}
        found: dict[str, Manifest] = {}
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            try:
                manifest = Manifest.parse(path.read_text())
            except (OSError, UnicodeDecodeError, ManifestInvalid) as exc:
                log.warning("manifest left out", file=str(path), reason=str(exc))
                continue
            below = found.get(manifest.name) or ours.get(manifest.name)
            found[manifest.name] = manifest.over(below) if below else manifest
        return cls(found | {name: manifest for name, manifest in ours.items() if name not in found})

    def of(self, argv: Sequence[str]) -> Manifest:
        """The manifest for what this command line starts."""
        return choose(self._all, argv) or self.any


def _texts_of_ours() -> list[str]:
    folder = resources.files("roost.core").joinpath("manifests")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [file.read_text("utf-8") for file in files if file.name.endswith(SUFFIX)]
