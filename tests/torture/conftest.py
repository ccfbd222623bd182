from pathlib import Path

import pytest

from tests.torture.runner import load_clips
from tests.torture.seed import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    folder: Path = tmp_path_factory.mktemp("clips")
    return load_clips(folder)
