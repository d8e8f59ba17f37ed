package io.holdfast.manager.unit.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The drop-ins of {@code systemctl set-property} for one unit: a file {@code 50-DIRECTIVE.conf} for
 * each directive, which replaces the file of an earlier call. {@code systemctl revert} removes
 * them. Blocking.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemctl.html">systemctl</a>
 */
public final class PropertyFiles {
    private static final String HEAD =
            """
            # This is a drop-in unit file extension, created via "systemctl set-property"
            # or an equivalent operation. Do not edit.
            """;
    private static final String PREFIX = "50-";
    private static final String SUFFIX = ".conf";
    private static final int MODE = 0644;
    private static final int FOLDER_MODE = 0755;

    private final Path folder;
    private final String subfolder;
    private final Map<String, String> lines;

    /**
     * @param folder a folder of the unit's load path
     * @param lines the lines of each directive, with the header of their section
     */
    public PropertyFiles(Path folder, UnitName unit, Map<String, String> lines) {
        this.folder = folder;
        this.subfolder = unit + ".d";
        this.lines = Map.copyOf(lines);
    }

    private Path file(String directive) {
        return folder.resolve(subfolder).resolve(name(directive));
    }

    private static String name(String directive) {
        return PREFIX + directive + SUFFIX;
    }

    /** Returns whether a file has the name of such a drop-in. */
    public static boolean isName(String file) {
        return file.startsWith(PREFIX) && file.endsWith(SUFFIX);
    }

    /** Returns the files of a unit as they will be when these drop-ins are written. */
    public UnitSource with(UnitSource unit) {
        List<UnitFile> files = new ArrayList<>(unit.files());
        lines.forEach(
                (directive, text) -> files.add(UnitFile.parse(file(directive).toString(), text)));
        return new UnitSource(
                unit.name(),
                unit.names(),
                unit.state(),
                unit.fragment(),
                unit.dropIns(),
                files,
                unit.links(),
                unit.diagnostics());
    }

    public boolean has(String path) {
        return lines.keySet().stream().anyMatch(each -> file(each).toString().equals(path));
    }

    /**
     * Writes the drop-ins.
     *
     * @throws ErrnoException EROFS, ENOSPC and others
     */
    public void write() {
        try (TrustedFolder top = TrustedFolder.make(folder);
                TrustedFolder in = top.child(subfolder, FOLDER_MODE)) {
            lines.forEach((directive, text) ->
                    in.write(name(directive), MODE, (HEAD + text).getBytes(UTF_8)));
        }
    }
}
