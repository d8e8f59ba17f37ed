package io.holdfast.cli.process;

import io.holdfast.cli.output.AccountText;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.machine.MachineRegistry;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a held process: the chain from its pidfd to its credentials, its cgroup, and the
 * unit, session and owner that the cgroup's path names. Everything is read from the pidfd or
 * verified against it. Names in the path count only if {@link CgroupPlace} trusts them.
 *
 * @param processId the unique identity; empty once the process is reaped, like everything that the
 *     kernel then forgets
 * @param exit how the process ended, if the kernel reports it
 * @param name the name of the main thread
 * @param groups the supplementary groups
 * @param cgroup the cgroup as the calling process sees it; empty if the process is reaped, or its
 *     cgroup is not visible
 * @param place the path below the manager's root, if only root could have named it
 */
public record ProcessIdentity(
        Optional<ProcessId> processId,
        ProcessInfo info,
        PidFd.State state,
        Optional<Exit> exit,
        Optional<String> name,
        Optional<List<Long>> groups,
        Optional<CgroupPath> cgroup,
        Optional<CgroupPath> place) {

    static ProcessIdentity of(PidFd process) {
        return new ProcessIdentity(
                readIfPermitted(process::processId),
                process.info(),
                process.state(),
                process.exit(),
                readIfPermitted(() -> process.proc().name()),
                readIfPermitted(() -> process.proc().groups()),
                cgroupOf(process),
                readIfPermitted(() -> CgroupPlace.of(process)).flatMap(place -> place));
    }

    /**
     * Returns what the kernel reports; empty if the process is reaped, or this user may not read
     * it.
     */
    public static <T> Optional<T> readIfPermitted(Supplier<T> reading) {
        try {
            return Optional.of(reading.get());
        } catch (ErrnoException e) {
            return switch (e.errno()) {
                case Errno.ESRCH, Errno.EACCES, Errno.EPERM, Errno.ENOENT, Errno.ENODATA ->
                        Optional.empty();
                default -> throw e;
            };
        }
    }

    private static Optional<CgroupPath> cgroupOf(PidFd process) {
        try {
            return readIfPermitted(process::cgroupPath);
        } catch (ForeignCgroupException e) {
            return Optional.empty();
        }
    }

    /** Returns PID and name, and the state of the process unless it is alive. */
    String title() {
        return processId.map(id -> id.inThisBoot().toString()).orElse("")
                + name.map(text -> " " + text).orElse("")
                + switch (state) {
                    case ALIVE -> "";
                    case EXITED -> " (zombie: exited, not reaped by its parent)";
                    case REAPED -> "gone";
                };
    }

    /** Prints the first links of the chain: process, identity, credentials and groups. */
    void printCredentials(Output output) {
        output.field("process", title());
        processId.ifPresent(id -> output.field("identity", id.toString()));
        info.credentials().ifPresent(ids -> printCredentials(ids, output));
        groups.filter(list -> !list.isEmpty())
                .ifPresent(list -> output.field("groups", names(list)));
    }

    private static void printCredentials(Credentials ids, Output output) {
        output.field(
                "user",
                ids(ids.realUid(), ids.effectiveUid(), ids.savedUid(), ids.fileSystemUid(), true));
        output.field(
                "group",
                ids(ids.realGid(), ids.effectiveGid(), ids.savedGid(), ids.fileSystemGid(), false));
    }

    private static String ids(long real, long effective, long saved, long file, boolean users) {
        if (real == effective && real == saved && real == file) {
            return name(real, users);
        }
        return "real "
                + name(real, users)
                + ", effective "
                + name(effective, users)
                + ", saved "
                + name(saved, users)
                + ", file system "
                + name(file, users);
    }

    private static String name(long id, boolean user) {
        return user ? AccountText.user(id) : AccountText.group(id);
    }

    private static String names(List<Long> groups) {
        return groups.stream().map(AccountText::group).collect(Collectors.joining(", "));
    }

    private void printCgroup(Output output) {
        cgroup.ifPresentOrElse(
                path ->
                        output.field(
                                "cgroup",
                                path
                                        + (info.cgroupId().isPresent()
                                                ? " (id " + info.cgroupId().getAsLong() + ")"
                                                : "")),
                () -> info.cgroupId().ifPresent(id -> output.field("cgroup", "id " + id)));
    }

    /** Prints the links that follow from the cgroup. */
    void printPlace(Output output) {
        printCgroup(output);
        if (place.isPresent()) {
            CgroupPath path = place.get();
            output.field("unit", path.unit().orElse("none"));
            output.field("slice", path.slice());
            path.userUnit().ifPresent(unit -> output.field("user unit", unit));
            path.userSlice().ifPresent(slice -> output.field("user slice", slice));
            output.field("session", path.session().orElse("none"));
            machine().ifPresent(machine -> output.field("machine", machine));
            OptionalLong owner = path.ownerUid();
            output.field("owner", owner.isPresent() ? AccountText.user(owner.getAsLong()) : "none");
        } else if (cgroup.isPresent()) {
            output.field("unit", "unknown: a user other than root may have named this cgroup");
        }
    }

    private Optional<String> machine() {
        return place.flatMap(MachineRegistry.SYSTEM::machineName);
    }

    /** Adds what the cgroup's path names, with null for each missing link. */
    void addPlace(JsonText text) {
        OptionalLong owner = place.map(CgroupPath::ownerUid).orElse(OptionalLong.empty());
        text.put("unit", place.flatMap(CgroupPath::unit))
                .put("slice", place.map(CgroupPath::slice))
                .put("userUnit", place.flatMap(CgroupPath::userUnit))
                .put("userSlice", place.flatMap(CgroupPath::userSlice))
                .put("session", place.flatMap(CgroupPath::session))
                .put("machine", machine())
                .put("ownerUid", orNull(owner));
    }

    JsonText credentialsJson() {
        return JsonText.object()
                .put("process", processId.map(ProcessId::toString))
                .put("pid", orNull(info.pid()))
                .put("name", name)
                .put("state", state.name().toLowerCase(Locale.ROOT))
                .put("credentials", info.credentials().map(ProcessIdentity::json))
                .put("groups", groups);
    }

    private static JsonText json(Credentials ids) {
        return JsonText.object()
                .put("realUid", ids.realUid())
                .put("effectiveUid", ids.effectiveUid())
                .put("savedUid", ids.savedUid())
                .put("fileSystemUid", ids.fileSystemUid())
                .put("realGid", ids.realGid())
                .put("effectiveGid", ids.effectiveGid())
                .put("savedGid", ids.savedGid())
                .put("fileSystemGid", ids.fileSystemGid());
    }

    static @Nullable Long orNull(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }

    static @Nullable Integer orNull(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }
}
