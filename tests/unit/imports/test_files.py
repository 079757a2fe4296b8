"""Rows of files: the samples, what may be left out, and what is refused."""

from pathlib import Path

import pytest

from consumer.imports.files import Entry, rows_of_file
from consumer.imports.rows import Row, Unreadable

SAMPLES = Path(__file__).parents[3] / "docs" / "samples" / "import"
PAGE = SAMPLES.parents[1] / "operators.md"


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_both_samples_say_the_same() -> None:
    rows = rows_of_file(SAMPLES / "fleet.json")

    assert rows == rows_of_file(SAMPLES / "fleet.csv")
    assert [len(row.ids) for row in rows] == [5, 1]
    assert (rows[0].flavor, rows[0].volume_size, len(rows[0].ports)) == ("2", 5, 2)


@pytest.mark.parametrize("name", ["fleet.json", "fleet.csv"])
def test_the_samples_show_every_field(name: str) -> None:
    text = (SAMPLES / name).read_text()

    assert all(field in text for field in Entry.__struct_fields__)


def test_every_sample_is_named_to_operators() -> None:
    page = PAGE.read_text()

    assert all(f"samples/import/{each.name}" in page for each in SAMPLES.iterdir())


def test_columns_of_csv_may_come_in_any_order_and_cells_may_be_empty(tmp_path: Path) -> None:
    path = written(tmp_path, "f.csv", "\ufeffserver,id,project,ports\r\ns-1,i-1,p-1, \r\n\r\n")

    assert rows_of_file(path) == (Row(id="i-1", project="p-1", server="s-1"),)


def test_an_empty_list_has_no_rows(tmp_path: Path) -> None:
    assert rows_of_file(written(tmp_path, "f.JSON", "[]")) == ()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("f.txt", "", "neither a .json nor a .csv"),
        ("f.json", "{}", "Expected `array`"),
        ("f.json", "[", "truncated"),
        ("f.json", '[{"id": "i"}]', "entry 1: Object missing required field"),
        ("f.json", '[{"id": "i", "project": "p", "server": "s", "disk": "d"}]', "field `disk`"),
        ("f.json", '[{"id": "i i", "project": "p", "server": "s"}]', "matching regex"),
        ("f.csv", "id,project\ni,p\n", "line 2: Object missing required field `server`"),
        ("f.csv", "id,project,server,disk\ni,p,s,d\n", "line 2: Object contains unknown field"),
        ("f.csv", "id,project,server\ni,p,s,d\n", "line 2 has more cells than the header"),
        ("f.csv", "id,project,server,volume_size\ni,p,s,much\n", "line 2: Expected `int | null`"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_place(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        rows_of_file(written(tmp_path, name, text))

    assert sentence in str(caught.value)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        rows_of_file(tmp_path / "none.csv")
