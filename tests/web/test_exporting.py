"""Lists as files: what a spreadsheet makes of them."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.utils import translation

from web import exporting


def read(response):
    text = b"".join(response.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "  =", "\n="])
def test_cell__begins_like_a_formula__is_text(begin):
    text = f"{begin}HYPERLINK(1)"
    assert exporting.cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=b", "1-2", "claims-dev", "张三", "", "'=1", 0])
def test_cell__harmless__as_it_is(value):
    assert exporting.cell(value) == value


def test_cell__other_kinds__as_spreadsheets_read_them():
    assert exporting.cell(None) == ""
    assert exporting.cell(-3) == -3 and exporting.cell(1.5) == 1.5
    assert exporting.cell(True) == "true"
    assert exporting.cell(datetime(2026, 11, 23, 7, 20, 5, tzinfo=UTC)) == "2026-11-23 15:20:05"


def test_csv_file__commas_quotes_and_lines__one_cell_each():
    rows = [['a,"b"', "two\nlines"], ["=1+1", 7]]
    response = exporting.csv_file("things", ["Name", "=Head"], rows)
    assert read(response) == [["Name", "'=Head"], ['a,"b"', "two\nlines"], ["'=1+1", "7"]]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="things-20')
    assert response["Cache-Control"] == "no-store"


def test_csv_file__more_than_it_takes__says_so_and_reads_no_further():
    taken = []

    def endless():
        number = 0
        while True:
            number += 1
            taken.append(number)
            yield [number]

    rows = read(exporting.csv_file("things", ["Number"], endless()))
    assert len(rows) == 1 + exporting.MOST + 1
    assert rows[-1][0].startswith(f"Only the first {exporting.MOST} rows.")
    assert taken[-1] == exporting.MOST + 1


def test_csv_file__written_once_the_request_is_over__in_its_language():
    def said():
        yield [translation.get_language()]

    with translation.override("zh-hans"):
        response = exporting.csv_file("things", ["x"], said())
    assert read(response)[1] == ["zh-hans"]
    assert translation.get_language() == "en"
