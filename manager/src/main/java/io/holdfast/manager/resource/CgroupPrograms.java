package io.holdfast.manager.resource;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.SysBpf;
import io.holdfast.core.sys.SysBpf.Hook;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.resource.AddressSettings;
import io.holdfast.manager.unit.resource.DeviceSettings;
import io.holdfast.manager.unit.resource.ResourceSettings;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The BPF programs of cgroups, which restrict devices and addresses, and count packets. They stay
 * attached when the manager is killed, and are known by their name to the next one.
 *
 * <p>The program of a slice runs for the units in it, too: a device must be allowed by both. The
 * addresses of slices are part of the program of the unit, which may allow more.
 *
 * <p>A container may forbid bpf(2). The first cgroup shows that; then nothing is restricted, and
 * each unit that wants it says so. Blocking; safe for use by any thread.
 */
public final class CgroupPrograms implements AutoCloseable {
    static final String NAME = "holdfast";
    private static final int NO_PROGRAM = 0; // no program has this id

    /**
     * The programs that stay loaded, since most units with {@code PrivateDevices=} have the same.
     */
    static final int MOST_LOADED = 16;

    /** What the kernel answers where programs are not permitted, or where it has none. */
    private static final Set<Integer> REFUSALS = Set.of(Errno.EPERM, Errno.ENOSYS, Errno.EINVAL);

    /** Of a manager whose units have no cgroups. */
    public static final CgroupPrograms NONE =
            new CgroupPrograms(Optional.of("its units have no cgroups"));

    private record Program(Hook hook, ByteBuffer code) {}

    private final SequencedMap<Program, Fd> loaded = new LinkedHashMap<>(); // the newest use last
    private volatile Optional<String> refusal;
    private volatile Consumer<String> warnings = _ -> {};
    private final AtomicBoolean warnedOfCounts = new AtomicBoolean();
    private boolean warned;

    public CgroupPrograms() {
        this(Optional.empty());
    }

    /** Finds out what the first cgroup of a manager here would show. */
    public static CgroupPrograms attempted() {
        if (!Cgroup.isMounted()) {
            return NONE;
        }
        CgroupPrograms programs = new CgroupPrograms();
        programs.attempt(() -> {
            try (Cgroup own = Cgroup.own()) {
                for (Hook hook : Hook.values()) {
                    SysBpf.attached(own.fd(), hook, NAME).forEach(Fd::close);
                    SysBpf.load(hook, NAME, BpfCode.permitting()).close();
                }
            }
        });
        return programs;
    }

    private CgroupPrograms(Optional<String> refusal) {
        this.refusal = refusal;
    }

    /** Sets the receiver of the only warning of this manager about missing programs. */
    public void warnings(Consumer<String> receiver) {
        warnings = receiver;
    }

    /**
     * Attaches the programs of a unit, and detaches those that it no longer needs.
     *
     * @param cgroup lent
     * @param slices the settings of the slices above it
     * @param problems receives a line for each device that is not found
     * @throws ErrnoException if the kernel does not accept a program
     */
    public void ofUnit(
            String unit,
            Fd cgroup,
            ResourceSettings settings,
            List<ResourceSettings> slices,
            Consumer<String> problems) {
        apply(
                unit,
                settings,
                () -> {
                    devices(cgroup, settings.devices(), problems);
                    AddressSettings all =
                            settings.addresses()
                                    .and(slices.stream().map(ResourceSettings::addresses));
                    packets(unit, cgroup, all, settings.countsPackets());
                });
    }

    /** Does the same for a slice. */
    public void ofSlice(
            String slice, Fd cgroup, ResourceSettings settings, Consumer<String> problems) {
        apply(
                slice,
                settings,
                () -> {
                    devices(cgroup, settings.devices(), problems);
                    packets(slice, cgroup, AddressSettings.ALL, settings.countsPackets());
                });
    }

    private void apply(String unit, ResourceSettings settings, Runnable task) {
        if (refusal.isEmpty()) {
            attempt(task);
        }
        if (refusal.isPresent()) {
            warn(unit, settings);
        }
    }

    private void attempt(Runnable task) {
        try {
            task.run();
        } catch (ErrnoException e) {
            if (!REFUSALS.contains(e.errno())) {
                throw e;
            }
            refusal = Optional.of("BPF programs are refused: " + e.getMessage());
        }
    }

    /** Returns why no program can be attached, as far as that is known. */
    public Optional<String> refusal() {
        return refusal;
    }

    private void devices(Fd cgroup, DeviceSettings settings, Consumer<String> problems) {
        set(
                cgroup,
                Hook.DEVICE,
                settings.isRestricted(),
                true,
                () -> DeviceProgram.of(settings, problems));
    }

    private void packets(String unit, Fd cgroup, AddressSettings settings, boolean counts) {
        if (counts && areCounted(unit, cgroup, settings)) {
            return;
        }
        boolean isWanted = settings.isRestricted();
        set(cgroup, Hook.INGRESS, isWanted, true, () -> AddressProgram.ofReceived(settings));
        set(cgroup, Hook.EGRESS, isWanted, true, () -> AddressProgram.ofSent(settings));
    }

    /**
     * Attaches programs that count. A kernel before 5.11 may have no memory for the map and the
     * programs of each unit (RLIMIT_MEMLOCK): that must not switch the restrictions off.
     */
    private boolean areCounted(String unit, Fd cgroup, AddressSettings settings) {
        try {
            count(cgroup, settings);
            return true;
        } catch (ErrnoException e) {
            if (!REFUSALS.contains(e.errno())) {
                throw e;
            }
            if (!warnedOfCounts.getAndSet(true)) {
                warnings.accept(
                        "IPAccounting=, of %s and perhaps of more units, has no effect: %s"
                                .formatted(unit, e.getMessage()));
            }
            return false;
        }
    }

    private void count(Fd cgroup, AddressSettings settings) {
        try (Fd map = PacketCounts.map(cgroup)) {
            int number = map.acquire();
            try {
                for (Hook hook : List.of(Hook.INGRESS, Hook.EGRESS)) {
                    set(
                            cgroup,
                            hook,
                            true,
                            false,
                            () -> AddressProgram.counting(hook, settings, number));
                }
            } finally {
                map.release();
            }
        }
    }

    private interface Code {
        byte[] bytes();
    }

    /**
     * Replaces the program; until the old one is detached, both restrict, and both count.
     *
     * @param isShared whether cgroups with the same code can have the same program
     */
    private void set(Fd cgroup, Hook hook, boolean isWanted, boolean isShared, Code code) {
        List<Fd> before = SysBpf.attached(cgroup, hook, NAME);
        try {
            int wanted =
                    isWanted ? attach(cgroup, hook, code.bytes(), isShared, before) : NO_PROGRAM;
            for (Fd old : before) {
                if (SysBpf.id(old) != wanted) {
                    int r = SysBpf.detach(cgroup, hook, old);
                    ErrnoException.check(r, "bpf(BPF_PROG_DETACH)", "the cgroup");
                }
            }
        } finally {
            before.forEach(Fd::close);
        }
    }

    /**
     * Attaches a program, unless it is attached: the kernel refuses the same one twice.
     *
     * @return its id
     */
    private synchronized int attach(
            Fd cgroup, Hook hook, byte[] code, boolean isShared, List<Fd> before) {
        if (isShared) {
            return attach(cgroup, hook, shared(hook, code), before);
        }
        try (Fd program = SysBpf.load(hook, NAME, code)) {
            return attach(cgroup, hook, program, before);
        }
    }

    private Fd shared(Hook hook, byte[] code) {
        Program key = new Program(hook, ByteBuffer.wrap(code));
        Fd known = loaded.remove(key);
        Fd program = known == null ? SysBpf.load(hook, NAME, code) : known;
        loaded.putLast(key, program);
        if (loaded.size() > MOST_LOADED) {
            loaded.sequencedValues().removeFirst().close();
        }
        return program;
    }

    private static int attach(Fd cgroup, Hook hook, Fd program, List<Fd> before) {
        int id = SysBpf.id(program);
        if (before.stream().noneMatch(old -> SysBpf.id(old) == id)) {
            int r = SysBpf.attach(cgroup, hook, program);
            ErrnoException.check(r, "bpf(BPF_PROG_ATTACH)", "the cgroup");
        }
        return id;
    }

    /** Forgets the loaded programs; those that are attached stay so. */
    @Override
    public synchronized void close() {
        loaded.values().forEach(Fd::close);
        loaded.clear();
    }

    /** Warns once that a directive has no effect. */
    private synchronized void warn(String unit, ResourceSettings settings) {
        Optional<String> directive = settings.needingPrograms().stream().findFirst();
        if (!warned && directive.isPresent()) {
            warned = true;
            warnings.accept(
                    "%s=, of %s and perhaps of more units, has no effect: %s"
                            .formatted(directive.get(), unit, refusal.orElse("")));
        }
    }

    /** Returns why the directives of a unit that need programs have no effect, if that is so. */
    public Optional<String> refusalOf(ResourceSettings settings) {
        Set<String> directives = settings.needingPrograms();
        return directives.isEmpty()
                ? Optional.empty()
                : refusal.map(
                        reason -> String.join("=, ", directives) + "= is not applied: " + reason);
    }

    /** Returns the directives of a unit that have no effect, with their consequences. */
    public Stream<Diagnostic> diagnostics(UnitSource unit, ResourceSettings settings) {
        return refusal.stream()
                .flatMap(reason ->
                        settings.needingPrograms().stream()
                                .map(each ->
                                        new Diagnostic(
                                                unit.placeOf(each, ""),
                                                Diagnostic.Kind.NOT_APPLIED,
                                                each + "= is not applied: " + reason,
                                                DirectiveCost.of(each))));
    }
}
