package io.holdfast.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules of CONTRIBUTING.md that hold for the tests of all modules. */
@SameOnEveryKernel
class TestRulesTest {
    private static final Path CHECKOUT = Path.of("..");

    /** An assertion of an upper bound on the time since an earlier look at the clock. */
    private static final Pattern DURATION =
            Pattern.compile("nanoTime\\(\\)\\s*-[^;]*\\.isLessThan");

    /** How long something takes depends on the machine, and on what else runs on it. */
    @Test
    void noTestAssertsThatSomethingTakesLittleTime() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> modules = Files.list(CHECKOUT)) {
            for (Path module : (Iterable<Path>) modules::iterator) {
                Path tests = module.resolve("src/test/java");
                if (Files.isDirectory(tests)) {
                    try (Stream<Path> files = Files.walk(tests)) {
                        files.filter(Files::isRegularFile).forEach(sources::add);
                    }
                }
            }
        }
        assertThat(sources).hasSizeGreaterThan(400);
        for (Path source : sources) {
            assertThat(source).content().doesNotContainPattern(DURATION);
        }
    }
}
