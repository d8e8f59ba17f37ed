package io.holdfast.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.core.limit.Limit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ProcessLimitsTest {
    private static final Pattern MADE =
            Pattern.compile("Limit\\.(?:count|bytes|time)\\(\\s*\"(io\\.holdfast\\.[^\"]+)\"");

    private static Set<String> propertiesInSources() throws IOException {
        Set<String> properties = new TreeSet<>();
        for (String module :
                List.of(
                        "core",
                        "varlink",
                        "dbus",
                        "bus",
                        "receiver",
                        "manager",
                        "authority-client",
                        "authority",
                        "cli")) {
            Path sources = Path.of("..", module, "src", "main", "java");
            try (Stream<Path> files = Files.walk(sources)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    if (file.toString().endsWith(".java")) {
                        MADE.matcher(withoutComments(Files.readString(file)))
                                .results()
                                .forEach(found -> properties.add(found.group(1)));
                    }
                }
            }
        }
        return properties;
    }

    private static String withoutComments(String source) {
        return source.replaceAll("(?m)^ *\\*.*$", "");
    }

    @Test
    void everyLimitThatAModuleMakesIsListedOnce() throws IOException {
        assertThat(ProcessLimits.all())
                .extracting(Limit::property)
                .doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(propertiesInSources());
    }

    @ParameterizedTest
    @ValueSource(strings = {"up", "bus", "authority"})
    void aDaemonDoesNotStartWithAPropertyThatIsNoLimit(String command) throws Exception {
        Program daemon =
                Program.run(
                        new ProcessBuilder(
                                Program.command(
                                        List.of(
                                                "-Dio.holdfast.manager.units=many",
                                                "-Dio.holdfast.spawners=0"),
                                        command)));

        assertThat(daemon.code()).isEqualTo(ExitCode.USAGE);
        assertThat(daemon.out()).isEmpty();
        assertThat(daemon.err())
                .contains(
                        "io.holdfast.spawners: \"0\" is not a number from 1 to 2147483647; the default"
                                + " is 16",
                        "io.holdfast.manager.units: \"many\" is not a number from 1 to 2147483647;"
                                + " the default is 4096");
    }

    @Test
    void theDoctorTellsWhichLimitsAreChangedOrMalformed() throws Exception {
        List<String> properties =
                List.of("-Dio.holdfast.manager.units=5", "-Dio.holdfast.spawners=none");
        Program doctor = Program.run(new ProcessBuilder(Program.command(properties, "doctor")));

        assertThat(doctor.code()).isZero();
        assertThat(doctor.out())
                .containsPattern(
                        "(?m)^limit       io.holdfast.manager.units=5 \\(4096 by default\\): units"
                                + " that are loaded$")
                .containsPattern("(?m)^limit       io.holdfast.spawners: \"none\" is not a number")
                .doesNotContain("io.holdfast.manager.workers");
    }

    @Test
    void theDoctorListsAllLimitsWhenAsked() {
        assertThat(Invocation.of("doctor", "--limits").out().lines())
                .hasSameSizeAs(ProcessLimits.all())
                .contains(
                        "io.holdfast.accountAge=10000 ms: time that the name of a user or group is cached");
        assertThat(Invocation.of("doctor", "--json").out())
                .contains(
                        "\"limits\":[{\"property\":\"io.holdfast.spawners\",\"value\":16,\"default\":16,"
                                + "\"unit\":\"count\",");
    }
}
