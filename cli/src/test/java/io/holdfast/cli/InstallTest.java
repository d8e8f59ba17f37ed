package io.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests scripts/install in a checkout with fake build and java programs. */
@Timeout(60)
class InstallTest {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
    private static final String BUILD = "0123456789abcdef-25";
    private static final String OLD_BUILD = "fedcba9876543210-25";
    private static final String JAVA =
            """
            #!/bin/sh
            for word; do
                case $word in -XX:AOTCacheOutput=*) echo trained; : >"${word#*=}" ;; esac
            done
            case "$*" in *"holdfast.cli.Holdfast completion "*) echo "for ${*##* }" ;; esac
            """;

    /**
     * Writes pages as Maven does; fails unless the build lock is held, which keeps a build from
     * running meanwhile.
     */
    private static final String MAVEN =
            """
            #!/bin/sh
            ! flock -n .holdfast/lock true || exit 1
            mkdir -p man/target/launcher/man
            for page in holdfast.1 holdfast-up.1 holdfast-limits.7; do echo "$page" >"man/target/launcher/man/$page"; done
            """;

    private static final String POLICY = "share/polkit-1/actions/io.holdfast.manager.policy";

    @TempDir private Path temp;
    private Path root;
    private Path prefix;

    private record Run(int code, String output) {}

    @BeforeEach
    void layOut() throws IOException {
        root = Files.createDirectories(temp.resolve("a check out"));
        prefix = temp.resolve("usr local");
        Files.createDirectories(root.resolve("scripts"));
        Files.createDirectories(root.resolve("jdk/bin"));
        for (String file :
                List.of(
                        "scripts/install",
                        "scripts/holdfast.service.in",
                        "scripts/holdfast-user@.service.in",
                        "scripts/layout",
                        "scripts/fresh",
                        POLICY,
                        "holdfast")) {
            Path copy = root.resolve(file);
            Files.createDirectories(Objects.requireNonNull(copy.getParent()));
            Files.copy(CHECKOUT.resolve(file), copy);
        }
        Files.createFile(root.resolve("pom.xml")); // a checkout
        program("jdk/bin/java", JAVA);
        program("scripts/mvn", MAVEN);
        Path build = Files.createDirectories(root.resolve(".holdfast").resolve(BUILD));
        Files.writeString(build.resolve("x.jar"), "");
        Files.writeString(
                root.resolve(".holdfast/launch"),
                """
                build=%s
                home_of_build='%s/.holdfast'
                java_home='%s/jdk'
                java_version=25
                cli_flags=-Dcli
                daemon_flags=-Ddaemon
                """
                        .formatted(BUILD, root, root));
    }

    private void program(String name, String script) throws IOException {
        Path file = Files.writeString(root.resolve(name), script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Run install(String... words) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(root.resolve("scripts/install").toString());
        builder.command().addAll(List.of(words));
        builder.environment().put("HOLDFAST_AS_BUILT", "yes");
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Run(process.waitFor(), output);
    }

    private List<String> installed() throws IOException {
        try (Stream<Path> files = Files.walk(prefix)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> prefix.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void itLaysOutTheCommandItsCompletionAndItsPagesAndLeavesNoLogs() throws Exception {
        Run run = install(prefix.toString());
        assertThat(run.code()).as(run.output()).isZero();
        String lib = "lib/holdfast/" + BUILD;
        assertThat(installed())
                .containsExactly(
                        "bin/holdfast",
                        lib + "/authority.aot",
                        lib + "/bus.aot",
                        lib + "/holdfast.aot",
                        lib + "/up.aot",
                        lib + "/x.jar",
                        "lib/holdfast/launch",
                        "lib/systemd/system/holdfast-user@.service",
                        "lib/systemd/system/holdfast.service",
                        "share/bash-completion/completions/holdfast",
                        "share/fish/vendor_completions.d/holdfast.fish",
                        "share/man/man1/holdfast-up.1",
                        "share/man/man1/holdfast.1",
                        "share/man/man7/holdfast-limits.7",
                        POLICY,
                        "share/zsh/site-functions/_holdfast");
        assertThat(prefix.resolve("lib/systemd/system/holdfast.service"))
                .content()
                .contains(
                        "\nExecStart=\""
                                + prefix.toRealPath()
                                + "/bin/holdfast\" up --metrics /run/holdfast/metrics\n");
        assertThat(prefix.resolve("lib/systemd/system/holdfast-user@.service"))
                .content()
                .contains("\nExecStart=\"" + prefix.toRealPath() + "/bin/holdfast\" up --bus ");
        assertThat(prefix.resolve("share/zsh/site-functions/_holdfast"))
                .content()
                .isEqualTo("for zsh\n");
    }

    /** As happens without a network if Asciidoctor was never downloaded. */
    @Test
    void theCommandIsInstalledIfThePagesCannotBeBuilt() throws Exception {
        program("scripts/mvn", "#!/bin/sh\nexit 1\n");
        Path pages = Files.createDirectories(prefix.resolve("share/man/man1"));
        Path old = Files.writeString(pages.resolve("holdfast-old.1"), "");
        Run run = install(prefix.toString());
        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output()).contains("holdfast: the manual pages could not be built");
        assertThat(old).doesNotExist();
        assertThat(installed())
                .contains("bin/holdfast", "share/zsh/site-functions/_holdfast")
                .noneMatch(each -> each.startsWith("share/man"));
    }

    @Test
    void aPageOfACommandThatIsNoMoreGoes() throws Exception {
        Path pages = Files.createDirectories(prefix.resolve("share/man/man1"));
        Path old = Files.writeString(pages.resolve("holdfast-old.1"), "");
        Path other = Files.writeString(pages.resolve("other.1"), "");
        Run run = install(prefix.toString());
        assertThat(run.code()).as(run.output()).isZero();
        assertThat(old).doesNotExist();
        assertThat(other).exists();
        assertThat(pages.resolve("holdfast-up.1")).hasContent("holdfast-up.1");
    }

    @Test
    void anOldBuildGoesUnlessADaemonRunsFromIt() throws Exception {
        Path old = Files.createDirectories(prefix.resolve("lib/holdfast").resolve(OLD_BUILD));
        Process daemon = new ProcessBuilder("sh", "-c", "read x; :", old + "/x.jar").start();
        try {
            assertThat(install(prefix.toString()).code()).isZero();
            assertThat(old).exists();
        } finally {
            daemon.getOutputStream().close();
            int ignored = daemon.waitFor();
        }
        assertThat(install(prefix.toString()).code()).isZero();
        assertThat(old).doesNotExist();
    }

    @Test
    void whatItHasLaidOutItRemoves() throws Exception {
        assertThat(install(prefix.toString()).code()).isZero();
        Path other = Files.writeString(prefix.resolve("bin/other"), "");
        assertThat(install("--uninstall", prefix.toString()).code()).isZero();
        assertThat(installed()).containsExactly("bin/other");
        assertThat(prefix.resolve("share")).as("its folders").doesNotExist();
        assertThat(prefix.resolve("lib")).doesNotExist();
        assertThat(prefix.resolve("lib/holdfast")).doesNotExist();
        assertThat(other).exists();

        Run again = install("--uninstall", prefix.toString());
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.output()).contains("nothing of it is in " + prefix).hasLineCount(1);
    }

    @Test
    void whatADaemonRunsFromIsNotRemoved() throws Exception {
        assertThat(install(prefix.toString()).code()).isZero();
        Path jar = prefix.toRealPath().resolve("lib/holdfast").resolve(BUILD).resolve("x.jar");
        Process daemon = new ProcessBuilder("sh", "-c", "read x; :", jar.toString()).start();
        try {
            Run run = install("--uninstall", prefix.toString());
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.output()).contains("a daemon runs from it").hasLineCount(1);
            assertThat(jar).exists();
        } finally {
            daemon.getOutputStream().close();
            int ignored = daemon.waitFor();
        }
    }

    @Test
    void anythingElseIsMisuse() throws Exception {
        for (String[] words : new String[][] {{}, {"--help"}, {"--uninstall"}, {"a", "b"}}) {
            Run run = install(words);
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.output()).startsWith("usage: scripts/install").hasLineCount(1);
        }
    }
}
