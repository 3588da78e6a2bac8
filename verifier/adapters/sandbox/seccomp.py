"""The two system-call filters every sandboxed process runs under.

An allow-list by number whose default is ENOSYS, so that calls newer than this page look as if the
kernel lacked them, and a deny-list over arguments, which answers EPERM.  Both are stacked: the
stricter answer wins (seccomp(2)).  A foreign architecture, x32 included, is killed.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
from typing import Final

from verifier.errors import VerifierError

ARCHITECTURES: Final = ("x86_64", "aarch64")

AF_UNIX: Final = 1
TIOCSTI: Final = 0x5412
TIOCLINUX: Final = 0x541C
NAMESPACE_FLAGS: Final = (
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What computing, files, threads, timers and local sockets need.  No clone3: its flags lie in
# memory, where a filter cannot see them; libraries fall back to clone.
ALLOWED: Final = _words("""
    accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres
    clock_gettime clock_nanosleep clone close close_range connect copy_file_range creat dup dup2
    dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
    execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat
    fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
    fstatfs fsync ftruncate futex futimesat get_mempolicy get_robust_list get_thread_area getcpu
    getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid
    getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid
    getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch ioctl ioprio_get ioprio_set kill lchown lgetxattr link linkat
    listen listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise mbind membarrier
    memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget
    msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause
    pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl
    pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead readlink
    readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat
    renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
    sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
    set_mempolicy set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid
    setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid
    setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
    socket socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs
    sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
    timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink
    unlinkat utime utimensat utimes vfork vhangup wait4 waitid write writev
""")

# Known calls that a reproduction has no business with: ways out of the sandbox, into other
# processes, into the kernel's rarely used corners.  EPERM, so that refusal is told from absence.
DENIED: Final = _words("""
    acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init
    fanotify_mark finit_module fsconfig fsmount fsopen fspick init_module io_cancel io_destroy
    io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register io_uring_setup
    ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie memfd_secret migrate_pages
    modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
    open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root
    process_madvise process_mrelease process_vm_readv process_vm_writev ptrace quotactl
    quotactl_fd reboot request_key setdomainname sethostname setns settimeofday swapoff swapon
    syslog umount2 unshare uselib userfaultfd ustat vmsplice
""")


@functools.cache
def filters() -> tuple[bytes, bytes]:
    """Return the two compiled filters (allow-list, deny-list) as BPF programs.

    Compiled once per process.  VerifierError: libseccomp is missing, the architecture is not
    covered, or a filter came out empty.
    """
    if platform.machine() not in ARCHITECTURES:
        raise VerifierError(
            f"no system-call filter for {platform.machine()}",
            where="sandbox",
            hint=f"run on one of: {', '.join(ARCHITECTURES)}",
        )
    try:
        return _allow_list(), _deny_list()
    except (ImportError, RuntimeError, OSError) as error:
        raise VerifierError(
            f"the system-call filters cannot be compiled: {error}",
            where="sandbox",
            hint="install libseccomp (Debian: libseccomp2) and `pip install 'verifier[run]'`",
        ) from error


def _allow_list() -> bytes:
    import pyseccomp  # noqa: PLC0415 - optional extra; looking for the library takes 50 ms

    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, 2)  # a tree instead of 300 comparisons
    for name in ALLOWED + DENIED:
        number = _number(name)
        if number is not None:
            rules.add_rule(pyseccomp.ALLOW, number)
    return _export(rules)


def _deny_list() -> bytes:
    import pyseccomp  # noqa: PLC0415 - as above

    refuse = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in DENIED:
        number = _number(name)
        if number is not None:
            rules.add_rule(refuse, number)
    for name in ("socket", "socketpair"):
        rules.add_rule(refuse, name, pyseccomp.Arg(0, pyseccomp.NE, AF_UNIX))
    for flag in NAMESPACE_FLAGS:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    for request in (TIOCSTI, TIOCLINUX):  # the kernel looks at the low 32 bits only
        low = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request)
        rules.add_rule(refuse, "ioctl", low)
    return _export(rules)


def _number(name: str) -> int | None:
    """Return the number of a call here, or None where this architecture has no such call."""
    import pyseccomp  # noqa: PLC0415 - as above

    try:
        number = int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))
    except (OSError, ValueError):
        return None
    return number if number >= 0 else None


def _export(rules: object) -> bytes:
    descriptor = os.memfd_create("filter", os.MFD_CLOEXEC)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            rules.export_bpf(file)  # type: ignore[attr-defined]
        program = os.pread(descriptor, 1 << 20, 0)
    finally:
        os.close(descriptor)
    if not program or len(program) % 8:
        raise OSError(errno.EIO, "libseccomp exported an empty or broken filter")
    return program
