package io.holdfast.cli.service;

import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.manager.verify.SecurityAssessment;
import io.holdfast.manager.verify.SecurityAssessment.Test;
import java.util.Comparator;
import java.util.List;

/** Prints how exposed a service is. */
final class Exposure {
    private static final int NAME_WIDTH = 60;

    private Exposure() {}

    static void print(SecurityAssessment assessment, boolean json, Output output) {
        if (json) {
            output.line(json(assessment).toString());
            return;
        }
        List<Test> worstFirst =
                assessment.tests().stream()
                        .sorted(
                                Comparator.comparingLong((Test test) -> assessment.exposure(test))
                                        .reversed()
                                        .thenComparing(Test::name))
                        .toList();
        for (Test test : worstFirst) {
            long exposure = assessment.exposure(test);
            String name = test.name();
            if (exposure == 0) {
                output.line(output.good("  ok "), name);
            } else {
                String gap = " ".repeat(Math.max(1, NAME_WIDTH - name.length()));
                output.line(output.bad(" " + tenths(exposure) + " "), name, gap, test.text());
            }
        }
        output.line(
                assessment.service(),
                ": exposure ",
                tenths(assessment.exposure()),
                " ",
                assessment.level());
    }

    private static String tenths(long exposure) {
        return exposure / 10 + "." + exposure % 10;
    }

    private static JsonText json(SecurityAssessment assessment) {
        List<JsonText> tests =
                assessment.tests().stream()
                        .map(test ->
                                JsonText.object()
                                        .put("name", test.name())
                                        .put("exposure", tenths(assessment.exposure(test))))
                        .toList();
        return JsonText.object()
                .put("unit", assessment.service())
                .put("exposure", tenths(assessment.exposure()))
                .put("level", assessment.level())
                .put("tests", tests);
    }
}
