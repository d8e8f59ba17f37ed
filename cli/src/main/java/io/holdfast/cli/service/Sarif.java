package io.holdfast.cli.service;

import io.holdfast.cli.output.JsonText;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.verify.UnitVerifier.Verdict;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Diagnostics of units in the Static Analysis Results Interchange Format, version 2.1.0.
 *
 * @see <a href="https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html">SARIF</a>
 */
final class Sarif {
    private static final String VERSION = "2.1.0";
    private static final String SCHEMA =
            "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

    private Sarif() {}

    /** Returns a document of one run, with a result for each diagnostic. */
    static JsonText document(List<Verdict> verdicts) {
        List<JsonText> results = new ArrayList<>();
        for (Verdict verdict : verdicts) {
            verdict.diagnostics().forEach(each -> results.add(result(verdict, each)));
        }
        List<JsonText> rules =
                Arrays.stream(Diagnostic.Kind.values())
                        .map(kind -> JsonText.object().put("id", VerifyCommand.word(kind)))
                        .toList();
        JsonText driver = JsonText.object().put("name", "holdfast verify").put("rules", rules);
        JsonText run =
                JsonText.object()
                        .put("tool", JsonText.object().put("driver", driver))
                        .put("results", results);
        return JsonText.object()
                .put("$schema", SCHEMA)
                .put("version", VERSION)
                .put("runs", List.of(run));
    }

    private static JsonText result(Verdict verdict, Diagnostic diagnostic) {
        return JsonText.object()
                .put("ruleId", VerifyCommand.word(diagnostic.kind()))
                .put("level", level(diagnostic))
                .put(
                        "message",
                        JsonText.object()
                                .put("text", verdict.unit().text() + ": " + diagnostic.text()))
                .put("locations", locations(verdict, diagnostic));
    }

    private static String level(Diagnostic diagnostic) {
        return switch (diagnostic.severity()) {
            case ERROR -> "error";
            case WARNING -> "warning";
            case NOTICE -> "note";
        };
    }

    /** Returns the line; for a diagnostic about a unit as a whole, its file. */
    private static List<JsonText> locations(Verdict verdict, Diagnostic diagnostic) {
        String source = diagnostic.place().source();
        if (!source.startsWith("/")) {
            source = verdict.fragment().map(Path::toString).orElse("");
        }
        if (source.isEmpty()) {
            return List.of();
        }
        JsonText place =
                JsonText.object()
                        .put(
                                "artifactLocation",
                                JsonText.object().put("uri", Path.of(source).toUri().toString()));
        if (diagnostic.place().line() > 0) {
            place.put("region", JsonText.object().put("startLine", diagnostic.place().line()));
        }
        return List.of(JsonText.object().put("physicalLocation", place));
    }
}
