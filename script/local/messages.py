"""Translations: compiles the catalogues without gettext's msgfmt, and says what is missing; run by .venv's Python."""

import argparse
import sys
from pathlib import Path

import polib

from script.local import ROOT


def compile_catalogues() -> int:
    """Writes a .mo beside every .po that is newer than it; the number written."""
    written = 0
    for source in _catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        # A fresh name first, so that a running server never reads half a file.
        fresh = target.with_suffix(".mo.new")
        polib.pofile(str(source)).save_as_mofile(str(fresh))
        fresh.replace(target)
        written += 1
    return written


def missing() -> list[str]:
    """One line for every text without a translation, or with one that gettext only guessed."""
    lines = []
    for source in _catalogues():
        catalogue = polib.pofile(str(source))
        for entry in [*catalogue.untranslated_entries(), *catalogue.fuzzy_entries()]:
            lines.append(f"{source.relative_to(ROOT)}:{entry.linenum}: not translated: {entry.msgid!r}")
    return lines


def _catalogues() -> list[Path]:
    return sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po"))


def main() -> None:
    """script/messages: compiles; with --check fails on what is not translated."""
    parser = argparse.ArgumentParser(prog="script/messages", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a text is not translated")
    if parser.parse_args().check:
        lines = missing()
        print("\n".join(lines) or "every text is translated")
        sys.exit(1 if lines else 0)
    print(f"{compile_catalogues()} catalogues compiled")


if __name__ == "__main__":
    main()
