package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of systemd are read with the same entries as journalctl reads, byte for byte. */
@SameOnEveryKernel
@Needs(programs = Journalctl.PROGRAM, files = Journalctl.REMOTE)
class ReadDifferenceTest {
    @TempDir Path folder;

    static Stream<Arguments> formats() {
        List<String> formats =
                List.of(
                        "",
                        "COMPACT=0",
                        "COMPRESS=LZ4",
                        "COMPRESS=XZ",
                        "COMPRESS=0",
                        "KEYED_HASH=0,COMPACT=0");
        return formats.stream()
                .flatMap(format -> Gen.cases(1).map(gen -> Arguments.of(format, gen)));
    }

    private static Map<String, String> environment(String format) {
        return Arrays.stream(format.split(","))
                .filter(setting -> !setting.isEmpty())
                .map(setting -> setting.split("=", 2))
                .collect(
                        Collectors.toMap(
                                setting -> "SYSTEMD_JOURNAL_" + setting[0], setting -> setting[1]));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void everyFormatOfSystemdIsReadAsJournalctlDoes(String format, Gen gen) throws Exception {
        Path file = folder.resolve("system.journal");
        List<Entry> entries = Entries.random(gen, 200);
        Journalctl.write(file, entries, environment(format));

        List<Entry> read = Entries.of(file);

        assertThat(read).hasSameSizeAs(entries);
        assertThat(Journalctl.export(read))
                .isEqualTo(Journalctl.read(file, "-o", "export").output());
        Verification verification = JournalVerifier.verify(file);
        assertThat(verification.problems()).isEmpty();
        assertThat(verification.entries()).isEqualTo(200);
    }
}
