"""Resources that assets ask for: the night itself, and where its home is.

Nothing is touched before a run starts: the lock is taken when the resource is set up.
"""

from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from orchestration.clock import utc_now
from orchestration.night import Night

# The night that this process opened itself (the command line does), by its home.
_OPEN_NIGHTS: dict[str, Night] = {}


def lend_night(night: Night) -> None:
    """Let the runs of this process use a night that is open already."""
    _OPEN_NIGHTS[str(night.home.resolve())] = night


def take_back_night(night: Night) -> None:
    """End what `lend_night` began."""
    _OPEN_NIGHTS.pop(str(night.home.resolve()), None)


class HomeResource(dg.ConfigurableResource):
    """Where a programme's terms and state are. No lock, nothing opened."""

    workspace_path: str
    home: str

    @property
    def home_path(self) -> Path:
        """HOME as a path."""
        return Path(self.home)


class NightResource(dg.ConfigurableResource):
    """Holds the lock of the home for the length of a run.

    as_of: ISO date; empty means yesterday in the programme's zone.
    """

    workspace_path: str
    home: str
    as_of: str = ""

    _night: Night | None = PrivateAttr(default=None)
    _is_lent: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Adopt the open night of this process or open one. Raises: NightBusyError, TermsError."""
        home = Path(self.home)
        lent = _OPEN_NIGHTS.get(str(home.resolve()))
        self._is_lent = lent is not None
        self._night = lent or Night.open(
            Path(self.workspace_path),
            home,
            date.fromisoformat(self.as_of) if self.as_of else None,
            utc_now,
        )

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the lock back, unless the night belongs to the caller."""
        if self._night is not None and not self._is_lent:
            self._night.close()
        self._night = None

    @property
    def current(self) -> Night:
        """The open night."""
        if self._night is None:
            raise dg.DagsterInvariantViolationError("the night resource is used outside a run")
        return self._night
