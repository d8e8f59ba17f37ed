package io.holdfast.manager.resource;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.manager.unit.resource.Controller;
import java.util.Collection;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes the files of a cgroup. A value that cannot be written is reported, and the others hold.
 */
final class AttributeWriter {
    private AttributeWriter() {}

    /**
     * Writes the values of the enabled controllers. Blocking.
     *
     * @param folder of the cgroup, lent
     * @param isNew whether the files still have their default values
     * @param problems receives a line for each value that cannot be written
     */
    static void write(
            Fd folder,
            Collection<Attribute> attributes,
            Set<Controller> enabled,
            boolean isNew,
            Consumer<String> problems) {
        for (Attribute each : attributes) {
            if (enabled.contains(each.controller()) && !(isNew && each.isDefault())) {
                int r = KernelFile.write(folder, each.file(), each.value() + "\n");
                boolean isOlderKernel = r == -Errno.ENOENT && each.isDefault();
                if (r < 0 && !isOlderKernel) {
                    problems.accept(problem(each, -r));
                }
            }
        }
    }

    private static String problem(Attribute attribute, int errno) {
        String subject = attribute.file() + " of its cgroup";
        String what =
                new ErrnoException("write " + attribute.value().strip(), subject, errno)
                        .getMessage();
        return attribute.directive().map(each -> each.key() + "= is not applied: ").orElse("")
                + (errno == Errno.ENOENT
                        ? "the kernel has no attribute " + attribute.file()
                        : what);
    }
}
