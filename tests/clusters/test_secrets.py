"""Declared Secrets: what a manifest may say, and that what is made stays in the cluster."""

import json

import pytest

from clusters.drivers.kubernetes.generating import filled
from clusters.secrets import GENERATE_ANNOTATION, Recipe, SecretInPlain, check_none_in_plain, recipes_of


def a_secret(generate: object = None, **body):
    annotations = {} if generate is None else {GENERATE_ANNOTATION: generate}
    meta = {"name": "portal-admin", "namespace": "claims-a-dev", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, **body}


def generator(**keys):
    return json.dumps(keys)


def test_recipes_of__declared__length_and_alphabet_by_key():
    secret = a_secret(generator(password={"length": 24}, pin={"length": 16, "alphabet": "0123456789"}))
    recipes = recipes_of(secret)
    assert recipes["pin"] == Recipe(16, "0123456789")
    assert recipes["password"].length == 24 and len(recipes["password"].alphabet) == 62


@pytest.mark.parametrize(
    "secret",
    [
        a_secret(),
        a_secret(generator(password={"length": 32}), data={"password": "aGlkZGVu"}),
        a_secret(generator(password={"length": 32}), stringData={"other": "hidden"}),
        a_secret(generator(password={"length": 32}), data=None),
        a_secret("not json"),
        a_secret("{}"),
        a_secret("[]"),
        a_secret({"password": {"length": 32}}),
        a_secret(json.dumps({f"key{number}": {"length": 32} for number in range(21)})),
        a_secret(json.dumps({"../up": {"length": 32}})),
        a_secret(json.dumps({"": {"length": 32}})),
        a_secret(generator(password={"length": 15})),
        a_secret(generator(password={"length": 513})),
        a_secret(generator(password={"length": "32"})),
        a_secret(generator(password={"length": True})),
        a_secret(generator(password={"length": 32.0})),
        a_secret(generator(password={})),
        a_secret(generator(password=32)),
        a_secret(generator(password={"length": 32, "value": "hidden"})),
        a_secret(generator(password={"length": 32, "alphabet": "aaaaaaaaaaaa"})),
        a_secret(generator(password={"length": 32, "alphabet": "012345678"})),
        a_secret(generator(password={"length": 32, "alphabet": "0123456789\n"})),
        a_secret(generator(password={"length": 32, "alphabet": "0123456789é"})),
        a_secret(generator(password={"length": 32, "alphabet": list("0123456789")})),
    ],
)
def test_check_none_in_plain__values_or_a_bad_generator__refused_without_the_value(secret):
    with pytest.raises(SecretInPlain, match="Secret portal-admin") as refused:
        check_none_in_plain([secret])
    assert "hidden" not in str(refused.value) and "aGlkZGVu" not in str(refused.value)


def test_check_none_in_plain__declared_and_other_kinds__accepted():
    check_none_in_plain([a_secret(generator(a={"length": 16})), {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}])


def test_filled__declared__as_the_recipe_says_and_never_the_same():
    import base64

    secret = a_secret(generator(pin={"length": 16, "alphabet": "0123456789"}))
    values = {base64.b64decode(filled(secret)["data"]["pin"]).decode() for _time in range(20)}
    assert len(values) == 20 and all(len(value) == 16 and value.isdigit() for value in values)
    assert "data" not in secret
