package io.holdfast.core.machine;

import io.holdfast.core.process.CgroupPath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The names of local containers and virtual machines as systemd-machined(8) publishes them: for
 * each machine a symbolic link {@code unit:UNIT} that points at its name.
 */
public record MachineRegistry(Path folder) {
    /** The registry of the running system. */
    public static final MachineRegistry SYSTEM =
            new MachineRegistry(Path.of("/run/systemd/machines"));

    /**
     * {@return the machine to whose unit a cgroup belongs, as sd_pid_get_machine_name(3) finds it;
     * empty if the cgroup is in no unit or the unit is not a machine's} Reads one link on each
     * call.
     *
     * @throws UncheckedIOException if the link exists but cannot be read
     */
    public Optional<String> machineName(CgroupPath path) {
        return path.unit().flatMap(this::machineOfUnit);
    }

    private Optional<String> machineOfUnit(String unit) {
        Path link = folder.resolve("unit:" + unit);
        try {
            return Optional.of(Files.readSymbolicLink(link).toString());
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("machine name from " + link, e);
        }
    }
}
