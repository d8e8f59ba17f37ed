package io.holdfast.manager.resource;

import io.holdfast.core.Fd;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The limits of one cgroup.
 *
 * @param slices the settings of the slices above it, the nearest first
 * @param killsAll whether the OOM killer kills all its processes at once
 */
public record ResourceLimits(
        ResourceSettings settings, List<ResourceSettings> slices, boolean killsAll) {
    /**
     * Writes them. Blocking.
     *
     * @param folder of the cgroup, lent
     * @param enabled the controllers that the cgroup has
     * @param before the settings that hold until now
     * @param isNew whether the cgroup still has the kernel's defaults
     * @param problems receives a line for each that cannot be written
     */
    public void write(
            Fd folder,
            Set<Controller> enabled,
            Optional<ResourceSettings> before,
            boolean isNew,
            Consumer<String> problems) {
        if (enabled.isEmpty()) {
            return;
        }
        List<Attribute> all =
                new ArrayList<>(
                        AttributeList.of(settings, slices, before, new BlockDevices(problems)));
        all.add(
                new Attribute(
                        Controller.MEMORY,
                        "memory.oom.group",
                        killsAll ? "1" : "0",
                        !killsAll,
                        Optional.empty()));
        AttributeWriter.write(folder, all, enabled, isNew, problems);
    }
}
