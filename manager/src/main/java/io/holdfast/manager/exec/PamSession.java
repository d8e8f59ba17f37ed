package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.privilege.CallProgram;
import io.holdfast.core.process.privilege.CallProgram.Branch;
import io.holdfast.core.process.privilege.CallProgram.Label;
import io.holdfast.core.process.privilege.CallProgram.Word;
import io.holdfast.manager.exec.SetupException.Step;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The PAM session of a process ({@code PAMName=}). The modules of PAM change the process that opens
 * the session: its limits, its keyring, the user that it is logged in as, its environment. So the
 * process itself opens it, with all privileges and before its own program, by a {@link
 * CallProgram}. Only a process that has opened a session can close it, so the program leaves a
 * child behind, {@code (sd-pam)}: it takes on the user of the service, waits until its parent has
 * ended, and closes the session. It is in the cgroup of the unit, and needs no manager.
 *
 * <p>The child blocks the signals that stop services: they must not end it before the session is
 * closed.
 *
 * @param service the name of the PAM service, a file in {@code /etc/pam.d}
 * @param user who gets the session
 * @param terminal the device on which the user works
 * @param variables of the service; modules see them and may change them, except those that change
 *     what libraries load and read: a module may give its variables to a program that runs as root
 * @param identity of the service
 */
record PamSession(
        String service,
        String user,
        Optional<String> terminal,
        Map<String, String> variables,
        UserAndGroups identity) {
    private static final String NAME = "(sd-pam)";

    // security/_pam_types.h
    private static final int PAM_TTY = 3;
    private static final int PAM_SYSTEM_ERR = 4;
    private static final int PAM_SILENT = 0x8000;
    private static final int PAM_ESTABLISH_CRED = 2;
    private static final int PAM_DATA_SILENT = 0x4000_0000;

    private static final int CLOSE_ON_EXEC = 0x8_0000; // O_CLOEXEC of asm-generic/fcntl.h
    private static final int RANGE_ON_EXEC = 4; // CLOSE_RANGE_CLOEXEC of linux/close_range.h
    private static final long ALL_DESCRIPTORS = 0xffff_ffffL;
    private static final int THIS_FILE = 0x1000; // AT_EMPTY_PATH of linux/fcntl.h
    private static final int PIDFD_OPEN = 434; // asm-generic/unistd.h; glibc 2.36 has a function
    private static final int PR_SET_NAME = 15; // linux/prctl.h
    private static final int BLOCK = 0; // SIG_BLOCK of asm-generic/signal-defs.h
    private static final int UNBLOCK = 1;
    private static final int SIGNALS_BYTES = 128; // sigset_t

    /** SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTERM and those from SIGRTMIN on. */
    private static final long STOPPING = 0x5a07 | -1L << 33;

    private static final int POLLIN = 1;

    /** Variables that a privileged program must not obey, in glibc's unsecvars.h. */
    private static final Set<String> UNSECURE =
            Set.of(
                    "GCONV_PATH",
                    "GETCONF_DIR",
                    "GLIBC_TUNABLES",
                    "HOSTALIASES",
                    "LOCALDOMAIN",
                    "LOCPATH",
                    "NIS_PATH",
                    "NLSPATH",
                    "RESOLV_HOST_CONF",
                    "RES_OPTIONS",
                    "TMPDIR",
                    "TZDIR");

    private static boolean isUnsecure(String name) {
        return name.startsWith("LD_") || name.startsWith("MALLOC_") || UNSECURE.contains(name);
    }

    /**
     * Returns the program.
     *
     * @param first the number of the first descriptor that the process has besides its streams
     * @param number of the program's own descriptor, the last one; the one before is that of the
     *     program which it executes
     * @param next the number of the descriptor of the program that it executes
     * @throws SetupException if the machine refuses such a program
     */
    Fd file(int first, int number, int next) throws SetupException {
        try {
            return new Writer(new CallProgram("libpam.so.0", "libc.so.6"))
                    .file(first, number, next);
        } catch (ErrnoException | IllegalArgumentException e) {
            throw new SetupException(Step.PAM, e);
        }
    }

    /** Adds the calls to one program. */
    private final class Writer {
        private final CallProgram program;
        private final Word handle;
        private final Word parent; // a pidfd of the service
        private final Word pipe;
        private final Word pipeInput;
        private final Word zero;
        private final Word silent;
        private final Label failed;
        private final Label closing;

        Writer(CallProgram program) {
            this.program = program;
            handle = program.word();
            parent = program.word();
            pipe = program.word();
            pipeInput = new Word(pipe.address() + Integer.BYTES, "");
            zero = program.number(0);
            silent = program.number(PAM_SILENT);
            failed = program.label();
            closing = program.label();
        }

        Fd file(int first, int number, int next) {
            open();
            takeVariables();
            ByteBuffer mask = ByteBuffer.allocate(SIGNALS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            Word signals = program.number(program.put(mask.putLong(STOPPING).array()));
            Label child = program.label();
            leaveChild(child, signals);
            program.call("sigprocmask", Branch.NEXT, program.number(UNBLOCK), signals);
            addUnsecure();
            execute(number, next);
            program.place(child);
            waitAndClose(first, number);
            program.place(closing);
            program.call("pam_close_session", Branch.NEXT, handle, silent);
            program.place(failed);
            program.call("pam_end", Branch.NEXT, handle, program.number(PAM_SYSTEM_ERR));
            exit(Step.PAM.status());
            return program.file("holdfast-pam-session");
        }

        private void exit(int status) {
            program.call("_exit", Branch.NEXT, program.number(status));
        }

        private void open() {
            Branch check = Branch.unlessZero(failed);
            identity.groups().filter(_ -> !identity.isOurs()).ifPresent(this::setGroups);
            Label started = program.label();
            program.call(
                    "pam_start",
                    Branch.ifZero(started),
                    program.text(service),
                    program.text(user),
                    program.number(conversation()),
                    program.number(handle.address()));
            exit(Step.PAM.status());
            program.place(started);
            terminal.ifPresent(path -> {
                Word item = program.number(PAM_TTY);
                program.call("pam_set_item", check, handle, item, program.text(path));
            });
            variables.forEach((name, value) -> {
                if (!isUnsecure(name)) {
                    program.call("pam_putenv", check, handle, program.text(name + "=" + value));
                }
            });
            program.call("pam_acct_mgmt", check, handle, silent);
            // its failure is no reason to refuse the session, for systemd too
            Word establish = program.number(PAM_ESTABLISH_CRED | PAM_SILENT);
            program.call("pam_setcred", Branch.NEXT, handle, establish);
            program.call("pam_open_session", check, handle, silent);
        }

        /** Sets the supplementary groups, to which modules may add others. */
        private void setGroups(List<Long> groups) {
            ByteBuffer list = ByteBuffer.allocate(groups.size() * Integer.BYTES);
            list.order(ByteOrder.LITTLE_ENDIAN);
            groups.forEach(group -> list.putInt(group.intValue()));
            Label set = program.label();
            program.call(
                    "setgroups",
                    Branch.ifZero(set),
                    program.number(groups.size()),
                    program.number(program.put(list.array())));
            exit(Step.GROUP.status());
            program.place(set);
        }

        private long conversation() {
            ByteBuffer struct = ByteBuffer.allocate(2 * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            return program.put(struct.putLong(program.refusing()).array());
        }

        /** Takes the variables from the list of the session, one after the other. */
        private void takeVariables() {
            Word list = program.word();
            Word variable = program.word();
            Word size = program.number(Long.BYTES);
            Word toVariable = program.number(variable.address());
            Word toZero = program.number(zero.address());
            Label next = program.label();
            Label end = program.label();
            program.call("pam_getenvlist", list, Branch.NEXT, handle);
            program.call(
                    "memcmp", Branch.ifZero(closing), program.number(list.address()), toZero, size);
            program.place(next);
            program.call("memcpy", Branch.NEXT, toVariable, list, size);
            program.call("memcmp", Branch.ifZero(end), toVariable, toZero, size);
            program.call("putenv", Branch.unlessZero(closing), variable);
            // returns the address behind the element, and copies the element to itself
            program.call("mempcpy", list, new Branch(next, next, next), list, list, size);
            program.place(end);
        }

        /** Starts the child, and waits until it is the one that is to close the session. */
        private void leaveChild(Label child, Word signals) {
            Word pid = program.word();
            Branch check = Branch.ifNegative(closing);
            program.call("getpid", pid, Branch.NEXT);
            program.call("syscall", parent, check, program.number(PIDFD_OPEN), pid, zero);
            Word ends = program.number(pipe.address());
            program.call("pipe2", check, ends, program.number(CLOSE_ON_EXEC));
            program.call("sigprocmask", Branch.NEXT, program.number(BLOCK), signals);
            program.call("fork", new Branch(child, null, closing));
            program.call("close", Branch.NEXT, pipeInput);
            Word received = program.number(program.word().address());
            program.call("read", Branch.NEXT, pipe, received, program.number(1));
        }

        /** Adds the variables that PAM has not seen, unless a module has set them. */
        private void addUnsecure() {
            variables.forEach((name, value) -> {
                if (isUnsecure(name)) {
                    Word text = program.text(value);
                    program.call("setenv", Branch.NEXT, program.text(name), text, zero);
                }
            });
        }

        private void execute(int number, int next) {
            program.call("close", Branch.NEXT, program.number(number));
            program.call(
                    "close_range",
                    Branch.NEXT,
                    program.number(number),
                    program.number(ALL_DESCRIPTORS),
                    program.number(RANGE_ON_EXEC));
            program.call(
                    "execveat",
                    Branch.NEXT,
                    program.number(next),
                    program.text(""),
                    program.arguments,
                    program.variable("environ"),
                    program.number(THIS_FILE));
            exit(Step.EXEC.status()); // the child closes the session
        }

        private void waitAndClose(int first, int number) {
            Word name = program.text(NAME);
            program.call("prctl", Branch.NEXT, program.number(PR_SET_NAME), name);
            program.call("chdir", Branch.NEXT, program.text("/"));
            Word lowest = program.number(first);
            program.call("close_range", Branch.NEXT, lowest, program.number(number));
            if (!identity.isOurs()) {
                identity.gid().ifPresent(gid -> setIds("setresgid", gid));
                program.call("setgroups", Branch.NEXT);
                identity.uid().ifPresent(uid -> setIds("setresuid", uid));
            }
            program.call("write", Branch.NEXT, pipeInput, name, program.number(1));
            program.call("close", Branch.NEXT, pipeInput);
            program.call("close", Branch.NEXT, pipe);
            Word waited = program.number(program.put(new byte[] {0, 0, 0, 0, POLLIN, 0, 0, 0}));
            Word from = program.number(parent.address());
            program.call("memcpy", Branch.NEXT, waited, from, program.number(Integer.BYTES));
            Label wait = program.label();
            program.place(wait);
            Branch interrupted = Branch.ifNegative(wait); // by a handler of a module
            program.call("poll", interrupted, waited, program.number(1), program.number(-1));
            program.call("pam_close_session", Branch.NEXT, handle, silent);
            Word asChild = program.number(PAM_SILENT | PAM_DATA_SILENT);
            program.call("pam_end", Branch.NEXT, handle, asChild);
            exit(0);
        }

        private void setIds(String function, long id) {
            Word number = program.number(id);
            program.call(function, Branch.NEXT, number, number, number);
        }
    }
}
