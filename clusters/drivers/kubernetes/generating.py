"""Values of Secrets: made by chance at the moment of creation, sent to the server and forgotten."""

import base64
import secrets

from clusters.drivers.base import Manifest
from clusters.secrets import is_secret, recipes_of


def filled(manifest: Manifest) -> Manifest:
    """The manifest as it is created: a declared Secret with its values, anything else as it is.

    Raises secrets.SecretInPlain for a Secret that is not declared.
    """
    if not is_secret(manifest):
        return manifest
    values = {
        key: "".join(secrets.choice(recipe.alphabet) for _place in range(recipe.length))
        for key, recipe in recipes_of(manifest).items()
    }
    return {**manifest, "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}
