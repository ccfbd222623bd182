"""Every row of docs/interop.md as a test. The selected rows run once, a few at a time, against one server."""

import pytest

from tests.interop.suite import Result, run
from tests.interop.table import FAULTS, ReaderRow, Row, rows

ROWS = {str(row): row for row in rows()}
Results = dict[str, Result]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Results:
    """The results of the rows that this run of pytest selected."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    selected = [row for name, row in ROWS.items() if any(each.get("name") == name for each in parameters)]
    return {str(result.row): result for result in run(selected)}


@pytest.mark.parametrize("name", ROWS)
def test_row(results: Results, name: str) -> None:
    result = results[name]
    if result.missing is not None:
        pytest.skip(f"{result.missing} is not installed")
    assert result.acceptable, f"{result.decoded}\n{result.decoded.log}"


def test_every_known_fault_is_of_a_row() -> None:
    assert set(FAULTS) <= {(row.reader.name, row.case) for row in ROWS.values() if isinstance(row, ReaderRow)}


def test_every_row_has_a_name_of_its_own() -> None:
    assert len(ROWS) == len(list[Row](rows()))
