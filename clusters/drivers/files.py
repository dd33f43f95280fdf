"""Objects as files in a Git repository: where an object's file lies, and the same text for the same object, always."""

import re
from collections.abc import Callable, Sequence

import yaml
from django.utils.translation import gettext_noop

from clusters import rules
from clusters.drivers.base import Desired, DriverError, Finding, Manifest, ObjectRef
from clusters.drivers.fence import claimed, stamped
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


def drifted_files(
    desired: Sequence[Desired], read: Callable[[ObjectRef], Manifest | None], folder: Sequence[Manifest]
) -> tuple[Finding, ...]:
    """What differs in the files of one bundle (`read` answers an object's file) and which others lie in its folder."""
    findings = [_drifted(item, read) for item in desired]
    wanted = {item.ref for item in desired}
    others = [ObjectRef(*rules.reference(manifest)) for manifest in folder]
    return (
        *(finding for finding in findings if finding),
        *(Finding(ref, "foreign") for ref in others if ref not in wanted),
    )


def _drifted(item: Desired, read: Callable[[ObjectRef], Manifest | None]) -> Finding | None:
    try:
        file = read(item.ref)
    except DriverError as error:
        return Finding(item.ref, "changed", refused=error.sentence)
    if file is None:
        return Finding(item.ref, "missing")
    fields = tuple((path, old, new) for path, old, new in rules.difference(file, stamped(item)))
    refused = claimed(file, item, "")
    return Finding(item.ref, "changed", fields, refused=refused) if fields else None


def parsed(text: str, path: str) -> Manifest:
    """The object in a file's text. Raises a permanent DriverError, naming `path`, for what is none."""
    try:
        manifest = yaml.load(text, _WithoutAliases)  # nosec B506  # a SafeLoader without aliases
        is_object = all(isinstance(part, str) for part in rules.reference(manifest)) and _is_labelled(manifest)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError, RecursionError):
        is_object = False
    if not is_object:
        sentence = gettext_noop("The file %(path)s in the Git repository is not a Kubernetes object.")
        raise DriverError(Sentence(sentence, {"path": path}), transient=False)
    parsed: Manifest = manifest
    return parsed


class _WithoutAliases(yaml.SafeLoader):
    """A few lines of aliases can stand for billions of values."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def _is_labelled(manifest: Manifest) -> bool:
    """Whether labels and annotations, as far as there are any, are what they must be."""
    meta = manifest["metadata"]
    return all(isinstance(meta.get(key) or {}, dict) for key in ("labels", "annotations"))
