package io.holdfast.manager.unit.section;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.value.FuzzedHost;
import java.util.List;

/**
 * Unit files: no bytes make the parser or the readers of the directives throw, the text of a parsed
 * file parses to the same file, and every diagnostic is one bounded line.
 */
public final class UnitFileTarget {
    private static final List<UnitName> NAMES =
            List.of(
                    UnitName.of("fuzz.service"),
                    UnitName.of("fuzz@in-stance.service"),
                    UnitName.of("fuzz.socket"),
                    UnitName.of("fuzz.target"),
                    UnitName.of("fuzz-ed.slice"));

    private UnitFileTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, UnitFileTarget::check);
    }

    /** The first byte chooses the unit's name and thereby its type. */
    private static void check(byte[] input) {
        UnitName name = NAMES.get(Inputs.selector(input) % NAMES.size());
        UnitFile file = UnitFile.parse("fuzzed", Inputs.rest(input));
        UnitFile again = UnitFile.parse("fuzzed", file.toText());
        same(again.toText(), file.toText());
        require(again.diagnostics().isEmpty(), "the text of what was understood is sound");
        Unit unit =
                new UnitReader(FuzzedHost.HOST, FuzzedHost.SCOPE)
                        .read(UnitSource.inMemory(name, file));
        same(unit.name(), name);
        for (Diagnostic diagnostic : unit.diagnostics()) {
            String text = diagnostic.toString();
            require(!text.isBlank() && !text.contains("\n"), "a diagnostic is one line");
        }
    }
}
