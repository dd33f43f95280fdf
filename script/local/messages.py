"""Translations: compiles the catalogues without gettext's msgfmt, and says what is missing; run by .venv's Python."""

import argparse
import re
import sys
from pathlib import Path

import polib

from script.local import ROOT

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")


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
    """One line for every text that has no translation, a guessed one, or one with other placeholders."""
    lines = []
    for source in _catalogues():
        for entry in polib.pofile(str(source)):
            if not entry.obsolete and (reason := _fault(entry)):
                lines.append(f"{source.relative_to(ROOT)}:{entry.linenum}: {reason}: {entry.msgid!r}")
    return lines


def _fault(entry: polib.POEntry) -> str:
    if entry.fuzzy:
        return "only guessed"
    if not entry.translated():
        return "not translated"
    wanted = set(_PLACEHOLDER.findall(entry.msgid + (entry.msgid_plural or "")))
    translations = list(entry.msgstr_plural.values()) or [entry.msgstr]
    if any(set(_PLACEHOLDER.findall(text)) != wanted for text in translations):
        return "other placeholders"
    return ""


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
