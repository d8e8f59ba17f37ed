package io.holdfast.cli;

import static java.nio.file.StandardOpenOption.APPEND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.LockHog;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the launcher of the checkout with a fake build and a fake java, which only print their
 * arguments.
 */
@Timeout(60)
class LauncherTest {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
    private static final String JAVA =
            """
            #!/bin/sh
            echo "java $$"
            for argument; do echo "$argument"; done
            """;
    private static final String BUILD =
            """
            #!/bin/sh
            root=$(dirname "$(dirname "$0")")
            echo >>"$root/builds"
            mkdir -p "$root/.holdfast/b1"
            cat >"$root/.holdfast/launch" <<EOF
            build=b1
            home_of_build='$root/.holdfast'
            java_home='$root/jdk'
            java_version=25.0.9+1
            cli_flags='-Dcli -Dsecond'
            daemon_flags=-Ddaemon
            EOF
            """;

    @TempDir private Path temp;
    private Path root;

    private record Run(int code, long pid, List<String> lines) {}

    @BeforeEach
    void layOut() throws IOException {
        Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
        root = Files.createDirectory(temp.resolve("a check out"));
        for (String module :
                List.of(
                        "core",
                        "varlink",
                        "journal",
                        "receiver",
                        "dbus",
                        "bus",
                        "manager",
                        "authority-client",
                        "authority",
                        "cli")) {
            Files.createDirectories(root.resolve(module + "/src/main"));
            Files.createFile(root.resolve(module + "/pom.xml"));
        }
        Files.writeString(root.resolve("pom.xml"), "  <version>1</version>\n");
        Files.createDirectory(root.resolve("scripts"));
        Files.createFile(root.resolve("scripts/RewriteJar.java"));
        Files.createFile(root.resolve("core/src/main/A.java"));
        copy("holdfast");
        copy("scripts/fresh");
        copy("scripts/layout");
        copy("scripts/repository");
        program("scripts/build", BUILD);
        program("jdk/bin/java", JAVA);
        Files.writeString(
                root.resolve("jdk/release"),
                "IMPLEMENTOR=\"x\"\nJAVA_RUNTIME_VERSION=\"25.0.9+1\"\n");
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                setTimes(file, 0);
            }
        }
    }

    @Test
    void itBuildsOnce() throws IOException, InterruptedException {
        run(root, "./holdfast");
        run(root, "./holdfast");

        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void aChangedAnAddedAndARemovedSourceAreBuilt() throws IOException, InterruptedException {
        run(root, "./holdfast");

        touchLater(root.resolve("core/src/main/A.java"));
        run(root, "./holdfast");
        assertThat(builds()).isEqualTo(2);

        touchLater(Files.createFile(root.resolve("core/src/main/B.java")));
        run(root, "./holdfast");
        assertThat(builds()).isEqualTo(3);

        Files.delete(root.resolve("core/src/main/B.java"));
        touchLater(root.resolve("core/src/main"));
        run(root, "./holdfast");
        assertThat(builds()).isEqualTo(4);
    }

    @Test
    void anotherJdkInTheSamePlaceIsBuiltFor() throws IOException, InterruptedException {
        run(root, "./holdfast");
        Files.writeString(root.resolve("jdk/release"), "JAVA_RUNTIME_VERSION=\"25.0.10+1\"\n");
        run(root, "./holdfast");

        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void aMovedCheckoutIsBuiltAnew() throws IOException, InterruptedException {
        run(root, "./holdfast");
        root = Files.move(root, temp.resolve("moved"));
        Run moved = run(root, "./holdfast");

        assertThat(builds()).isEqualTo(2);
        assertThat(moved.lines()).contains("-XX:AOTCache=" + root + "/.holdfast/b1/holdfast.aot");
    }

    @Test
    void itWorksFromAnywhereAndThroughALink() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(temp.resolve("link to it"), root.resolve("holdfast"));
        Path folder = Files.createSymbolicLink(temp.resolve("folder"), root);

        for (Run run :
                List.of(
                        run(Path.of("/"), link.toString(), "x y", "z"),
                        run(temp, "./link to it", "x y", "z"),
                        run(temp, "a check out/holdfast", "x y", "z"),
                        run(temp, folder.resolve("holdfast").toString(), "x y", "z"))) {
            assertThat(run.code()).isZero();
            assertThat(run.lines())
                    .endsWith("io.holdfast.cli/io.holdfast.cli.Holdfast", "x y", "z");
            assertThat(run.lines()).anyMatch(line -> line.startsWith("-XX:AOTCache="));
        }
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void aLinkCalledDbusDaemonIsTheBus() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(temp.resolve("dbus-daemon"), root.resolve("holdfast"));
        Run run = run(temp, link.toString(), "--session", "--print-address=4");

        assertThat(run.lines()).endsWith("bus", "--session", "--print-address=4");
        assertThat(run.lines()).contains("-Ddaemon");
    }

    @Test
    void itBecomesTheJvm() throws IOException, InterruptedException {
        Run run = run(root, "./holdfast");

        assertThat(run.lines()).contains("java " + run.pid());
    }

    @Test
    void whatIsClosedOfTheStandardStreamsIsNoFileOfTheJvm()
            throws IOException, InterruptedException {
        var ignored = run(root, "./holdfast");
        Path written = temp.resolve("told");
        program(
                "jdk/bin/java",
                """
                #!/bin/sh
                exec 9>'%s'
                for stream in 0 1 2; do
                    to=$(readlink /proc/$$/fd/$stream)
                    echo "$to" >&9
                done
                """
                        .formatted(written));
        ignored = run(root, "sh", "-c", "./holdfast info <&- >&- 2>&-");

        assertThat(written).content().isEqualTo("/dev/null\n".repeat(3));
    }

    @Test
    void daemonsRunWithFlagsOfTheirOwn() throws IOException, InterruptedException {
        assertThat(run(root, "./holdfast", "info", "up").lines())
                .contains("-Dcli", "-Dsecond")
                .doesNotContain("-Ddaemon");
        assertThat(run(root, "./holdfast", "up").lines())
                .contains("-Ddaemon")
                .doesNotContain("-Dcli");
    }

    @Test
    void nothingRunsAfterAFailedBuild() throws IOException, InterruptedException {
        program("scripts/build", "#!/bin/sh\necho it failed >&2\nexit 7\n");
        Run run = run(root, "./holdfast");

        assertThat(run.code()).isEqualTo(7);
        assertThat(run.lines()).containsExactly("it failed");
    }

    @Test
    void anInstalledLauncherLooksAtNoSources() throws IOException, InterruptedException {
        run(root, "./holdfast");
        Path installed = temp.resolve("usr");
        Files.createDirectories(installed.resolve("bin"));
        Files.createDirectories(installed.resolve("lib"));
        Files.copy(root.resolve("holdfast"), installed.resolve("bin/holdfast"));
        Files.move(root.resolve(".holdfast"), installed.resolve("lib/holdfast"));
        Run run = run(installed, "bin/holdfast", "--version");

        assertThat(run.lines())
                .endsWith(
                        "-p",
                        installed + "/lib/holdfast/b1",
                        "--enable-native-access=io.holdfast.core,io.holdfast.authority",
                        "-m",
                        "io.holdfast.cli/io.holdfast.cli.Holdfast",
                        "--version");
        assertThat(run.lines())
                .as("a cache is only good where it was made")
                .noneMatch(line -> line.contains("AOT"));
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void aCheckoutThatCannotBeWrittenRunsItsLastBuild() throws IOException, InterruptedException {
        assumeTrue(isRoot(), "needs root, to become somebody who may not write");
        copy("scripts/build");
        String[] asNobody = {
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "./holdfast"
        };

        Run never = run(root, asNobody);
        assertThat(never.code()).isEqualTo(1);
        assertThat(never.lines()).singleElement().asString().startsWith("holdfast: not built yet");

        program("scripts/build", BUILD);
        run(root, "./holdfast");
        copy("scripts/build");
        setTimes(root.resolve("scripts/build"), 0);
        assertThat(run(root, asNobody).lines()).first().asString().startsWith("java ");

        touchLater(root.resolve("cli/pom.xml"));
        Run stale = run(root, asNobody);
        assertThat(stale.code()).isZero();
        assertThat(stale.lines())
                .first()
                .asString()
                .endsWith("not writable: running the last build");
        assertThat(stale.lines()).contains("io.holdfast.cli/io.holdfast.cli.Holdfast");
    }

    @Test
    void nothingOfAHomeThatEverybodyMayWriteIsRun() throws IOException, InterruptedException {
        run(root, "./holdfast");
        Path home = root.resolve(".holdfast");
        Path marker = temp.resolve("marker");
        Files.writeString(home.resolve("launch"), "\n: >'" + marker + "'\n", APPEND);
        Files.setAttribute(home, "unix:mode", 0777);

        assertThat(run(root, "./holdfast").code()).isZero();
        assertThat(builds()).isEqualTo(2);
        assertThat(marker).doesNotExist();
    }

    /** Prepares the real scripts/build, with a Maven and a JDK that do nothing. */
    private void prepareBuild() throws IOException {
        copy("scripts/build");
        program("scripts/jdk", "JAVA_HOME=\"$root/jdk\"\n");
        program(
                "scripts/mvn",
                """
                #!/bin/sh
                mkdir -p cli/target/launcher/lib
                echo >cli/target/launcher/lib/x.jar
                echo >cli/target/launcher/holdfast-cli-1.jar
                """);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "077"})
    void aBuildIsForAllToReadAndNotToWriteWhateverTheUmask(String umask)
            throws IOException, InterruptedException {
        prepareBuild();
        Run run = run(root, "sh", "-c", "umask " + umask + "; ./holdfast; ./holdfast");
        assertThat(run.code()).as(run::toString).isZero();
        assertThat(run.lines()).filteredOn(line -> line.contains("building")).hasSize(1);

        try (Stream<Path> files = Files.walk(root.resolve(".holdfast"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                int mode = (Integer) Files.getAttribute(file, "unix:mode");
                assertThat(mode & 02).as("%s %o", file, mode).isZero();
                if (!file.endsWith("lock")) {
                    assertThat(mode & 044).as("%s %o", file, mode).isEqualTo(044);
                }
            }
        }
        Object lock = Files.getAttribute(root.resolve(".holdfast/lock"), "unix:mode");
        assertThat((Integer) lock & 07).isZero();
    }

    /** As {@code ./test} does, which has compiled everything already. */
    @Test
    void jarsThatMavenHasPackagedAreLaidOutWithoutAnotherBuild() throws Exception {
        prepareBuild();
        Path library = Files.createDirectories(root.resolve("cli/target/lib"));
        Files.writeString(library.resolve("x.jar"), "x");
        Files.writeString(root.resolve("cli/target/holdfast-cli-1.jar"), "cli");
        Path started = Files.createFile(temp.resolve("started"));
        Run run = run(root, "scripts/build", "--packaged", started.toString());
        assertThat(run.code()).as(run::toString).isZero();

        assertThat(run(root, "./holdfast").lines()).noneMatch(line -> line.contains("building"));
        assertThat(Files.getLastModifiedTime(root.resolve(".holdfast/launch")))
                .as("a source that changed since then is built")
                .isEqualTo(Files.getLastModifiedTime(started));
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "python3"})
    void whoKeepsTheLockOfBuildsKeepsNobodyFromBuilding() throws Exception {
        prepareBuild();
        Path home = Files.createDirectory(root.resolve(".holdfast"));
        Path lock = Files.createFile(home.resolve("lock"));
        Files.setAttribute(lock, "unix:mode", 0644);
        try (LockHog hog = LockHog.of(lock)) {
            assertThat(hog.taken()).hasSize(1);
            Run run = run(root, "./holdfast");
            assertThat(run.code()).as(run::toString).isZero();
            assertThat(run.lines()).noneMatch(line -> line.contains("waiting"));
            try (LockHog again = LockHog.of(lock)) {
                assertThat(again.taken()).isEmpty();
            }
        }
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    private Run run(Path directory, String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .start();
        List<String> lines = new ArrayList<>(process.inputReader().lines().toList());
        return new Run(process.waitFor(), process.pid(), lines);
    }

    private int builds() throws IOException {
        return Files.readAllLines(root.resolve("builds")).size();
    }

    /** Sets times so that the file is newer than the last build, and older than the next one. */
    private void touchLater(Path file) throws IOException {
        long now = System.currentTimeMillis();
        setTimes(root.resolve(".holdfast/launch"), now - 2000);
        setTimes(file, now - 1000);
    }

    private static void setTimes(Path file, long millis) throws IOException {
        Files.setLastModifiedTime(file, FileTime.fromMillis(millis));
    }

    private void copy(String file) throws IOException {
        Files.copy(
                CHECKOUT.resolve(file),
                root.resolve(file),
                StandardCopyOption.COPY_ATTRIBUTES,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private void program(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
