package io.holdfast.manager.seccomp;

import static io.holdfast.manager.seccomp.Libseccomp.ALLOW;
import static io.holdfast.manager.seccomp.Libseccomp.ERRNO;
import static io.holdfast.manager.seccomp.Libseccomp.KILL_PROCESS;
import static io.holdfast.manager.seccomp.Libseccomp.LOG;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.manager.seccomp.Libseccomp.Comparison;
import io.holdfast.manager.seccomp.Libseccomp.Condition;
import io.holdfast.manager.seccomp.Libseccomp.Filter;
import io.holdfast.manager.unit.host.Architecture;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SystemCallSettings;
import io.holdfast.manager.unit.settings.SystemCallSettings.Families;
import io.holdfast.manager.unit.value.SystemCallGroups;
import io.holdfast.manager.unit.value.SystemCallList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The rules of the directives that restrict system calls, as systemd.exec(5) describes them; the
 * calls and arguments are those that systemd 257 refuses.
 *
 * <p>Each directive is one program for each architecture. The kernel asks all programs and takes
 * the most severe answer, and of equal ones that of the program that was installed last. That is
 * the filter of the unit, as with systemd: it may forbid to install more.
 */
final class SystemCallRules {
    // linux/sched.h
    private static final long SCHED_FIFO = 1;
    private static final long SCHED_RR = 2;
    private static final long SCHED_IDLE = 5;
    private static final long UNUSED_POLICY = 4;

    // sys/mman.h, sys/shm.h
    private static final long PROT_WRITE = 2;
    private static final long PROT_EXEC = 4;
    private static final long SHM_EXEC = 0100_000;

    // fcntl.h, sys/stat.h
    private static final long O_CREAT = 0100;
    private static final long S_ISUID = 04000;
    private static final long S_ISGID = 02000;

    private static final Set<Flag> MOUNTS_ONLY =
            EnumSet.of(
                    Flag.PRIVATE_NETWORK,
                    Flag.PRIVATE_IPC,
                    Flag.PRIVATE_MOUNTS,
                    Flag.PROTECT_CONTROL_GROUPS,
                    Flag.PRIVATE_HOSTNAME,
                    Flag.BIND_LOG_SOCKETS);

    /** With systemd no list forbids it, since a process reports with it that it executes. */
    private static final String ALWAYS_PERMITTED = "write";

    private static final long PER_LINUX = 0;
    private static final int EAFNOSUPPORT = 97;
    private static final int EPERM = ERRNO + Errno.EPERM;
    private static final int ENOSYS = ERRNO + Errno.ENOSYS;

    private final Libseccomp library;
    private final SandboxSettings sandbox;
    private final SystemCallSettings wanted;
    private final List<Architecture> machine;
    private final List<byte[]> programs = new ArrayList<>();

    private SystemCallRules(SandboxSettings sandbox, List<Architecture> machine) {
        this.library = Libseccomp.load();
        this.sandbox = sandbox;
        this.wanted = sandbox.systemCalls();
        this.machine = List.copyOf(machine);
    }

    /**
     * {@return the programs of these settings, in the order in which they are installed; none if
     * they restrict no system call}
     *
     * @throws io.holdfast.core.ErrnoException ENOENT if libseccomp is not installed
     */
    static List<byte[]> programs(SandboxSettings sandbox) {
        return programs(sandbox, Architecture.local());
    }

    /**
     * Returns the programs for another machine.
     *
     * @param machine the architectures of its system calls, its own last
     */
    static List<byte[]> programs(SandboxSettings sandbox, List<Architecture> machine) {
        SystemCallRules rules = new SystemCallRules(sandbox, machine);
        rules.add();
        return rules.programs;
    }

    private void add() {
        wanted.families().ifPresent(this::restrictFamilies);
        flags(sandbox).forEach(this::restrictBy);
        wanted.namespaces().ifPresent(this::restrictNamespaces);
        if (!wanted.architectures().isEmpty()) {
            restrictArchitectures();
        }
        wanted.logged().ifPresent(this::log);
        wanted.filter().map(list -> list.permitting(ALWAYS_PERMITTED)).ifPresent(this::filter);
    }

    private void add(Filter filter) {
        try (Fd file = SysMemfd.make("seccomp-filter")) {
            filter.write(file);
            int most = SystemCallFilters.MAX_INSTRUCTIONS + 1; // so that a longer one is noticed
            byte[] program = new byte[most * SystemCallFilters.INSTRUCTION_BYTES];
            int length = Unistd.pread(file, program, 0, program.length, 0);
            programs.add(Arrays.copyOf(program, length));
        }
    }

    /** Adds a program for each architecture of this machine that permits what has no rule. */
    private void forbid(Consumer<Filter> rules) {
        forEach(architectures(), ALLOW, rules);
    }

    private void forEach(List<Architecture> all, int otherwise, Consumer<Filter> rules) {
        for (Architecture architecture : all) {
            try (Filter filter = library.filter(architecture.token(), otherwise)) {
                rules.accept(filter.lettingOthersPass());
                add(filter);
            }
        }
    }

    /** Returns the architectures whose calls do not kill a process anyway; the native one last. */
    private List<Architecture> architectures() {
        return wanted.architectures().isEmpty()
                ? machine
                : machine.stream()
                        .filter(each ->
                                each == machine.getLast()
                                        || wanted.architectures().contains(each.word()))
                        .toList();
    }

    private void restrictArchitectures() {
        if (architectures().size() == machine.size()) {
            return; // the machine has no calls of others
        }
        Architecture own = machine.getLast();
        try (Filter filter = library.filter(own.token(), ALLOW)) {
            for (String word : wanted.architectures()) {
                Architecture named = Architecture.ofWord(word);
                filter.add((named == Architecture.NATIVE ? own : named).token());
            }
            add(filter);
        }
    }

    /**
     * Adds the filter of the unit. A call that nobody knows yet is not there for a program whose
     * calls are listed: it falls back to an older one.
     */
    private void filter(SystemCallList list) {
        int refusal = action(wanted.error());
        SortedMap<String, Integer> actions = new TreeMap<>();
        if (list.permits()) {
            SystemCallGroups.ofKernels().stream()
                    .filter(name -> library.numberOf(name, machine.getLast().token()) >= 0)
                    .forEach(name -> actions.put(name, refusal));
        }
        list.calls()
                .forEach((name, error) -> {
                    int usual = list.permits() ? ALLOW : refusal;
                    actions.put(name, error == SystemCallList.NO_ERROR ? usual : action(error));
                });
        int otherwise = list.permits() ? ENOSYS : ALLOW;
        actions.values().removeIf(action -> action == otherwise);
        forEach(
                architectures(),
                otherwise,
                filter -> actions.forEach((name, action) -> filter.rule(action, name)));
    }

    private static int action(int error) {
        return error == SystemCallList.KILL ? KILL_PROCESS : ERRNO + error;
    }

    /** {@return those boolean directives that restrict system calls} */
    static Set<Flag> flags(SandboxSettings sandbox) {
        Set<Flag> flags = EnumSet.noneOf(Flag.class);
        flags.addAll(sandbox.flags());
        flags.removeAll(MOUNTS_ONLY);
        return flags;
    }

    private void restrictBy(Flag flag) {
        switch (flag) {
            case LOCK_PERSONALITY ->
                    forbid(filter ->
                            filter.rule(
                                    EPERM,
                                    "personality",
                                    new Condition(0, Comparison.NOT_EQUAL, PER_LINUX)));
            case PRIVATE_DEVICES -> forbidGroup("@raw-io");
            case PROTECT_CLOCK -> forbidGroup("@clock");
            case PROTECT_KERNEL_LOGS -> forbid(filter -> filter.rule(EPERM, "syslog"));
            case PROTECT_KERNEL_MODULES -> forbidGroup("@module");
            case PROTECT_KERNEL_TUNABLES -> forbid(filter -> filter.rule(EPERM, "_sysctl"));
            case PROTECT_HOSTNAME ->
                    forbid(filter -> {
                        filter.rule(EPERM, "sethostname");
                        filter.rule(EPERM, "setdomainname");
                    });
            case RESTRICT_SUIDSGID -> forbid(SystemCallRules::setUserId);
            case RESTRICT_REALTIME -> forbid(SystemCallRules::realtime);
            case MEMORY_DENY_WRITE_EXECUTE -> writeExecute();
            case PRIVATE_NETWORK,
                    PRIVATE_IPC,
                    PRIVATE_MOUNTS,
                    PROTECT_CONTROL_GROUPS,
                    PRIVATE_HOSTNAME,
                    BIND_LOG_SOCKETS ->
                    throw new AssertionError(flag);
        }
    }

    private void forbidGroup(String group) {
        forbid(filter ->
                SystemCallGroups.expanded(group).forEach(name -> filter.rule(EPERM, name)));
    }

    private static void realtime(Filter filter) {
        for (long policy : new long[] {SCHED_FIFO, SCHED_RR, UNUSED_POLICY}) {
            filter.rule(EPERM, "sched_setscheduler", new Condition(1, Comparison.EQUAL, policy));
        }
        filter.rule(EPERM, "sched_setscheduler", new Condition(1, Comparison.GREATER, SCHED_IDLE));
    }

    private void writeExecute() {
        for (Architecture architecture : architectures()) {
            forEach(List.of(architecture), ALLOW, filter -> writeExecute(filter, architecture));
        }
    }

    private static void writeExecute(Filter filter, Architecture architecture) {
        Condition both = has(2, PROT_EXEC | PROT_WRITE);
        switch (architecture) {
            case X86 -> {
                filter.rule(EPERM, "mmap2", both);
                filter.rule(
                        EPERM, "mmap"); // its arguments are in memory, where no filter sees them
            }
            case ARM -> filter.rule(EPERM, "mmap2", both);
            case NATIVE, X86_64, X32, ARM64 -> filter.rule(EPERM, "mmap", both);
        }
        if (architecture != Architecture.X86) { // there it is one of the calls of ipc(2)
            filter.rule(EPERM, "shmat", has(2, SHM_EXEC));
        }
        for (String protect : List.of("mprotect", "pkey_mprotect")) {
            filter.rule(EPERM, protect, has(2, PROT_EXEC));
        }
    }

    private static void setUserId(Filter filter) {
        for (long bit : new long[] {S_ISUID, S_ISGID}) {
            Map.of("chmod", 1, "fchmod", 1, "fchmodat", 2, "fchmodat2", 2, "mkdir", 1)
                    .forEach((name, mode) -> filter.rule(EPERM, name, has(mode, bit)));
            Map.of("mkdirat", 2, "mknod", 1, "mknodat", 2, "creat", 1)
                    .forEach((name, mode) -> filter.rule(EPERM, name, has(mode, bit)));
            filter.rule(EPERM, "open", has(1, O_CREAT), has(2, bit));
            filter.rule(EPERM, "openat", has(2, O_CREAT), has(3, bit));
        }
        filter.rule(ENOSYS, "openat2"); // its mode is in memory, where no filter sees it
    }

    private static Condition has(int argument, long bits) {
        return new Condition(argument, Comparison.HAS_BITS, bits);
    }

    private void restrictNamespaces(Set<Kind> permitted) {
        Set<Kind> refused = EnumSet.copyOf(SystemCallSettings.NAMESPACES);
        refused.removeAll(permitted);
        forbid(filter -> {
            filter.rule(ENOSYS, "clone3"); // its flags are in memory, where no filter sees them
            if (permitted.isEmpty()) {
                filter.rule(EPERM, "setns");
            } else {
                filter.rule(EPERM, "setns", new Condition(1, Comparison.EQUAL, 0)); // any kind
            }
            for (Kind kind : refused) {
                long flag = CloneFlags.of(kind);
                filter.rule(EPERM, "unshare", has(0, flag));
                filter.rule(EPERM, "clone", has(0, flag));
                if (!permitted.isEmpty()) {
                    filter.rule(EPERM, "setns", has(1, flag));
                }
            }
        });
    }

    private void restrictFamilies(Families families) {
        int refused = ERRNO + EAFNOSUPPORT;
        List<Architecture> withSocket =
                architectures().stream().filter(each -> each != Architecture.X86).toList();
        forEach(
                withSocket,
                ALLOW,
                filter -> {
                    SortedSet<Integer> numbers = families.numbers();
                    if (families.permits() && numbers.isEmpty()) {
                        filter.rule(refused, "socket");
                        return;
                    }
                    Set<Integer> single = numbers;
                    if (families.permits()) {
                        int first = numbers.first();
                        int last = numbers.last();
                        filter.rule(refused, "socket", new Condition(0, Comparison.LESS, first));
                        filter.rule(refused, "socket", new Condition(0, Comparison.GREATER, last));
                        single = new TreeSet<>();
                        for (int family = first + 1; family < last; family++) {
                            if (!numbers.contains(family)) {
                                single.add(family);
                            }
                        }
                    }
                    for (int family : single) {
                        filter.rule(refused, "socket", new Condition(0, Comparison.EQUAL, family));
                    }
                });
    }

    private void log(SystemCallList list) {
        forEach(
                architectures(),
                list.permits() ? ALLOW : LOG,
                filter ->
                        list.calls()
                                .keySet()
                                .forEach(name -> filter.rule(list.permits() ? LOG : ALLOW, name)));
    }
}
