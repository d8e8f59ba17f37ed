package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.up.JournalPlace;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.WriterOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the lines of a journal that status shows. */
class JournaledLinesTest {
    @TempDir private Path folder;

    @Test
    void statusShowsNoLineThatAUserHasForged() throws Exception {
        try (JournalWriter writer =
                JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard())) {
            for (String user : List.of("0", "61001")) {
                long _ =
                        writer.append(
                                List.of(
                                        Field.of("MESSAGE", "said by " + user),
                                        Field.of("SYSLOG_IDENTIFIER", "holdfast"),
                                        Field.of("UNIT", "nginx.service"),
                                        Field.of("_UID", user)));
            }
        }
        List<String> lines =
                JournaledLines.last(new JournalPlace(folder, folder, false), "nginx.service", 10);
        assertThat(lines).singleElement().asString().endsWith("holdfast: said by 0");
    }
}
