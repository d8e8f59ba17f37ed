package io.holdfast.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every parser of foreign input keeps its promises: on the kept inputs, and on those that Jazzer
 * finds by coverage. {@code ./test} fuzzes all targets together for {@value #SHORT_SECONDS}
 * seconds; {@code -Dholdfast.long=true} fuzzes each one alone for 60 seconds or {@code
 * -Dholdfast.fuzz.seconds}, times its {@link Target#share}. Interesting inputs stay in {@code
 * target/corpus}, where the next long run begins.
 */
@SameOnEveryKernel
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FuzzTest {
    private static final int SHORT_SECONDS = 10;
    private static final int LONG_SECONDS = Integer.getInteger("holdfast.fuzz.seconds", 60);
    private static final Path WORK = Path.of("target").toAbsolutePath();

    @TestFactory
    Stream<DynamicContainer> keptInputsAreHandled() {
        return Stream.of(Target.values())
                .map(target ->
                        DynamicContainer.dynamicContainer(
                                target.toString(),
                                target.inputs().stream()
                                        .map(file ->
                                                dynamicTest(
                                                        String.valueOf(file.getFileName()),
                                                        () ->
                                                                target.run(
                                                                        Files.readAllBytes(
                                                                                file))))));
    }

    @Test
    void everyTargetWithstandsAShortRun(@TempDir Path folder) throws IOException {
        Path corpus = Files.createDirectory(folder.resolve("corpus"));
        for (Target target : Target.values()) {
            for (Path input : target.inputs()) {
                Files.write(
                        corpus.resolve(target + "-" + input.getFileName()),
                        EveryTarget.input(target, Files.readAllBytes(input)));
            }
        }
        JazzerRun run =
                JazzerRun.of(
                        EveryTarget.class,
                        false,
                        List.of(corpus),
                        folder.resolve("findings"),
                        Duration.ofSeconds(SHORT_SECONDS));
        if (run.finding().isPresent()) {
            byte[] input = run.finding().get();
            report(EveryTarget.of(input), Inputs.rest(input), run);
        }
        assertThat(run.output()).contains("INITED");
    }

    @ParameterizedTest
    @EnumSource
    @EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
    void aTargetWithstandsALongRun(Target target, @TempDir Path folder) throws IOException {
        Path grown = Files.createDirectories(WORK.resolve("corpus").resolve(target.toString()));
        JazzerRun run =
                JazzerRun.of(
                        target.type(),
                        true,
                        List.of(grown, target.corpus()),
                        folder.resolve("findings"),
                        Duration.ofSeconds((long) target.share() * LONG_SECONDS));
        if (run.finding().isPresent()) {
            report(target, run.finding().get(), run);
        }
        assertThat(run.output()).contains("INITED");
    }

    /**
     * Fails with the way to reproduce a finding; the input is kept outside of the temporary folder.
     */
    private static void report(Target target, byte[] input, JazzerRun run) throws IOException {
        Path folder = Files.createDirectories(WORK.resolve("findings").resolve(target.toString()));
        Path kept = folder.resolve("finding-" + Integer.toHexString(Arrays.hashCode(input)));
        Files.write(kept, input);
        fail(
                "target %s breaks a promise on %d bytes.%nReproduce it and keep it from coming"
                        + " back: cp %s %s/%nJazzer's output:%n%s",
                target, input.length, kept, target.corpus(), run.failure());
    }
}
