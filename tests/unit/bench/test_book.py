from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.book.__main__ import write
from bench.book.document import blocks, render_document, render_section
from bench.book.plots import draw
from bench.runner.results import Aim, Column, Plot, Row, Section, Series, Table, load, save
from bench.runner.terminal import show
from tests.lab.errors import LabError

SECTION = Section(
    name="density",
    title="Remux density",
    about="What was run.\n",
    command="python -m bench.density",
    tables=(
        Table(
            "Cost",
            (Column("server", "server"), Column("cpu", "CPU", "%", digits=1), Column("ratio", "ratio")),
            (
                Row({"server": "a|b", "cpu": 1.25, "ratio": None}, "python -m bench.density --only a"),
                Row({"server": "c", "cpu": 3}, "python -m bench.density --only c"),
            ),
        ),
    ),
    plots=(
        Plot("cpu", "CPU", "streams", "%", (Series("a", (1, 2), (0.5, 1.0)), Series("b", (1, 2), (1.5, 2)))),
        Plot("size", "Size", "what", "kB", (Series("a", ("x", "y"), (1.0, 2.0)),), kind="bars"),
    ),
    aims=(Aim("at most 1", "0.5", True), Aim("at least 2", "1", False), Aim("fast", "not measured", None)),
    notes=("srs: skipped",),
    machine={"processor": "2 x Z80", "Python": "3.11"},
    taken="2026-01-02T03:04:05+00:00",
)
WITHOUT_PLOTS = replace(SECTION, plots=())


def test_a_saved_section_loads_unchanged(tmp_path: Path) -> None:
    path = save(SECTION, tmp_path / "results" / "density.json")
    assert load(path) == SECTION


def test_an_unreadable_result_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "density.json"
    path.write_text('{"name": "density"}')
    with pytest.raises(LabError, match=r"density\.json cannot be read .* run the section again"):
        load(path)
    with pytest.raises(LabError, match="cannot be read"):
        load(tmp_path / "absent.json")


def test_a_section_is_rendered_as_markdown() -> None:
    assert (
        render_section(SECTION, "It could be better.\n")
        == """\
## Remux density

What was run.

| aim | measured |  |
| --- | --- | --- |
| at most 1 | 0.5 | met |
| at least 2 | 1 | missed |
| fast | not measured | not known |

### Cost

| server | CPU (%) | ratio | command |
| --- | --: | --: | --- |
| a\\|b | 1.2 | - | `python -m bench.density --only a` |
| c | 3 | - | `python -m bench.density --only c` |

![CPU](benchmarks/density-cpu.svg)
![Size](benchmarks/density-size.svg)

- srs: skipped

It could be better.

Taken 2026-01-02 by `python -m bench.density`. Machine: processor 2 x Z80, Python 3.11."""
    )


def test_a_section_is_printed_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(SECTION)
    output = capsys.readouterr().out
    assert "a|b" in output
    assert "aim: at least 2; measured: 1; missed" in output
    assert "srs: skipped" in output


def test_sections_are_in_order_and_can_be_parsed() -> None:
    texts = {"zebra": "## Z", "growth": "## G", "density": "## D\n\n| a |"}
    document = render_document(texts)
    assert blocks(document) == texts
    assert list(blocks(document)) == ["density", "growth", "zebra"]


def test_the_aims_of_all_sections_come_first() -> None:
    texts = {"density": render_section(SECTION), "store": "## Store\n\nNo aims."}
    opening = render_document(texts).partition("<!--")[0]
    assert opening.endswith(
        """\
| section | aim | measured |  |
| --- | --- | --- | --- |
| [Remux density](#remux-density) | at most 1 | 0.5 | met |
|  | at least 2 | 1 | missed |
|  | fast | not measured | not known |

"""
    )


def test_a_section_without_a_new_result_is_unchanged(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    save(WITHOUT_PLOTS, results / "density.json")
    write(results, docs, tmp_path / "notes")
    (results / "density.json").unlink()
    save(replace(WITHOUT_PLOTS, name="store", title="Store"), results / "store.json")
    book = write(results, docs, tmp_path / "notes")
    found = blocks(book.read_text())
    assert list(found) == ["density", "store"]
    assert found["density"] == render_section(WITHOUT_PLOTS)
    assert book.read_text() == write(results, docs, tmp_path / "notes").read_text()


def test_a_book_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="run a section first"):
        write(tmp_path, tmp_path / "docs")


def test_the_same_figures_give_the_same_plot(tmp_path: Path) -> None:
    if find_spec("matplotlib") is None:
        with pytest.raises(LabError, match="not installed"):
            draw(SECTION, tmp_path)
        return
    stale = tmp_path / "density-old.svg"
    stale.touch()
    draw(SECTION, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(first) == ["density-cpu.svg", "density-size.svg"]
    assert b"streams" in first["density-cpu.svg"]
    draw(SECTION, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
