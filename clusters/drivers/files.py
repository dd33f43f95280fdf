"""Objects as files in a Git repository: where an object's file lies, and the same text for the same object, always."""

import re

import yaml
from django.utils.translation import gettext_noop

from clusters import rules
from clusters.drivers.base import DriverError, Manifest, ObjectRef
from web.sentences import Sentence


def path_of(ref: ObjectRef) -> str:
    """Where an object's file is: <namespace>/<kind>-<name>.yaml; a Namespace lies in its own folder.

    Raises DriverError for names that would lead out of the folder, and for Secrets: whoever reads the repository, now
    or later, would have their values.
    """
    if ref.kind == "Secret":
        sentence = gettext_noop("Secret %(name)s cannot be kept in a Git repository, which everybody reads.")
        raise DriverError(Sentence(sentence, {"name": ref.name}), transient=False)
    folder = ref.namespace or (ref.name if ref.kind == "Namespace" else "_cluster")
    return f"{segment(folder)}/{segment(f'{ref.kind.lower()}-{ref.name}')}.yaml"


def segment(text: str) -> str:
    """The text as part of a path. Raises DriverError for what cannot be a name there."""
    if not text or text.startswith(".") or any(letter in '/\\:*?"<>|' or not letter.isprintable() for letter in text):
        sentence = gettext_noop('"%(name)s" cannot be the name of a file or folder.')
        raise DriverError(Sentence(sentence, {"name": ascii(text)[1:-1]}), transient=False)
    return text


def text_of(manifest: Manifest) -> str:
    """The same text for the same manifest, always: a commit shows what changed and nothing else."""
    text: str = yaml.dump(
        manifest, Dumper=_Plain, sort_keys=True, default_flow_style=False, allow_unicode=True, width=1000
    )
    return text


# Read as text by every YAML reader; PyYAML alone would leave 1e3, 08, Y or 0o17 bare, which others take for numbers.
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


class _Plain(yaml.SafeDumper):
    """Without anchors: whether two parts are one object in Python is nobody's business."""

    def text(self, data: str) -> yaml.ScalarNode:
        """A text, quoted unless it can be nothing else."""
        bare = _BARE.fullmatch(data) and data.lower() not in _WORDS
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if bare else '"')

    def ignore_aliases(self, data: object) -> bool:
        return True


_Plain.add_representer(str, _Plain.text)


def parsed(text: str, path: str) -> Manifest:
    """The object in a file's text. Raises a permanent DriverError, naming `path`, for what is none."""
    try:
        manifest = yaml.safe_load(text)
        rules.reference(manifest)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        sentence = gettext_noop("The file %(path)s in the Git repository is not a Kubernetes object.")
        raise DriverError(Sentence(sentence, {"path": path}), transient=False) from None
    parsed: Manifest = manifest
    return parsed
