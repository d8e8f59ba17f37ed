package io.holdfast.cli.up;

import static java.util.Map.entry;

import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitGenerator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The target that the init of a container starts if no unit is named: {@code default.target}, or
 * else {@code multi-user.target}, with all that its image enables. An image without systemd has
 * links that enable units, but not the targets themselves: those are made.
 */
final class BootTarget {
    private static final UnitName DEFAULT = UnitName.of("default.target");
    private static final UnitName MULTI_USER = UnitName.of("multi-user.target");

    /** The targets of a boot, after bootup(7), by name: the dependencies of each. */
    private static final Map<String, String> TARGETS =
            Map.ofEntries(
                    entry("graphical.target", after("Requires=", "multi-user.target")),
                    entry(
                            "multi-user.target",
                            after("Requires=", "basic.target")
                                    + after("Wants=", "remote-fs.target")),
                    entry(
                            "basic.target",
                            after("Requires=", "sysinit.target")
                                    + after("Wants=", "sockets.target timers.target paths.target")),
                    entry("sysinit.target", after("Wants=", "local-fs.target swap.target")),
                    entry("local-fs.target", ""),
                    entry("remote-fs.target", ""),
                    entry("swap.target", ""),
                    entry("sockets.target", ""),
                    entry("timers.target", ""),
                    entry("paths.target", ""),
                    entry("network.target", ""),
                    entry("network-online.target", ""));

    private BootTarget() {}

    private static String after(String dependency, String targets) {
        return dependency + targets + "\nAfter=" + targets + "\n";
    }

    /** Returns the target. Blocking. */
    static UnitName of(LoadPath path) {
        boolean isSet =
                path.folders().stream()
                        .map(folder -> folder.resolve(DEFAULT.text()))
                        .anyMatch(Files::exists);
        return isSet ? DEFAULT : MULTI_USER;
    }

    /**
     * Makes a manager start the targets that units pull in, which on a booted machine count as
     * reached.
     */
    static ManagerOptions applied(ManagerOptions options) {
        LoadPath path = options.loadPath();
        List<Path> own = new ArrayList<>(options.units());
        own.addAll(path.folders());
        UnitGenerator others = path.generator();
        Path folder = path.folders().getLast();
        return options.withUnits(own)
                .withGenerator(name -> made(name, folder).or(() -> others.generate(name)));
    }

    private static Optional<UnitGenerator.Generated> made(UnitName name, Path folder) {
        return Optional.ofNullable(TARGETS.get(name.text()))
                .map(dependencies ->
                        new UnitGenerator.Generated(
                                folder.resolve(name.text()),
                                "[Unit]\nDescription=Target "
                                        + name.stem()
                                        + "\nDefaultDependencies=no\n"
                                        + dependencies));
    }
}
