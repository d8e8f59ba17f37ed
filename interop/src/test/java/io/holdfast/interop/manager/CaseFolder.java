package io.holdfast.interop.manager;

import io.holdfast.manager.unit.ManagerScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The folder of a case: its units in {@code units}, those of all cases in {@code base}, the script
 * and its files.
 *
 * @param path the folder as this process sees it
 * @param seen the folder as the manager, its services and the script see it
 */
record CaseFolder(Path path, String seen) {
    static final String SCRIPT = "script.sh";

    /** How often a script polls for a condition: half a minute at least. */
    static final int POLLS = 1500;

    /** The same for a condition that is known not to come true. */
    static final int FEW_POLLS = 20;

    Path units() {
        return path.resolve("units");
    }

    Path base() {
        return path.resolve("base");
    }

    /** Returns the folders of unit files, as container.sh has them. */
    List<Path> loadPath() {
        return List.of(
                path.resolve("etc/systemd/system.control"),
                path.resolve("run/systemd/system.control"),
                path.resolve("etc/systemd/system"),
                path.resolve("run/systemd/system"),
                units(),
                base());
    }

    /** Returns the system's scope, with folders of the case instead of /etc, /run and /var/lib. */
    ManagerScope scope() {
        ManagerScope system = ManagerScope.system(Map.of());
        return new ManagerScope(
                false,
                path.resolve("run").toString(),
                path.resolve("lib").toString(),
                system.cacheDirectory(),
                system.logsDirectory(),
                path.resolve("etc").toString(),
                system.sharedDataDirectory(),
                system.account(),
                system.temporaryDirectory(),
                system.largeTemporaryDirectory(),
                system.variables(),
                system.umask());
    }

    void writeBase() throws IOException {
        writeUnits(base(), CaseFiles.base());
        for (Path folder : loadPath()) {
            Path _ = Files.createDirectories(folder);
        }
        Path _ = Files.createDirectories(path.resolve("lib"));
    }

    void write(UnitCase one, int polls) throws IOException {
        for (String name : new String[] {"prelude.sh", "gate.sh", "note.sh"}) {
            Path _ = Files.writeString(path.resolve(name), CaseFiles.resource(name));
        }
        writeUnits(units(), one.units());
        Path _ = Files.writeString(path.resolve(SCRIPT), expanded(one.script(polls)));
    }

    private void writeUnits(Path folder, Map<String, String> units) throws IOException {
        for (Map.Entry<String, String> unit : units.entrySet()) {
            Path file = folder.resolve(unit.getKey());
            Path _ = Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Path _ = Files.writeString(file, expanded(unit.getValue()));
        }
    }

    private String expanded(String text) {
        return text.replace("{dir}", seen)
                .replace("{units}", seen + "/units")
                .replace("{gate}", "/bin/sh " + seen + "/gate.sh")
                .replace("{note}", "/bin/sh " + seen + "/note.sh")
                .replace("{sleep}", "/bin/sleep 1000");
    }

    /** Replaces folders in a transcript by the placeholders of a case. */
    String contracted(String transcript) {
        return transcript
                .replace("/bin/sh " + seen + "/gate.sh", "{gate}")
                .replace("/bin/sh " + seen + "/note.sh", "{note}")
                .replace("/bin/sleep 1000", "{sleep}")
                .replace(seen + "/manager/transient", "/run/systemd/transient")
                .replace(seen + "/etc", "/etc")
                .replace(seen + "/run", "/run")
                .replace(seen + "/lib", "/var/lib")
                .replace(seen + "/units", "{units}")
                .replace(seen, "{dir}");
    }
}
