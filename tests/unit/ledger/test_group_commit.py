"""Group commits: who waits together is written together, and a bad job harms nobody else."""

import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread

import pytest

from consumer.ledger.base import Unavailable
from consumer.ledger.sql.group_commit import GroupCommit
from consumer.telemetry.base import Silent


@dataclass
class Job:
    name: str
    weight: int = 1


class Commits(Silent):
    def __init__(self) -> None:
        self.rows: list[int] = []

    def committed(self, rows: int, seconds: float) -> None:
        assert seconds >= 0
        self.rows.append(rows)


class Disk:
    """Writes jobs; the first write waits until the test lets it go."""

    def __init__(self, *, stalls: bool = False) -> None:
        self.groups: list[list[str]] = []
        self.writing = threading.Event()
        self.go = threading.Event()
        if not stalls:
            self.go.set()

    def write(self, jobs: Sequence[Job]) -> Sequence[str]:
        names = [job.name for job in jobs]
        self.groups.append(names)
        self.writing.set()
        assert self.go.wait(10)
        if "lost" in names:
            raise Unavailable("the database went away")
        if "bad" in names:
            raise ValueError("bad row")
        return [name.upper() for name in names]


def stalled(disk: Disk, group: GroupCommit[Job], jobs: Sequence[Job]) -> list[object]:
    """Submit the jobs while a first one is being written; what became of each."""

    def submit(job: Job) -> object:
        try:
            return group.submit(job)
        except Exception as error:  # an outcome like any other
            return error

    with ThreadPoolExecutor(len(jobs) + 1) as pool:
        first = pool.submit(submit, Job("first"))
        assert disk.writing.wait(10)
        waiting = [pool.submit(submit, job) for job in jobs]
        while group.waiting < len(jobs):
            threading.Event().wait(0.001)
        disk.go.set()
        return [future.result(10) for future in (first, *waiting)]


def test_a_lone_job_is_written_at_once_without_a_thread() -> None:
    disk, commits = Disk(), Commits()
    before = threading.active_count()
    assert GroupCommit(disk.write, commits).submit(Job("a", weight=3)) == "A"
    assert (disk.groups, commits.rows, threading.active_count()) == ([["a"]], [3], before)


def test_what_comes_during_a_commit_goes_together_in_the_next() -> None:
    disk, commits = Disk(stalls=True), Commits()
    group = GroupCommit(disk.write, commits)
    results = stalled(disk, group, [Job(f"j{n}") for n in range(5)])
    assert results == ["FIRST", *(f"J{n}" for n in range(5))]
    assert [len(names) for names in disk.groups] == [1, 5]
    assert commits.rows == [1, 5]


def test_a_group_is_bounded_by_its_rows() -> None:
    disk = Disk(stalls=True)
    group = GroupCommit(disk.write, Silent())
    results = stalled(disk, group, [Job(f"j{n}", weight=90) for n in range(5)])
    assert len(results) == 6
    assert [len(names) for names in disk.groups] == [1, 2, 2, 1]


def test_one_bad_row_spoils_no_other() -> None:
    disk = Disk(stalls=True)
    group = GroupCommit(disk.write, Silent())
    first, good, bad, also = stalled(disk, group, [Job("good"), Job("bad"), Job("also")])
    assert (first, good, also) == ("FIRST", "GOOD", "ALSO")
    assert isinstance(bad, ValueError)


def test_when_the_database_goes_away_everybody_hears_it_and_nothing_is_tried_alone() -> None:
    disk = Disk(stalls=True)
    group = GroupCommit(disk.write, Silent())
    _, *others = stalled(disk, group, [Job("a"), Job("lost"), Job("b")])
    assert [type(other) for other in others] == [Unavailable] * 3
    assert len(disk.groups) == 2
    assert group.submit(Job("later")) == "LATER"


class Killed(BaseException):
    pass


def test_a_writer_that_is_interrupted_leaves_the_way_free() -> None:
    fatal = [Killed()]

    def write(jobs: Sequence[Job]) -> Sequence[str]:
        if fatal:
            raise fatal.pop()
        return ["ok" for _ in jobs]

    group = GroupCommit(write, Silent())
    with pytest.raises(Killed):
        group.submit(Job("a"))
    assert group.submit(Job("b")) == "ok"


def test_a_caller_that_is_interrupted_while_it_waits_does_not_keep_the_lead() -> None:
    disk = Disk(stalls=True)
    group = GroupCommit(disk.write, Silent())

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(group.submit, Job("a"))
        assert disk.writing.wait(10)
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(KeyboardInterrupt):
                group.submit(Job("b"))
        finally:
            signal.signal(signal.SIGALRM, before)
        disk.go.set()
        assert first.result(10) == "A"
    late = Thread(target=group.submit, args=(Job("c"),), daemon=True)
    late.start()
    late.join(10)

    assert disk.groups == [["a"], ["c"]]
