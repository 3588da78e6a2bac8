"""From the harness to the sandboxed program: two forks, each tied to the life of the one before.

    runner -> launcher -> init, first process of a new process namespace -> bubblewrap -> program

Whoever ends init ends everything by the kernel's own rule, and the descriptor of init becomes
readable only when every process of the namespace is gone (pid_namespaces(7)).  If the harness is
killed, the kernel kills the launcher, then init (prctl(2), PR_SET_PDEATHSIG).
"""

# Runs between fork and exec, where plain system calls are what one can reason about.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from verifier.adapters.sandbox import bubblewrap, kernel, staging
from verifier.documents.limits import Limits
from verifier.errors import VerifierError
from verifier.ports import SandboxOrder

OVERHEAD: Final = 2  # bubblewrap's own two processes count too
OPEN_FILES: Final = 4096
_STATUS, _ARGS, _ALLOW, _DENY = 3, 4, 5, 6
_HIGH: Final = 32
_MEBIBYTE: Final = 1 << 20
_LIMITS_PER_NAMESPACE: Final = (5, 14)  # Linux: RLIMIT_NPROC counted for each user namespace

# Kinds of messages to the runner; those marked * carry a descriptor.
INIT: Final = b"I"  # * of init
READY: Final = b"R"  # * of the output folder
FAILED: Final = b"F"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a launch needs, decided by the runner before it forks."""

    order: SandboxOrder
    bwrap: str
    filters: tuple[bytes, bytes]
    entrances: tuple[str, ...]
    user_id: int
    stdout: int
    stderr: int
    status: int
    runner: socket.socket


def counts_processes() -> bool:
    """Tell whether RLIMIT_NPROC here counts the sandbox's processes and no others."""
    return kernel.release() >= _LIMITS_PER_NAMESPACE


def check_own_limits(limits: Limits) -> None:
    """Raise a VerifierError where this process's own limits are below those of an order.

    A program inherits them, and would be blamed for what we may not do.
    """
    needed = (
        ("f", "file size", resource.RLIMIT_FSIZE, _largest_file(limits)),
        ("v", "address space", resource.RLIMIT_AS, limits.memory_bytes),
        ("d", "data", resource.RLIMIT_DATA, limits.memory_bytes),
        ("t", "CPU seconds", resource.RLIMIT_CPU, limits.wall_s),
    )
    for option, name, kind, least in needed:
        own = resource.getrlimit(kind)[0]
        if own != resource.RLIM_INFINITY and own < least:
            raise VerifierError(
                f"the limit on {name} of this process is {own}, a trial may need {least:.0f}",
                where="sandbox",
                hint=f"raise it (ulimit -{option} unlimited) and start again",
            )


def launch(plan: Plan) -> int:
    """Fork the launcher; return its process id.  It reports to `plan.runner`."""
    runner_id = os.getpid()
    child = os.fork()
    if child == 0:
        _child(plan, lambda: _be_launcher(plan, runner_id))
    return child


def _child(plan: Plan, work: Callable[[], None]) -> NoReturn:
    """Run `work` in a fresh child and end there, whatever happens."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        work()
        code = 0
    except VerifierError as error:
        _report(plan, error.problem, error.where, error.hint)
    except OSError as error:
        _report(plan, str(error), "sandbox", "run `verify doctor` to see what is missing")
    except BaseException as error:  # noqa: BLE001 - a child must never return into the harness
        _report(plan, f"{type(error).__name__}: {error}", "sandbox", "report this as a bug")
    finally:
        os._exit(code)


def _report(plan: Plan, problem: str, where: str, hint: str) -> None:
    body = json.dumps({"problem": problem[:2000], "where": where[:500], "hint": hint[:500]})
    plan.runner.sendall(FAILED + body.encode())


def _be_launcher(plan: Plan, runner_id: int) -> None:
    """Make the process namespace, start its init, tell the runner, wait."""
    kernel.die_with_parent()
    if os.getppid() != runner_id:
        return
    os.setsid()
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        kernel.unshare(kernel.CLONE_NEWPID)
    else:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID)
        be_nobody(user, group)
        kernel.die_with_parent()
    alive, held = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(held)
        _child(plan, lambda: _be_init(plan, alive, as_root=user == 0))
    os.close(alive)
    descriptor = os.pidfd_open(child)
    socket.send_fds(plan.runner, [INIT], [descriptor])
    os.close(descriptor)
    plan.runner.close()
    for number in (plan.stdout, plan.stderr, plan.status):
        os.close(number)
    os.waitpid(child, 0)


def _be_init(plan: Plan, alive: int, *, as_root: bool) -> None:
    """Stage, drop every right, become bubblewrap."""
    _stay_tied(alive)
    os.setsid()
    for entrance in plan.entrances:
        with open(entrance, "w") as file:
            file.write("0")
    kernel.unshare(kernel.CLONE_NEWNS)
    output = above(staging.lay_out(plan.order, plan.user_id if as_root else None))
    if as_root:
        _drop(plan.user_id)
    _stay_tied(alive)
    _limit(plan, as_root=as_root)
    argv = _arrange(plan)
    socket.send_fds(plan.runner, [READY], [output])
    os.chdir("/")
    os.execve(plan.bwrap, argv, {})  # noqa: S606 - no shell is the point


def _stay_tied(alive: int) -> None:
    """Die with the launcher, also if it has died already: then its end of the pipe is closed."""
    kernel.die_with_parent()
    poll = select.poll()
    poll.register(alive, 0)
    if poll.poll(0):
        os._exit(1)


def _drop(user_id: int) -> None:
    """From root to an unprivileged id that nothing else has, and that the sandbox cannot see."""
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    kernel.unshare(kernel.CLONE_NEWUSER)
    be_nobody(user_id, user_id)


def be_nobody(user: int, group: int) -> None:
    """Map our one id to nobody's in the user namespace just made; user_namespaces(7)."""
    kernel.own_proc_files()
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{bubblewrap.NOBODY} {user} 1"),
        ("gid_map", f"{bubblewrap.NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _largest_file(limits: Limits) -> int:
    return max(limits.output_bytes, limits.tmp_bytes, limits.shm_bytes) + _MEBIBYTE


def _limit(plan: Plan, *, as_root: bool) -> None:
    """Set the limits that exec and fork pass on, and that the program cannot raise."""
    limits = plan.order.limits
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: _largest_file(limits),
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_STACK: 8 * _MEBIBYTE,
        resource.RLIMIT_MEMLOCK: _MEBIBYTE,
        resource.RLIMIT_MSGQUEUE: _MEBIBYTE,
    }
    if as_root or counts_processes():
        # Without root the launcher has entered the user namespace, and is counted there.
        wanted[resource.RLIMIT_NPROC] = limits.processes + OVERHEAD + (0 if as_root else 1)
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def _arrange(plan: Plan) -> list[str]:
    """Put bubblewrap's descriptors where it expects them and close all others on exec."""
    has_environment = plan.order.environment is not None
    words = bubblewrap.options(
        staging.STAGE,
        read_only=staging.read_only(plan.order),
        threads=plan.order.threads,
        status_fd=_STATUS,
        filter_fds=(_ALLOW, _DENY),
    )
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    sources = [null, plan.stdout, plan.stderr, plan.status]
    sources += [_memory(data) for data in (bubblewrap.packed(words), *plan.filters)]
    high = [above(descriptor) for descriptor in sources]
    # Nothing of ours may stay open across exec, whatever flags it was opened with.
    for name in os.listdir("/proc/self/fd"):
        if int(name) > _DENY:
            _close_on_exec(int(name))
    for target, source in enumerate(high):
        os.dup2(source, target, inheritable=True)
    command = bubblewrap.command(plan.order.argv, environment=has_environment)
    return ["bwrap", "--args", str(_ARGS), "--", *command]


def above(descriptor: int) -> int:
    """Return a copy of a descriptor out of the way of those bubblewrap gets."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)


def _close_on_exec(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # the one that listed the folder is closed already
        os.set_inheritable(descriptor, False)


def _memory(data: bytes) -> int:
    """Return a descriptor from which `data` can be read once, from its beginning."""
    descriptor = os.memfd_create("sandbox", os.MFD_CLOEXEC)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
