"""A section's plots as SVG. The same figures give the same file, so plots can be kept in version control."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.runner.results import Plot, Section
from tests.lab.errors import LabError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (7.0, 3.6)
BAR_SPACE = 0.8
STYLE = {
    "svg.hashsalt": "headwater",
    # Text stays text, which is smaller than outlines and can be searched.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def draw(section: Section, directory: Path) -> None:
    """Write each plot to ``directory``/SECTION-PLOT.svg and remove the section's old plots.

    Raises LabError if matplotlib is not installed.
    """
    for old in directory.glob(f"{section.name}-*.svg"):
        old.unlink()
    for plot in section.plots:
        _draw(plot, directory / f"{section.name}-{plot.name}.svg")


def _draw(plot: Plot, path: Path) -> None:
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LabError("matplotlib is not installed: make .venv/.bench installs it") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        axes = figure.subplots()
        if plot.kind == "bars":
            _bars(axes, plot)
        else:
            for series in plot.series:
                axes.plot(series.x, series.y, marker="o", markersize=4, label=series.name)
        axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
        if plot.log_x:
            axes.set_xscale("log")
        if plot.log_y:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        if len(plot.series) > 1:
            axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _bars(axes: "Axes", plot: Plot) -> None:
    """One group of bars per x, with one bar per series."""
    groups = list(dict.fromkeys(str(x) for series in plot.series for x in series.x))
    width = BAR_SPACE / max(1, len(plot.series))
    for place, series in enumerate(plot.series):
        shift = (place - (len(plot.series) - 1) / 2) * width
        axes.bar([groups.index(str(x)) + shift for x in series.x], series.y, width, label=series.name)
    axes.set_xticks(range(len(groups)), groups)
