package io.holdfast.manager.path;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.runtime.TriggeringUnit;
import io.holdfast.manager.unit.condition.MachineFacts;
import io.holdfast.manager.unit.section.PathUnit;
import io.holdfast.manager.unit.section.PathUnit.Kind;
import io.holdfast.manager.unit.section.PathUnit.Watched;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A path at run time, after systemd.path(5): waits until a file is there, or has changed, and then
 * starts its unit. While that unit is up it does not look at the files. Used on the event loop.
 */
public final class ManagedPath extends TriggeringUnit implements PathWatch.Listener {
    private Map<Watched, Boolean> existed = new HashMap<>(); // its content is used in the lane
    private StartLimit triggerLimit;
    private @Nullable PathWatch watch;

    /** The start that ends when the paths are watched: a change after it must not be missed. */
    private @Nullable Consumer<JobResult> waiter;

    public ManagedPath(ManagerContext context, Unit unit) {
        super(context, unit);
        triggerLimit = new StartLimit(section().triggerLimit());
    }

    private PathUnit.Section section() {
        return ((PathUnit) unit()).path();
    }

    @Override
    protected void begin(Consumer<JobResult> done) {
        PathUnit.Section section = section();
        triggerLimit = new StartLimit(section.triggerLimit());
        Work<Boolean> _ =
                lane.work(
                                "the creation of its folders",
                                () -> {
                                    if (!context.events().activation().isThere(section.unit())) {
                                        return false;
                                    }
                                    makeFolders(section);
                                    return true;
                                })
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((isThere, error) -> {
                            if (isThere == null) {
                                context.warn(
                                        name(), "cannot make its folders: " + Work.reason(error));
                            } else if (!isThere) {
                                refuse(done, "Unit=" + section.unit() + ": there is no such unit");
                                return;
                            }
                            existed = new HashMap<>();
                            waiter = done;
                            await();
                            if (watch == null) {
                                started();
                            }
                        });
    }

    private static void makeFolders(PathUnit.Section section) throws Exception {
        for (Watched one : section.watched()) {
            boolean isFolder = one.kind() != Kind.EXISTS && one.kind() != Kind.EXISTS_GLOB;
            if (section.makeDirectory() && isFolder) {
                Directory.make(one.path(), section.directoryMode()).close();
            }
        }
    }

    @Override
    protected void await() {
        if (state() == State.RUNNING) {
            existed = new HashMap<>(); // what changed while the other unit was up is no event
        }
        ignore();
        if (context.events().activation().phaseOf(triggered()) != RunPhase.DOWN) {
            enter(State.RUNNING);
            return;
        }
        enter(State.WAITING);
        MachineFacts machine =
                new MachineFacts(
                        Path.of("/"),
                        context.host(),
                        context.scope().account(),
                        Map.of(),
                        Map.of());
        try {
            watch =
                    new PathWatch(
                            context.loop(), lane, section().watched(), machine, existed, this);
        } catch (ErrnoException e) {
            failed(String.valueOf(e.getMessage()));
        }
    }

    private void started() {
        Consumer<JobResult> done = waiter;
        waiter = null;
        if (done != null) {
            done.accept(state() == State.FAILED ? JobResult.FAILED : JobResult.DONE);
        }
    }

    @Override
    public void watching() {
        started();
    }

    @Override
    public void found(String path) {
        watch = null;
        if (triggerLimit.tryStart(System.nanoTime())) {
            trigger("a change of " + path, () -> Map.of("TRIGGER_PATH", path));
        } else {
            fail(
                    Result.TRIGGER_LIMIT_HIT,
                    "trigger limit hit by starts of "
                            + triggered()
                            + " (TriggerLimitBurst="
                            + section().triggerLimit().burst()
                            + "): no longer waiting");
        }
        started();
    }

    @Override
    public void failed(String why) {
        watch = null;
        fail(Result.RESOURCES, "cannot watch its paths: " + why);
        started();
    }

    @Override
    protected void ignore() {
        if (watch != null) {
            watch.close();
            watch = null;
        }
    }

    @Override
    protected void noteTriggered(ManagedUnit other) {
        if (other.mayStartIn().isPresent()) {
            fail(Result.UNIT_START_LIMIT_HIT, triggered() + ": start limit hit: no longer waiting");
        }
    }
}
