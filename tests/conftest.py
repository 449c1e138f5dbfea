"""What all tests share: nobody's settings leak in, markers hold, coverage of killed servers does not matter."""

import os
import shutil
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("roost.testing.contracts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what this machine cannot do."""
    reasons = {
        "root": "" if os.geteuid() == 0 else "needs root",
        "browser": "" if _chromium() else "needs chromium",
    }
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No ROOST_ variable and no data directory of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith("ROOST_") and not name.startswith("ROOST_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "no-data-of-yours"))
    yield


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
