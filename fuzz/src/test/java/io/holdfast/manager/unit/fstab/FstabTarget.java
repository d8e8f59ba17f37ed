package io.holdfast.manager.unit.fstab;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.FuzzedHost;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * An fstab(5): whatever its lines are, each unit that they make is one that the manager starts, no
 * file or link is made outside of the folder, and each problem is one line.
 */
public final class FstabTarget {
    private static final FstabUnits.Machine MACHINE =
            new FstabUnits.Machine(false, true, (path, _) -> Path.of(path).normalize().toString());
    private static final Pattern DROP_IN =
            Pattern.compile("[^/]+\\.device\\.d/50-(device-timeout|netdev-dependencies)\\.conf");

    /** Other parsers read the units, and need most of the time. */
    private static final int MOST_READ = 8;

    private FstabTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, FstabTarget::check);
        units(input, new ArrayList<>()).files().entrySet().stream()
                .limit(MOST_READ)
                .forEach(file -> checkFile(file.getKey(), file.getValue()));
    }

    private static FstabUnits units(byte[] input, List<String> problems) {
        return FstabUnits.of(Inputs.text(input), Path.of("/etc/fstab"), MACHINE, problems);
    }

    private static void check(byte[] input) {
        List<String> problems = new ArrayList<>();
        FstabUnits units = units(input, problems);
        for (String problem : problems) {
            require(problem.lines().count() == 1, "a problem is one line");
        }
        units.links()
                .forEach((path, target) -> {
                    String[] names = path.split("/", -1);
                    require(names.length == 2, "a link is in a folder of its owner");
                    require(
                            UnitName.parse(names[0].replaceFirst("\\.(wants|requires)$", ""))
                                    .isPresent(),
                            "an owner is a unit");
                    require(target.equals("../" + names[1]), "a link leads to its unit");
                    require(units.files().containsKey(names[1]), "the unit is made");
                });
    }

    private static void checkFile(String path, String text) {
        if (DROP_IN.matcher(path).matches()) {
            return;
        }
        UnitFile file = UnitFile.parse(path, text.getBytes(StandardCharsets.UTF_8));
        Unit unit =
                new UnitReader(FuzzedHost.HOST, FuzzedHost.SCOPE)
                        .read(UnitSource.inMemory(UnitName.of(path), file));
        for (Diagnostic diagnostic : unit.diagnostics()) {
            require(diagnostic.kind() != Diagnostic.Kind.REFUSED, path + ": " + diagnostic);
        }
    }
}
