package io.holdfast.interop.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The cases in the folder {@code cases}, and those that our manager does not fulfil yet: {@code
 * differences.txt} has a line for each, with its title and the difference. {@code
 * -Dholdfast.cases=REGEX} selects by file and title.
 */
final class CaseFiles {
    private static final Pattern SELECTED =
            Pattern.compile(System.getProperty("holdfast.cases", ""));

    private static final Path SOURCES =
            Path.of("src/test/resources/io/holdfast/interop/manager/cases");

    private CaseFiles() {}

    /** Returns all selected cases; no title occurs twice. */
    static List<UnitCase> all() {
        List<UnitCase> cases = new ArrayList<>();
        Set<String> titles = new HashSet<>();
        for (Path file : files()) {
            for (UnitCase one : UnitCase.parse(name(file), text(file))) {
                if (!titles.add(one.title())) {
                    throw new IllegalArgumentException("a title is there twice: " + one);
                }
                cases.add(one);
            }
        }
        for (String title : differences().keySet()) {
            if (!titles.contains(title)) {
                throw new IllegalArgumentException("differences.txt has no case's title: " + title);
            }
        }
        return cases.stream().filter(one -> SELECTED.matcher(one.toString()).find()).toList();
    }

    /** Returns what our manager does differently, by the titles of the cases that show it. */
    static Map<String, String> differences() {
        Map<String, String> differences = new LinkedHashMap<>();
        for (String line : resource("differences.txt").lines().toList()) {
            int bar = line.indexOf(" | ");
            if (!line.startsWith("#") && bar > 0) {
                differences.put(line.substring(0, bar), line.substring(bar + 3));
            }
        }
        return differences;
    }

    /** Returns the units that exist in every case. */
    static Map<String, String> base() {
        return UnitCase.parse("base", resource("base.txt")).getFirst().units();
    }

    /** Runs a case on our manager, which polls as often as it is told to. */
    interface Transcript {
        String of(int polls) throws Exception;
    }

    /**
     * Asserts that our manager does what systemd does, or still differs where it is known to: a
     * line of {@code differences.txt} that is no longer true must be deleted.
     */
    static void assertHolds(UnitCase one, Transcript transcript) throws Exception {
        String difference = differences().get(one.title());
        if (difference == null) {
            assertThat(transcript.of(CaseFolder.POLLS))
                    .as(one.toString())
                    .isEqualTo(one.transcript());
        } else {
            assertThat(transcript.of(CaseFolder.FEW_POLLS))
                    .as("%s: differences.txt says: %s", one, difference)
                    .isNotEqualTo(one.transcript());
        }
    }

    static String resource(String name) {
        try (InputStream in = CaseFiles.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Replaces a transcript in the sources; the module's folder must be the current directory. */
    static void record(UnitCase one, String transcript) throws IOException {
        Path file = SOURCES.resolve(one.file() + ".txt");
        String text = Files.readString(file);
        int begin = ("\n" + text).indexOf("\n== " + one.title() + "\n");
        int commands = text.indexOf("\n$ ", begin) + 1;
        int end = text.indexOf("\n== ", commands);
        Path _ =
                Files.writeString(
                        file,
                        text.substring(0, commands)
                                + transcript
                                + (end < 0 ? "" : text.substring(end)));
    }

    private static List<Path> files() {
        try (Stream<Path> files =
                Files.list(
                        Path.of(
                                Objects.requireNonNull(CaseFiles.class.getResource("cases"))
                                        .toURI()))) {
            return files.sorted().toList();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(".txt", "");
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
