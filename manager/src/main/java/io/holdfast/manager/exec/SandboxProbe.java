package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.value.Capability;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds out which namespaces this process can make, and why not the others. */
final class SandboxProbe {
    /** The kinds of namespaces that sandboxes have. */
    static final Set<Kind> KINDS =
            Collections.unmodifiableSet(
                    EnumSet.of(Kind.MNT, Kind.NET, Kind.IPC, Kind.UTS, Kind.USER, Kind.PID));

    /** Why a manager of an ordinary user can make none. */
    static final String NOT_ROOT = "the manager does not run as root";

    private static final String ALL_USERS = "0 0 4294967295";
    private static final String CONFINED =
            "a seccomp filter or a security module of the container refuses it";

    private SandboxProbe() {}

    /** Returns the effective capabilities of this process. */
    static Set<Capability> capabilities() {
        long mask = Long.parseUnsignedLong(status("CapEff"), 16);
        Set<Capability> own = EnumSet.allOf(Capability.class);
        own.removeIf(each -> (mask >> each.number() & 1) == 0);
        return own;
    }

    /** Returns a field of our status; 0 if {@code /proc} is not there. */
    private static String status(String field) {
        return SmallFile.read(Path.of("/proc/thread-self/status"))
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1).strip())
                .findFirst()
                .orElse("0");
    }

    /**
     * Returns the kinds that cannot be made, with the reasons, if that is certain without an
     * attempt.
     */
    static Optional<Map<Kind, String>> known(Set<Capability> own) {
        String reason =
                Unistd.geteuid() != 0
                        ? NOT_ROOT
                        : own.contains(Capability.SYS_ADMIN) ? "" : lacks(Capability.SYS_ADMIN);
        if (reason.isEmpty()) {
            return isConfined() ? Optional.empty() : Optional.of(Map.of());
        }
        Map<Kind, String> lacking = new EnumMap<>(Kind.class);
        KINDS.forEach(kind -> lacking.put(kind, reason));
        return Optional.of(lacking);
    }

    /** Returns that the manager lacks a capability, and how a container gets it. */
    static String lacks(Capability capability) {
        return "the manager has no %s; a container gets it with --cap-add %s"
                .formatted(capability, capability.name());
    }

    /** Returns whether something other than capabilities may refuse a namespace or a mount. */
    private static boolean isConfined() {
        String users = SmallFile.read(Path.of("/proc/self/uid_map")).strip();
        String profile = SmallFile.read(Path.of("/proc/self/attr/apparmor/current")).strip();
        return !status("Seccomp").equals("0")
                || !users.replaceAll(" +", " ").equals(ALL_USERS)
                || !(profile.isEmpty() || profile.startsWith("unconfined"));
    }

    /**
     * Returns why a process here cannot install a filter of system calls; empty if it can. A child
     * tries it where that is not certain. Blocking.
     */
    static String filterRefusal() {
        if (!SmallFile.read(Path.of("/proc/thread-self/status")).contains("\nSeccomp:")) {
            return "the kernel has no filters of system calls (CONFIG_SECCOMP_FILTER)";
        }
        if (!isConfined()) {
            return "";
        }
        try (Fd file = ProcessSetup.trial(PassedDescriptors.FIRST)) {
            Spawn trial = Spawn.ofDescriptor(PassedDescriptors.FIRST);
            boolean refused =
                    end(trial.descriptor(PassedDescriptors.FIRST, file))
                            .equals(new Exit.Exited(SetupException.Step.SECCOMP.status()));
            return refused ? "seccomp(2) fails; " + CONFINED : "";
        } catch (ErrnoException | SetupException e) {
            return ""; // shows nothing; a start that needs a filter fails, if it does
        }
    }

    /** Makes one of each kind, and returns those that are refused, with the reasons. Blocking. */
    static Map<Kind, String> attempt() {
        Map<Kind, String> lacking = new EnumMap<>(Kind.class);
        for (Kind kind : KINDS) {
            String why = refusal(kind);
            if (!why.isEmpty()) {
                lacking.put(kind, why);
            }
        }
        return lacking;
    }

    /**
     * Returns why one of a kind cannot be made; empty if it can. A child tries it before we do: a
     * seccomp filter may kill the process that makes a forbidden system call.
     */
    private static String refusal(Kind kind) {
        String what = kind == Kind.MNT ? "a mount" : "a namespace of the kind " + kind;
        try {
            if (isKilled(kind)) {
                return "a seccomp filter kills a process that makes " + what;
            }
            if (kind == Kind.MNT) {
                mount();
            } else if (kind == Kind.USER) {
                users();
            } else if (kind == Kind.PID) {
                var _ = end(Spawn.of("/bin/sh", "-c", ":").isolation(new Isolation().fresh(kind)));
            } else {
                Namespace.make(kind).close();
            }
            return "";
        } catch (ErrnoException | Isolation.FailedException e) {
            return isRefusal(e) ? e.getMessage() + "; " + CONFINED : "";
        }
    }

    private static boolean isKilled(Kind kind) {
        List<String> command = new ArrayList<>(List.of("unshare", "--propagation", "unchanged"));
        switch (kind) {
            case MNT ->
                    command.addAll(
                            List.of("--mount", "mount", "-t", "tmpfs", "-osize=4k", "tmp", "/dev"));
            case NET -> command.addAll(List.of("--net", "true"));
            case IPC -> command.addAll(List.of("--ipc", "true"));
            case PID -> command.addAll(List.of("--pid", "--fork", "true"));
            case USER -> command.addAll(List.of("--user", "true"));
            default -> command.addAll(List.of("--uts", "true"));
        }
        try {
            return end(Spawn.of(command)) instanceof Exit.Killed(Signal signal, _)
                    && signal.equals(Signal.of("SYS"));
        } catch (ErrnoException e) {
            return false; // unshare(1) is not installed
        }
    }

    /**
     * Returns whether a failure shows that a part cannot be made. Where the attempt met a shortage,
     * or its program is missing, it shows nothing: then the starts that need the part fail, if they
     * do.
     */
    static boolean isRefusal(RuntimeException failure) {
        Throwable why = failure instanceof Isolation.FailedException ? failure.getCause() : failure;
        return !(why instanceof ErrnoException e)
                || switch (e.errno()) {
                    case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN, Errno.ENOENT ->
                            false;
                    default -> true;
                };
    }

    private static void users() {
        try {
            Namespace.makeUser("0 0 1", "0 0 1").close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // shows nothing
        }
    }

    private static void mount() {
        Isolation isolation = new Isolation();
        isolation.mount(MountTree.fileSystem("tmpfs", Map.of("size", "4k")), "/dev");
        var _ = end(Spawn.of("/bin/sh", "-c", ":").isolation(isolation));
    }

    private static Exit end(Spawn spawn) {
        try (Child child =
                spawn.stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start()) {
            return child.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Exit.Exited(0); // shows nothing
        }
    }
}
