package io.holdfast.manager.run;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.resource.OomWatch;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.settings.CgroupSettings;
import java.util.Optional;

/**
 * The limits of a run's cgroup, what it uses, and the watch for processes that the kernel kills for
 * want of memory. Used on the event loop, but for the construction and {@link #end}.
 */
public final class RunResources {
    private static final String KILLS = "oom-kills";

    private final ManagerContext context;
    private final Workload run;
    private final Lane lane;
    private final Optional<Cgroup> cgroup;
    private final Optional<OomWatch> watch;
    private volatile CgroupSettings settings;
    private volatile ResourceUsage total = ResourceUsage.UNKNOWN; // at the end
    private boolean closed;

    /**
     * Opens the files of a run's cgroup, which is lent.
     *
     * @param lane for changes
     * @param known how many processes the OOM killer has killed, as far as that was noticed; -1:
     *     all so far
     * @param killed called on the loop when it has killed another one
     */
    public RunResources(
            ManagerContext context,
            Workload run,
            Lane lane,
            CgroupSettings settings,
            Optional<Cgroup> cgroup,
            long known,
            Runnable killed) {
        this.context = context;
        this.run = run;
        this.lane = lane;
        this.settings = settings;
        this.cgroup = cgroup;
        this.watch = cgroup.flatMap(one -> OomWatch.of(one, known, killed));
    }

    /** Returns how many processes the OOM killer had killed, as a record says. */
    public static long known(Optional<Fields> record) {
        return record.map(fields -> fields.number(KILLS)).orElse(-1L);
    }

    /** Begins the watch. */
    public void begin() {
        watch.ifPresent(opened -> opened.begin(context.loop()));
    }

    /** Looks for a killed process whose exit may be reported before the kill. */
    public void check() {
        watch.ifPresent(OomWatch::check);
    }

    /** Records what the next manager has to know. */
    public void record(Fields fields) {
        fields.put(KILLS, watch.map(OomWatch::known).orElse(0L));
    }

    /** Changes the limits while it runs. */
    public void change(CgroupSettings next) {
        Optional<UnitCgroups> cgroups = context.cgroups();
        CgroupSettings before = settings;
        if (cgroup.isEmpty() || cgroups.isEmpty() || next.equals(before)) {
            return;
        }
        settings = next;
        Work<Boolean> _ =
                lane.work(
                                "the change of its limits",
                                () -> {
                                    cgroups.get()
                                            .change(
                                                    run.unit(),
                                                    run.slice(),
                                                    cgroup.get(),
                                                    before,
                                                    next,
                                                    this::warn);
                                    return true;
                                })
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        run.unit(),
                                        "cannot change its limits: " + Work.reason(failure));
                            }
                        });
    }

    private void warn(String text) {
        context.loop().postEnding(() -> context.warn(run.unit(), text));
    }

    /** Returns what it uses now, or has used at its end. */
    public ResourceUsage usage() {
        return !closed ? cgroup.map(this::of).orElse(ResourceUsage.UNKNOWN) : total;
    }

    /** Notes what it has used, before its cgroup is removed. Runs on a worker. */
    public void end() {
        cgroup.ifPresent(open -> total = of(open));
    }

    private ResourceUsage of(Cgroup open) {
        return ResourceUsage.of(open.fd(), settings.resources().countsPackets());
    }

    /** Returns what it has used, once it has ended. */
    public ResourceUsage total() {
        return total;
    }

    /** Ends the watch. */
    public void close() {
        closed = true;
        watch.ifPresent(OomWatch::close);
    }
}
