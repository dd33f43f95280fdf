"""The CSV of namespaces to adopt: what people and spreadsheets write, and what nobody should."""

import pytest

from tenants.kinds import adoption_sources
from tenants.kinds.adopt_namespaces_schema import LONGEST_CSV

HEAD = "namespace,tenant,name,environment"


def read(text, *rows):
    """({namespace: row}, errors) of a CSV, beside rows that a program lists."""
    asked, errors = adoption_sources.named({"csv": text, "namespaces": list(rows)})
    return {one.row["namespace"]: one.row for one in asked}, errors


def test_named__csv_with_all_columns__rows_with_types():
    rows, errors = read("namespace,pods,size,cpu,display_name\nweb,20,m,1500m,网上理赔\n")
    assert errors == {}
    empty = {"tenant": "", "name": "", "environment": "", "memory": "", "storage": ""}
    assert rows["web"] == empty | {
        "namespace": "web",
        "pods": 20,
        "size": "m",
        "cpu": "1500m",
        "display_name": "网上理赔",
    }


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\nweb,claims,web,dev\napi,claims,api,dev\n",
        f"\ufeff{HEAD}\r\nweb,claims,web,dev\r\n\r\napi,claims,api,dev",
        ' Namespace , TENANT,"name",environment\n"web", claims ,web,dev\n,,,\napi,claims,api,dev\n',
        f"{HEAD}\rweb,claims,web,dev\rapi,claims,api,dev\r",
        "tenant,environment,namespace,name\nclaims,dev,web,web\nclaims,dev,api,api",
    ],
)
def test_named__csv_as_spreadsheets_write_it__same_rows(text):
    rows, errors = read(text)
    assert errors == {}
    assert [(r["namespace"], r["tenant"], r["name"], r["environment"]) for r in rows.values()] == [
        ("web", "claims", "web", "dev"),
        ("api", "claims", "api", "dev"),
    ]


def test_named__cells_that_are_missing_or_too_few__empty():
    rows, errors = read(f"{HEAD}\nweb\napi,claims\n")
    assert errors == {} and rows["api"]["tenant"] == "claims" and rows["web"]["environment"] == ""


@pytest.mark.parametrize(
    ("text", "pointer", "words"),
    [
        ("name,tenant\nweb,claims", "/csv", "column namespace"),
        ("namespace,namespace\nweb,web", "/csv", "twice"),
        ("namespace,colour\nweb,red", "/csv", 'no column "colour"'),
        ("web,claims,web,dev", "/csv", 'no column "web"'),
        (f"{HEAD}\nweb,claims,web,dev,more", "/csv", "Line 2 has more cells"),
        (f'{HEAD}\nweb,"claims', "/csv", "Line 2 cannot be read"),
        (f'{HEAD}\nweb,"cla"ims,web,dev', "/csv", "Line 2 cannot be read"),
        (f"{HEAD}\n{'x' * 140_000}", "/csv", "Line 2 cannot be read"),
        ("namespace\n" + "\n".join(f"web-{number}" for number in range(501)), "/csv", "At most 500"),
        (f"{HEAD}\n\nweb,claims,web,dev\nWEB,claims,web,dev", "/csv/4/namespace", "Line 4, namespace: Small letters"),
        (f"{HEAD}\n=cmd|' /C calc'!A0,claims,web,dev", "/csv/2/namespace", "Small letters"),
        (f"{HEAD}\nweb,claims,@sum(1),dev", "/csv/2/name", "Small letters"),
        (f"{HEAD}\nweb,claims,web,live", "/csv/2/environment", "not one of the choices"),
        (f"{HEAD}\nweb,{'c' * 13},web,dev", "/csv/2/tenant", "At most 12"),
        (f"{HEAD}\nweb,claims,web,dev\nweb,claims,api,dev", "/csv/3/namespace", "there twice"),
        ('namespace,display_name\nweb,"two\nlines"\n-,x', "/csv/2/display_name", "cannot be shown"),
        ('namespace,display_name\nweb,"two\nlines"\n-,x', "/csv/4/namespace", "Line 4"),
        ("namespace,display_name\nweb,\u202eevil", "/csv/2/display_name", "cannot be shown"),
        ("namespace\nweb\0", "/csv/2/namespace", "Small letters"),
        ("namespace,pods\nweb,٢٠", "/csv/2/pods", "wrong type"),
        ("namespace,pods\nweb,1e3", "/csv/2/pods", "wrong type"),
        ("namespace,pods\nweb,-1", "/csv/2/pods", "wrong type"),
        ("namespace,pods\nweb,0", "/csv/2/pods", "At least 1"),
        ("namespace,pods\nweb,99999999999999999999", "/csv/2/pods", "wrong type"),
    ],
)
def test_named__csv_that_cannot_be__said_with_its_line(text, pointer, words):
    _rows, errors = read(text)
    assert words in errors[pointer], errors


def test_named__formula_as_display_name__text_like_any_other():
    rows, errors = read("namespace,display_name\nweb,=1+1")
    assert errors == {} and rows["web"]["display_name"] == "=1+1"


def test_named__also_in_the_list_of_a_program__the_list_says_more():
    listed = {"namespace": "web", "tenant": "motor"}
    rows, errors = read(f"{HEAD}\nweb,claims,web,dev\napi,claims,api,dev", listed)
    assert errors == {} and rows["web"] == listed and set(rows) == {"web", "api"}
    _rows, errors = read("", listed, listed)
    assert errors == {"/namespaces/1/namespace": "The namespace is there twice."}


def test_named__as_much_as_a_form_takes__quick():
    text = "namespace,display_name\n" + "\n".join(f"n{number},{'x' * 60}" for number in range(500))
    assert len(text) < LONGEST_CSV
    rows, errors = read(text)
    assert errors == {} and len(rows) == 500
