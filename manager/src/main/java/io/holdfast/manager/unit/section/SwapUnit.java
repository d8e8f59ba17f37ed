package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.MountOptions;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A swap: the device or file to which memory is paged out, after systemd.swap(5). */
public record SwapUnit(
        UnitParts parts, Section swap, ExecSettings exec, KillSettings kill, CgroupSettings cgroup)
        implements AttachmentUnit {
    private static final UnitName SWAP = UnitName.of("swap.target");
    private static final UnitName UMOUNT = UnitName.of("umount.target");

    /**
     * The {@code [Swap]} section.
     *
     * @param what the path of the device or file; by default that of the unit's name
     * @param priority empty: the kernel's choice
     * @param timeout of each command
     */
    public record Section(
            String what, Optional<Integer> priority, MountOptions options, TimeSpan timeout) {}

    private static final class Reader implements SectionReader {
        private String what = "";
        private Optional<Integer> priority = Optional.empty();
        private MountOptions options = MountOptions.NONE;
        private TimeSpan timeout;

        Reader(ManagerDefaults defaults) {
            timeout = defaults.timeoutStart();
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "What" -> what = a.text(Optional.of(what)).map(DeviceUnit::node).orElse("");
                case "Priority" ->
                        priority =
                                a.optional(
                                        priority,
                                        text -> Scalars.parseInt(text, -1, Short.MAX_VALUE));
                case "Options" ->
                        options =
                                a.optional(Optional.of(options), MountOptions::parse)
                                        .orElse(MountOptions.NONE);
                case "TimeoutSec" -> timeout = a.timeout(timeout);
                default -> {
                    return false;
                }
            }
            return true;
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        Reader swap = new Reader(defaults);
        ExecSettingsReader exec = new ExecSettingsReader(scope, defaults);
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader(defaults);
        return new UnitFormat.OwnSection(
                List.of(swap, exec, kill, cgroup),
                draft -> {
                    String what =
                            swap.what.isEmpty()
                                    ? MountUnit.pathOf(draft.source().name()).orElse("")
                                    : swap.what;
                    if (draft.isWhole()) {
                        boolean _ = MountUnit.checkPath(draft, "What", what);
                    }
                    ExecSettings execution = exec.build();
                    KillSettings signals = kill.build();
                    ExecChecks.check(draft, execution, signals, scope);
                    return new SwapUnit(
                            draft.parts(),
                            new Section(what, swap.priority, swap.options, swap.timeout),
                            execution,
                            signals,
                            cgroup.build(execution.sandbox()));
                });
    }

    @Override
    public SwapUnit with(UnitParts other) {
        return new SwapUnit(other, swap, exec, kill, cgroup);
    }

    @Override
    public TimeSpan timeout() {
        return swap.timeout();
    }

    @Override
    public Optional<ExecSettings> execution() {
        return Optional.of(exec);
    }

    @Override
    public List<String> neededPaths(ManagerScope scope) {
        List<String> paths = new ArrayList<>(AttachmentUnit.super.neededPaths(scope));
        if (!DeviceUnit.isNode(swap.what()) && swap.what().startsWith("/")) {
            paths.add(swap.what());
        }
        return paths;
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.needs(implied, cgroup.sliceOf(name(), scope));
        DeviceUnit.of(swap.what()).ifPresent(device -> ImpliedDependencies.needs(implied, device));
        if (unit().defaultDependencies()) {
            implied.add(Dependency.BEFORE, SWAP);
            implied.add(Dependency.BEFORE, UMOUNT);
            implied.add(Dependency.CONFLICTS, UMOUNT);
        }
    }
}
