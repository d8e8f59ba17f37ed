package io.holdfast.manager.slice;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.PassiveUnit;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.section.SliceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitStatus;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A slice at run time. It has a cgroup while it is active. The units in it require it, so they stop
 * with it and before it.
 */
public final class ManagedSlice extends PassiveUnit {
    public ManagedSlice(ManagerContext context, Unit unit) {
        super(context, unit);
        if (isPerpetual()) {
            enter(ActiveState.ACTIVE);
            if (!resources().values().isEmpty()) {
                apply("the limits of its cgroup", () -> {});
            }
        }
    }

    private ResourceSettings resources() {
        return ((SliceUnit) unit()).resources();
    }

    /** Makes its cgroup, if there is none, and sets its limits. */
    private void apply(String what, Runnable then) {
        ResourceSettings settings = resources();
        Consumer<String> problems =
                text -> context.loop().postEnding(() -> context.warn(unit().name(), text));
        withCgroups(what, cgroups -> cgroups.makeSlice(unit().name(), settings, problems), then);
    }

    /** Applies changed limits at once. */
    @Override
    public void reloaded(Unit newer) {
        ResourceSettings before = resources();
        super.reloaded(newer);
        if (activeState() == ActiveState.ACTIVE && !resources().equals(before)) {
            apply("the limits of its cgroup", () -> {});
        }
    }

    @Override
    public boolean isPerpetual() {
        return ((SliceUnit) unit()).isPerpetual();
    }

    @Override
    protected void begin(Runnable done) {
        apply("the creation of its cgroup", done);
    }

    @Override
    protected void end(Runnable done) {
        withCgroups(
                "the removal of its cgroup",
                cgroups -> cgroups.removeSlice(unit().name()),
                () -> {
                    done.run();
                    context.events().settled(unit().name(), activeState());
                });
    }

    /**
     * Runs a task on a worker. A failure is logged and stops nothing: units make the cgroups that
     * they need.
     */
    private void withCgroups(String what, Consumer<UnitCgroups> task, Runnable then) {
        Optional<UnitCgroups> cgroups = context.cgroups();
        if (cgroups.isEmpty()) {
            then.run();
            return;
        }
        Work<Boolean> _ =
                lane.work(
                                what,
                                () -> {
                                    task.accept(cgroups.get());
                                    return true;
                                })
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(unit().name(), what + ": " + Work.reason(failure));
                            }
                            then.run();
                        });
    }

    @Override
    public ResourceUsage usage() {
        return activeState() == ActiveState.ACTIVE
                ? context.cgroups()
                        .map(cgroups -> cgroups.usageOf(unit().name()))
                        .orElse(ResourceUsage.UNKNOWN)
                : ResourceUsage.UNKNOWN;
    }

    /** Restores its limits too, which the next manager reads from its files. */
    @Override
    public Runnable restore(Fields record) {
        Runnable restored = super.restore(record);
        return () -> {
            restored.run();
            apply("the limits of its cgroup", () -> {});
        };
    }

    @Override
    public UnitStatus status() {
        return activeState() == ActiveState.ACTIVE
                ? super.status()
                        .withCgroup(
                                context.cgroups()
                                        .map(cgroups -> cgroups.pathOf(unit().name()).path()))
                : super.status();
    }
}
