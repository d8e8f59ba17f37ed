package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.IOException;
import java.lang.foreign.Linker;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares offsets, sizes and constants in our classes with those that a C compiler finds in the
 * headers: of this machine, and with a cross compiler of the other processor. Constants that these
 * headers do not have yet are left out, and must be few.
 */
@SameOnEveryKernel
@Needs(programs = "gcc")
@Timeout(60)
class StructLayoutTest {
    private static final int NAME = 56; // bytes, with a NUL
    private static final String SECTION = ".holdfast";

    private static final String HEADERS =
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <poll.h>
            #include <sched.h>
            #include <signal.h>
            #include <spawn.h>
            #include <stddef.h>
            #include <stdio.h>
            #include <linux/magic.h>
            #include <sys/epoll.h>
            #include <sys/ioctl.h>
            #include <sys/prctl.h>
            #include <sys/resource.h>
            #include <sys/socket.h>
            #include <sys/stat.h>
            #include <sys/statfs.h>
            #include <sys/syscall.h>
            #include <sys/uio.h>
            #include <sys/un.h>
            #include <sys/wait.h>
            #define _LINUX_FCNTL_H // the kernel's, which clashes with libc's
            #include <linux/pidfd.h>
            """;

    /** {@code Class.CONSTANT}, and the C expression for it. */
    private static final Map<String, String> IN_C = new LinkedHashMap<>();

    static {
        IN_C.put("SysEpoll.EVENT_SIZE", "sizeof(struct epoll_event)");
        IN_C.put("SysEpoll.EVENTS", "offsetof(struct epoll_event, events)");
        IN_C.put("SysEpoll.DATA", "offsetof(struct epoll_event, data)");
        IN_C.put("SysEpoll.CTL_ADD", "EPOLL_CTL_ADD");
        IN_C.put("SysEpoll.CTL_DEL", "EPOLL_CTL_DEL");
        IN_C.put("SysEpoll.CTL_MOD", "EPOLL_CTL_MOD");
        IN_C.put("SysEpoll.EPOLLONESHOT", "(int) EPOLLONESHOT");
        for (String event : new String[] {"IN", "PRI", "OUT", "ERR", "HUP", "RDHUP"}) {
            IN_C.put("Readiness." + event, "EPOLL" + event);
        }
        IN_C.put("SysPoll.FD", "offsetof(struct pollfd, fd)");
        IN_C.put("SysPoll.EVENTS", "offsetof(struct pollfd, events)");
        IN_C.put("SysPoll.REVENTS", "offsetof(struct pollfd, revents)");
        IN_C.put("SysPoll.POLLFD_SIZE", "sizeof(struct pollfd)");
        IN_C.put("SysPoll.POLLNVAL", "POLLNVAL");
        IN_C.put("SysPoll.TV_SEC", "offsetof(struct timespec, tv_sec)");
        IN_C.put("SysPoll.TV_NSEC", "offsetof(struct timespec, tv_nsec)");

        for (String flag :
                new String[] {
                    "RDONLY",
                    "WRONLY",
                    "RDWR",
                    "CREAT",
                    "EXCL",
                    "NOCTTY",
                    "TRUNC",
                    "APPEND",
                    "NONBLOCK",
                    "CLOEXEC",
                    "PATH",
                    "DIRECTORY",
                    "NOFOLLOW"
                }) {
            IN_C.put("Fcntl.O_" + flag, "O_" + flag);
        }
        IN_C.put("Fcntl.AT_FDCWD", "AT_FDCWD");
        IN_C.put("Fcntl.F_GETFL", "F_GETFL");
        IN_C.put("Fcntl.F_SETFL", "F_SETFL");
        IN_C.put("Fcntl.F_DUPFD_CLOEXEC", "F_DUPFD_CLOEXEC");

        IN_C.put("SysStat.PID_FS_MAGIC", "PID_FS_MAGIC");
        IN_C.put("SysStat.CGROUP2_SUPER_MAGIC", "CGROUP2_SUPER_MAGIC");
        IN_C.put("SysStat.AT_EMPTY_PATH", "AT_EMPTY_PATH");
        IN_C.put("SysStat.AT_REMOVEDIR", "AT_REMOVEDIR");
        IN_C.put("SysStat.STATX_BASIC_STATS", "STATX_BASIC_STATS");
        for (String field : new String[] {"UID", "GID", "MODE", "INO", "DEV_MAJOR", "DEV_MINOR"}) {
            String name = "stx_" + field.toLowerCase(java.util.Locale.ROOT);
            IN_C.put("SysStat.STX_" + field, "offsetof(struct statx, " + name + ")");
        }
        IN_C.put("SysStat.HANDLE_BYTES", "offsetof(struct file_handle, handle_bytes)");
        IN_C.put("SysStat.HANDLE_TYPE", "offsetof(struct file_handle, handle_type)");
        IN_C.put("SysStat.F_HANDLE", "offsetof(struct file_handle, f_handle)");

        for (String option : new String[] {"WNOHANG", "WEXITED", "WNOWAIT"}) {
            IN_C.put("SysWait." + option, option);
        }
        for (String code : new String[] {"EXITED", "KILLED", "DUMPED"}) {
            IN_C.put("SysWait.CLD_" + code, "CLD_" + code);
        }
        IN_C.put("SysWait.P_PIDFD", "P_PIDFD");
        IN_C.put("SysWait.SIGINFO_SIZE", "sizeof(siginfo_t)");
        IN_C.put("SysWait.WAITID_CALL", "SYS_waitid");
        IN_C.put("Rusage.UTIME", "offsetof(struct rusage, ru_utime) / sizeof(long)");
        IN_C.put("Rusage.STIME", "offsetof(struct rusage, ru_stime) / sizeof(long)");
        for (String field :
                List.of("MAXRSS", "MINFLT", "MAJFLT", "INBLOCK", "OUBLOCK", "NVCSW", "NIVCSW")) {
            String inStruct = "ru_" + field.toLowerCase(Locale.ROOT);
            IN_C.put("Rusage." + field, "offsetof(struct rusage, " + inStruct + ") / sizeof(long)");
        }
        IN_C.put("Rusage.WORDS", "sizeof(struct rusage) / sizeof(long)");
        IN_C.put("SysUio.RWF_NOWAIT", "RWF_NOWAIT");
        IN_C.put("SysUio.IOV_BASE", "offsetof(struct iovec, iov_base)");
        IN_C.put("SysUio.IOV_LEN", "offsetof(struct iovec, iov_len)");
        IN_C.put("SysUio.IOV_SIZE", "sizeof(struct iovec)");
        for (String request :
                List.of("FIONREAD", "TIOCGWINSZ", "TIOCSWINSZ", "TIOCGPTN", "TIOCSPTLCK")) {
            IN_C.put("SysIoctl." + request, "(int) " + request);
        }
        IN_C.put("SysIoctl.TIOCGPTPEER", "(int) TIOCGPTPEER");
        IN_C.put("SysIoctl.WS_ROW", "offsetof(struct winsize, ws_row)");
        IN_C.put("SysIoctl.WS_COL", "offsetof(struct winsize, ws_col)");
        IN_C.put("SysIoctl.WS_PIXELS", "offsetof(struct winsize, ws_xpixel)");
        IN_C.put("SysWait.ALL", "__WALL");
        IN_C.put("SysWait.SI_CODE", "offsetof(siginfo_t, si_code)");
        IN_C.put("SysWait.SI_PID", "offsetof(siginfo_t, si_pid)");
        IN_C.put("SysWait.SI_STATUS", "offsetof(siginfo_t, si_status)");

        IN_C.put("SysPidfd.SI_SIGNO", "offsetof(siginfo_t, si_signo)");
        IN_C.put("SysPidfd.SI_ERRNO", "offsetof(siginfo_t, si_errno)");
        IN_C.put("SysPidfd.SI_CODE", "offsetof(siginfo_t, si_code)");
        IN_C.put("SysPidfd.SI_PID", "offsetof(siginfo_t, si_pid)");
        IN_C.put("SysPidfd.SI_UID", "offsetof(siginfo_t, si_uid)");
        IN_C.put("SysPidfd.SI_VALUE", "offsetof(siginfo_t, si_value)");
        IN_C.put("SysPidfd.SIGINFO_SIZE", "sizeof(siginfo_t)");
        IN_C.put("SysPidfd.SI_QUEUE", "SI_QUEUE");
        IN_C.put("SysPidfd.NR_PIDFD_SEND_SIGNAL", "SYS_pidfd_send_signal");
        IN_C.put("SysPidfd.NR_PIDFD_OPEN", "SYS_pidfd_open");
        IN_C.put("SysPidfd.NR_PIDFD_GETFD", "SYS_pidfd_getfd");
        IN_C.put("SysPidfd.PIDFD_THREAD", "PIDFD_THREAD");
        IN_C.put("SysPidfd.PIDFD_NONBLOCK", "PIDFD_NONBLOCK");
        IN_C.put("SysPidfd.PIDFD_SIGNAL_THREAD", "PIDFD_SIGNAL_THREAD");
        IN_C.put("SysPidfd.PIDFD_SIGNAL_THREAD_GROUP", "PIDFD_SIGNAL_THREAD_GROUP");
        IN_C.put("SysPidfd.PIDFD_SIGNAL_PROCESS_GROUP", "PIDFD_SIGNAL_PROCESS_GROUP");
        IN_C.put("SysPidfd.PIDFD_IOCTL", "PIDFD_GET_CGROUP_NAMESPACE - 1");

        IN_C.put("MsgHdr.NAME", "offsetof(struct msghdr, msg_name)");
        IN_C.put("MsgHdr.NAMELEN", "offsetof(struct msghdr, msg_namelen)");
        IN_C.put("MsgHdr.IOV", "offsetof(struct msghdr, msg_iov)");
        IN_C.put("MsgHdr.IOVLEN", "offsetof(struct msghdr, msg_iovlen)");
        IN_C.put("MsgHdr.CONTROL", "offsetof(struct msghdr, msg_control)");
        IN_C.put("MsgHdr.CONTROLLEN", "offsetof(struct msghdr, msg_controllen)");
        IN_C.put("MsgHdr.FLAGS", "offsetof(struct msghdr, msg_flags)");
        IN_C.put("MsgHdr.MSGHDR_SIZE", "sizeof(struct msghdr)");
        IN_C.put("MsgHdr.CMSG_LEN", "offsetof(struct cmsghdr, cmsg_len)");
        IN_C.put("MsgHdr.CMSG_LEVEL", "offsetof(struct cmsghdr, cmsg_level)");
        IN_C.put("MsgHdr.CMSG_TYPE", "offsetof(struct cmsghdr, cmsg_type)");
        IN_C.put("MsgHdr.CMSG_DATA", "CMSG_LEN(0)");
        IN_C.put("Ucred.SIZE", "sizeof(struct ucred)");
        IN_C.put("UnixName.SIZE", "sizeof(struct sockaddr_un)");
        IN_C.put("UnixName.PATH", "offsetof(struct sockaddr_un, sun_path)");
        IN_C.put("UnixName.MAX", "sizeof(((struct sockaddr_un *) 0)->sun_path)");
        IN_C.put("UnixName.AF_UNIX", "AF_UNIX");

        for (String name :
                new String[] {
                    "SOCK_STREAM",
                    "SOCK_DGRAM",
                    "SOCK_SEQPACKET",
                    "SOCK_NONBLOCK",
                    "SOCK_CLOEXEC",
                    "SOL_SOCKET",
                    "SO_TYPE",
                    "SO_ERROR",
                    "SO_SNDBUF",
                    "SO_RCVBUF",
                    "SO_PASSCRED",
                    "SO_PEERCRED",
                    "SO_ACCEPTCONN",
                    "SO_PEERSEC",
                    "SO_DOMAIN",
                    "SO_PEERGROUPS",
                    "SO_PASSPIDFD",
                    "SO_PEERPIDFD",
                    "SCM_RIGHTS",
                    "SCM_CREDENTIALS",
                    "SCM_PIDFD",
                    "MSG_CTRUNC",
                    "MSG_PEEK",
                    "MSG_TRUNC",
                    "MSG_DONTWAIT",
                    "MSG_NOSIGNAL",
                    "MSG_CMSG_CLOEXEC",
                    "SHUT_RD",
                    "SHUT_WR",
                    "SHUT_RDWR",
                    "AF_UNIX"
                }) {
            IN_C.put("SysSocket." + name, name);
        }

        IN_C.put("PosixSpawn.SETPGROUP", "POSIX_SPAWN_SETPGROUP");
        IN_C.put("PosixSpawn.SETSIGDEF", "POSIX_SPAWN_SETSIGDEF");
        IN_C.put("PosixSpawn.SETSIGMASK", "POSIX_SPAWN_SETSIGMASK");
        IN_C.put("PosixSpawn.SETSID", "POSIX_SPAWN_SETSID");
        IN_C.put("PosixSpawn.SETCGROUP", "POSIX_SPAWN_SETCGROUP");
        IN_C.put("PosixSpawn.ATTR_SIZE", "sizeof(posix_spawnattr_t)");
        IN_C.put("PosixSpawn.ACTIONS_SIZE", "sizeof(posix_spawn_file_actions_t)");
        IN_C.put("PosixSpawn.SIGSET_SIZE", "sizeof(sigset_t)");
        IN_C.put("SysPrctl.PR_SET_CHILD_SUBREAPER", "PR_SET_CHILD_SUBREAPER");
        IN_C.put("SysPrctl.PR_GET_CHILD_SUBREAPER", "PR_GET_CHILD_SUBREAPER");
        IN_C.put("ThreadAttributes.CLONE_FS", "CLONE_FS");
        IN_C.put("ThreadAttributes.PRIO_PROCESS", "PRIO_PROCESS");
        IN_C.put("ThreadAttributes.PR_SET_NO_NEW_PRIVS", "PR_SET_NO_NEW_PRIVS");
        IN_C.put("SignalDispositions.SIG_DFL", "(long) SIG_DFL");
        IN_C.put("SignalDispositions.SIG_IGN", "(long) SIG_IGN");
        IN_C.put("SignalDispositions.SIG_BLOCK", "SIG_BLOCK");

        for (String field :
                new String[] {
                    "MASK",
                    "CGROUPID",
                    "PID",
                    "TGID",
                    "PPID",
                    "RUID",
                    "RGID",
                    "EUID",
                    "EGID",
                    "SUID",
                    "SGID",
                    "FSUID",
                    "FSGID",
                    "EXIT_CODE",
                    "COREDUMP_MASK"
                }) {
            String name = field.toLowerCase(java.util.Locale.ROOT);
            IN_C.put("PidfdInfo." + field, "PIDFD offsetof(struct pidfd_info, " + name + ")");
        }
        for (Field field : Errno.class.getFields()) {
            IN_C.put("Errno." + field.getName(), field.getName());
        }
        for (Field field : Signal.class.getFields()) {
            IN_C.put("Signal." + field.getName(), "SIG" + field.getName());
        }
    }

    /** Headers before Linux 6.13 have no pidfd_info, headers before 6.5 no SO_PEERPIDFD… */
    private static String program() {
        StringBuilder code =
                new StringBuilder(HEADERS)
                        .append("const struct { char name[%d]; long long value; } ".formatted(NAME))
                        .append(
                                "table[] __attribute__((section(\"%s\"))) = {\n"
                                        .formatted(SECTION));
        IN_C.forEach((name, expression) -> {
            boolean isMacro =
                    expression.matches("[A-Z][A-Z0-9_]+")
                            && !expression.equals("P_PIDFD")
                            && !expression.startsWith("CLD_")
                            && !expression.startsWith("SCM_")
                            && !expression.startsWith("SHUT_")
                            && !expression.startsWith("SOCK_")
                            && !expression.startsWith("MSG_")
                            && !expression.startsWith("PRIO_");
            boolean isOfInfo = expression.startsWith("PIDFD offsetof");
            if (isMacro) {
                code.append("#ifdef ").append(expression).append('\n');
            } else if (isOfInfo) {
                code.append("#ifdef PIDFD_GET_INFO\n");
            } else if (expression.equals("SCM_PIDFD")) {
                code.append("#ifdef SO_PEERPIDFD\n");
            }
            code.append(
                    "{\"%s\", (long long) (%s)},\n"
                            .formatted(name, isOfInfo ? expression.substring(6) : expression));
            if (isMacro || isOfInfo || expression.equals("SCM_PIDFD")) {
                code.append("#endif\n");
            }
        });
        return code.append("};\n").toString();
    }

    /** Reads the table from the object file, since a program for ARM could not run here. */
    private static Map<String, Long> askC(Path folder, String prefix) throws Exception {
        Path source = Files.writeString(folder.resolve("layout.c"), program());
        Path object = folder.resolve("layout.o");
        Path table = folder.resolve("table");
        run(prefix + "gcc", "-w", "-c", "-o", object.toString(), source.toString());
        run(
                prefix + "objcopy",
                "--dump-section",
                SECTION + "=" + table,
                object.toString(),
                folder.resolve("rest.o").toString());
        ByteBuffer bytes =
                ByteBuffer.wrap(Files.readAllBytes(table)).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, Long> values = new HashMap<>();
        byte[] name = new byte[NAME];
        while (bytes.hasRemaining()) {
            bytes.get(name);
            values.put(new String(name, StandardCharsets.UTF_8).trim(), bytes.getLong());
        }
        return values;
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    private static final List<String> PACKAGES =
            List.of(
                    "io.holdfast.core.sys.",
                    "io.holdfast.core.sys.process.",
                    "io.holdfast.core.sys.socket.",
                    "io.holdfast.core.wait.",
                    "io.holdfast.core.");

    private static Class<?> find(String simpleName) throws ClassNotFoundException {
        for (String each : PACKAGES) {
            try {
                return Class.forName(each + simpleName);
            } catch (ClassNotFoundException e) {
                // the class is in another package
            }
        }
        throw new ClassNotFoundException(simpleName);
    }

    /** The value of a constant of a binding class, public or not. */
    private static long ours(String name) throws ReflectiveOperationException {
        String[] words = name.split("\\.");
        Field field = find(words[0]).getDeclaredField(words[1]);
        field.setAccessible(true);
        Object value = field.get(null);
        return value instanceof Signal signal ? signal.number() : ((Number) value).longValue();
    }

    /** Runs in another JVM: prints our constants for a processor. */
    static final class Constants {
        private Constants() {}

        public static void main(String[] arguments) throws ReflectiveOperationException {
            Linker _ = Linker.nativeLinker(); // reads os.arch before it is changed
            System.setProperty("os.arch", arguments[0]);
            for (String name : IN_C.keySet()) {
                System.out.println(name + " " + ours(name));
            }
        }
    }

    private static Map<String, Long> askJava(String processor) {
        ChildJvm.Result result = ChildJvm.run(List.of(), Constants.class, processor);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output()
                .lines()
                .map(line -> line.split(" "))
                .collect(Collectors.toMap(words -> words[0], words -> Long.parseLong(words[1])));
    }

    private static void assertAgree(Map<String, Long> inJava, Map<String, Long> inC) {
        inJava.keySet().retainAll(inC.keySet());
        assertThat(inJava).isEqualTo(inC);
        assertThat(inC).hasSizeGreaterThan(IN_C.size() - 30);
    }

    @Test
    void everyConstantIsWhatTheHeadersSay(@TempDir Path folder) throws Exception {
        Map<String, Long> inJava = new HashMap<>();
        for (String name : IN_C.keySet()) {
            inJava.put(name, ours(name));
        }
        assertAgree(inJava, askC(folder, ""));
    }

    @Test
    @Needs(programs = {"aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objcopy"})
    void everyConstantForArmIsWhatItsHeadersSay(@TempDir Path folder) throws Exception {
        assertAgree(askJava("aarch64"), askC(folder, "aarch64-linux-gnu-"));
    }

    @Test
    @Needs(programs = {"x86_64-linux-gnu-gcc", "x86_64-linux-gnu-objcopy"})
    void everyConstantForX86IsWhatItsHeadersSay(@TempDir Path folder) throws Exception {
        assertAgree(askJava("amd64"), askC(folder, "x86_64-linux-gnu-"));
    }
}
