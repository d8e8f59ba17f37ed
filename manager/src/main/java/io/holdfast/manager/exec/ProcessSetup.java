package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.privilege.SetupProgram;
import io.holdfast.core.process.privilege.SetupProgram.Call;
import io.holdfast.core.sys.CString;
import io.holdfast.manager.exec.SetupException.Step;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.SecureBit;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How a process with a filter of system calls becomes what its unit wants, after its start and
 * before its program: a {@link SetupProgram}, with the steps in systemd's order. A filter may
 * forbid every call that changes users and capabilities, so it comes last.
 *
 * <p>A process may install a filter if it has CAP_SYS_ADMIN, or if it can gain no privileges. So a
 * process of another user keeps that capability from the change of the user until its filters are
 * installed ({@link #keepsAdmin}), unless its filters forbid to drop it then, or it gains no
 * privileges anyway.
 *
 * @param view what it does to its view of the file system, and the number of the first descriptor
 *     for that
 * @param directory that it works in
 * @param users the number of the descriptor of its user namespace, which it closes
 * @param identity that it takes on; empty: that of the manager
 * @param linksKeyring whether it links the keyring of its user to its session keyring
 * @param bounding the bounding set; empty: that of the manager
 * @param ambient capabilities that the manager has
 * @param own the capabilities of the manager
 * @param deniesWriteExecute whether the kernel denies it writable and executable memory
 * @param filters programs, in the order in which they are installed
 * @param keepsAdmin whether it keeps CAP_SYS_ADMIN until its filters are installed
 */
record ProcessSetup(
        Optional<View> view,
        Directory directory,
        OptionalInt users,
        Optional<UserAndGroups> identity,
        boolean linksKeyring,
        Optional<Set<Capability>> bounding,
        Set<Capability> ambient,
        Set<SecureBit> secureBits,
        Set<Capability> own,
        boolean noNewPrivileges,
        boolean deniesWriteExecute,
        List<byte[]> filters,
        boolean keepsAdmin) {
    /**
     * What a process does to its view of the file system.
     *
     * @param number of the first descriptor that it needs for that
     */
    record View(ViewSetup setup, int number) {}

    /**
     * The working directory, which a process enters as its user: the user may not lead it anywhere
     * by symbolic links, and alone may be able to enter it.
     *
     * @param path in its view
     * @param isOptional whether it stays in the root if it cannot enter the directory
     */
    record Directory(String path, boolean isOptional) {
        private void enter(SetupProgram program) {
            if (isOptional) {
                program.call(Step.CHDIR.status(), Call.CHDIR, program.put(CString.bytes("/")));
                program.attempt(Call.CHDIR, program.put(CString.bytes(path)));
            } else {
                program.call(Step.CHDIR.status(), Call.CHDIR, program.put(CString.bytes(path)));
            }
        }
    }

    // linux/prctl.h
    private static final int PR_SET_KEEPCAPS = 8;
    private static final int PR_CAPBSET_DROP = 24;
    private static final int PR_SET_SECUREBITS = 28;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int PR_CAP_AMBIENT = 47;
    private static final int PR_SET_MDWE = 65;
    private static final int PR_MDWE_REFUSE_EXEC_GAIN = 1;
    private static final int PR_CAP_AMBIENT_RAISE = 2;

    // linux/keyctl.h
    private static final int LINK = 8;
    private static final int USER_KEYRING = -4;
    private static final int SESSION_KEYRING = -3;

    private static final int NEW_USERS = 0x1000_0000; // CLONE_NEWUSER of linux/sched.h
    private static final int CAPABILITY_VERSION = 0x2008_0522; // linux/capability.h
    private static final int SECCOMP_SET_MODE_FILTER = 1; // linux/seccomp.h
    private static final int INSTRUCTION_BYTES = 8; // linux/filter.h
    private static final byte RETURN = 6; // BPF_RET, here of SECCOMP_RET_ALLOW
    private static final Path LAST_CAPABILITY = Path.of("/proc/sys/kernel/cap_last_cap");

    /**
     * Returns the program.
     *
     * @param program that it executes at the end
     * @param number of its own descriptor in the process, which it closes
     * @throws SetupException if the machine refuses such a program
     */
    Fd file(Path program, int number) throws SetupException {
        SetupProgram setup = new SetupProgram();
        setup.call(Step.EXEC.status(), Call.CLOSE, number);
        view.ifPresent(own -> own.setup.addTo(setup, own.number));
        identity.flatMap(UserAndGroups::groups).ifPresent(groups -> groups(setup, groups));
        users.ifPresent(namespace -> enter(setup, namespace));
        identity.ifPresent(changed -> group(setup, changed));
        bounding.ifPresent(kept -> dropFromBounding(setup, kept));
        boolean otherUser = isOtherUser();
        if (otherUser) {
            changeUser(setup);
        } else if (!ambient.isEmpty()) {
            setCapabilities(setup, own, ambient);
        }
        directory.enter(setup);
        if (linksKeyring) {
            setup.call(Step.KEYRING.status(), Call.KEYCTL, LINK, USER_KEYRING, SESSION_KEYRING);
        }
        for (Capability each : ambient) {
            prctl(setup, Step.CAPABILITIES, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, each.number());
        }
        if (!secureBits.isEmpty()) {
            prctl(setup, Step.SECUREBITS, PR_SET_SECUREBITS, SecureBit.mask(secureBits));
        }
        if (noNewPrivileges) {
            prctl(setup, Step.NO_NEW_PRIVILEGES, PR_SET_NO_NEW_PRIVS, 1);
        }
        if (deniesWriteExecute) {
            prctl(setup, Step.SECCOMP, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN);
        }
        boolean drops = otherUser && !temporary().equals(ambient);
        if (drops && !keepsAdmin) { // its filters may forbid that
            setCapabilities(setup, ambient, ambient);
        }
        install(setup, filters);
        if (drops && keepsAdmin) {
            setCapabilities(setup, ambient, ambient);
        }
        try {
            return setup.file(program.toString(), Step.EXEC.status());
        } catch (ErrnoException e) {
            throw new SetupException(Step.SECCOMP, e);
        }
    }

    /** Returns a program that installs a filter which permits everything. */
    static Fd trial(int number) throws SetupException {
        return new ProcessSetup(
                        Optional.empty(),
                        new Directory("/", false),
                        OptionalInt.empty(),
                        Optional.empty(),
                        false,
                        Optional.empty(),
                        Set.of(),
                        Set.of(),
                        Set.of(),
                        true,
                        false,
                        List.of(new byte[] {RETURN, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f}),
                        false)
                .file(Path.of("/bin/true"), number);
    }

    /** Adds the calls that install filters. */
    private static void install(SetupProgram setup, List<byte[]> filters) {
        for (byte[] filter : filters) {
            long code = setup.put(filter);
            long program = setup.putLongs(filter.length / INSTRUCTION_BYTES, code);
            setup.call(Step.SECCOMP.status(), Call.SECCOMP, SECCOMP_SET_MODE_FILTER, 0, program);
        }
    }

    private static void prctl(SetupProgram setup, Step step, long... arguments) {
        setup.call(step.status(), Call.PRCTL, arguments);
    }

    /** Sets the supplementary groups, which its user namespace need not have. */
    private static void groups(SetupProgram setup, List<Long> groups) {
        int[] numbers = groups.stream().mapToInt(Long::intValue).toArray();
        long address = setup.putInts(numbers);
        setup.call(Step.GROUP.status(), Call.SETGROUPS, numbers.length, address);
    }

    /** Enters the user namespace, in which it has all capabilities at first. */
    private static void enter(SetupProgram setup, int namespace) {
        setup.call(Step.USER.status(), Call.SETNS, namespace, NEW_USERS);
        setup.call(Step.EXEC.status(), Call.CLOSE, namespace);
    }

    private static void group(SetupProgram setup, UserAndGroups changed) {
        changed.gid()
                .ifPresent(gid -> setup.call(Step.GROUP.status(), Call.SETRESGID, gid, gid, gid));
    }

    /** Drops all other capabilities that the kernel knows. */
    private static void dropFromBounding(SetupProgram setup, Set<Capability> kept) {
        String last = SmallFile.read(LAST_CAPABILITY).strip();
        int highest = last.isEmpty() ? Capability.values().length - 1 : Integer.parseInt(last);
        Set<Integer> numbers =
                kept.stream().map(Capability::number).collect(Collectors.toUnmodifiableSet());
        for (int number = 0; number <= highest; number++) {
            if (!numbers.contains(number)) {
                prctl(setup, Step.CAPABILITIES, PR_CAPBSET_DROP, number);
            }
        }
    }

    private boolean isOtherUser() {
        return identity.isPresent() && identity.get().uid().orElse(0) != 0;
    }

    /** Returns the capabilities that it has between the change of the user and its program. */
    private Set<Capability> temporary() {
        Set<Capability> temporary = EnumSet.noneOf(Capability.class);
        temporary.addAll(ambient);
        if (keepsAdmin) {
            temporary.add(Capability.SYS_ADMIN);
        }
        if (!secureBits.isEmpty()) {
            temporary.add(Capability.SETPCAP);
        }
        return temporary;
    }

    private void changeUser(SetupProgram setup) {
        long uid = identity.orElseThrow().uid().orElseThrow();
        Set<Capability> temporary = temporary();
        if (!temporary.isEmpty()) {
            prctl(setup, Step.CAPABILITIES, PR_SET_KEEPCAPS, 1);
        }
        setup.call(Step.USER.status(), Call.SETRESUID, uid, uid, uid);
        if (!temporary.isEmpty()) {
            setCapabilities(setup, temporary, ambient);
        }
    }

    /** Sets the effective and permitted capabilities, and the inheritable ones. */
    private static void setCapabilities(
            SetupProgram setup, Set<Capability> permitted, Set<Capability> inheritable) {
        long has = mask(permitted);
        long passes = mask(inheritable);
        int low = (int) has;
        int high = (int) (has >>> 32);
        int highPasses = (int) (passes >>> 32);
        long data = setup.putInts(low, low, (int) passes, high, high, highPasses);
        long header = setup.putInts(CAPABILITY_VERSION, 0);
        setup.call(Step.CAPABILITIES.status(), Call.CAPSET, header, data);
    }

    private static long mask(Set<Capability> capabilities) {
        return capabilities.stream().mapToLong(each -> 1L << each.number()).sum();
    }
}
