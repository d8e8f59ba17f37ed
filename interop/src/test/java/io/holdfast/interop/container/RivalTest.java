package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Starts the same servers by docker-systemctl-replacement, a script of Python, and by Holdfast with
 * systemd's own systemctl(1), in equal containers, and prints a table. The script is that of
 * Debian's package {@code systemctl}, or the file that {@code -Dholdfast.rival=} names.
 */
@Timeout(7200)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(
        root = true,
        cgroup2 = true,
        userNamespaces = true,
        programs = {"crun", "unshare", "nsenter", "systemctl", "python3"})
class RivalTest {
    private static final String FILE = System.getProperty("holdfast.rival", "");

    /** For one server; each of its steps has a limit of its own. */
    private static final Duration OF_ONE = Duration.ofMinutes(10);

    /** Of the 20 servers, that many must run without a fault. */
    private static final int MOST_FAULTY = 1;

    /** What an image has in /run, which is empty in these containers. */
    private static final String FOLDERS =
            "mkdir -p /run/lock; systemd-tmpfiles --create --exclude-prefix=/dev >/dev/null 2>&1";

    /** The folder is in each container, and users may enter it. */
    private static final Path TARGET = Path.of("target").toAbsolutePath();

    @TempDir private Path folder;

    private record Run(long millis, String failed, String left) {
        static Run of(String line) {
            String[] fields = line.split(";", -1);
            return new Run(Long.parseLong(fields[0]), fields[1], fields[2]);
        }

        boolean isGood() {
            return failed.isEmpty() && left.isEmpty();
        }

        @Override
        public String toString() {
            return millis
                    + " ms"
                    + (failed.isEmpty() ? "" : ", failed: " + failed)
                    + (left.isEmpty() ? "" : ", left: " + left);
        }
    }

    private Path rival() throws Exception {
        Path script = Files.createDirectories(TARGET.resolve("rival")).resolve("systemctl.py");
        if (!FILE.isEmpty()) {
            return Files.copy(Path.of(FILE), script, StandardCopyOption.REPLACE_EXISTING);
        }
        Path log = folder.resolve("log");
        String unpack =
                "apt-get -q -o APT::Sandbox::User=root download systemctl && dpkg-deb -x systemctl_*.deb .";
        try (Child download =
                Spawn.of("sh", "-c", "cd " + folder + " && " + unpack)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.to(log))
                        .stderr(Stdio.merged())
                        .start()) {
            assumeTrue(
                    download.await().equals(new Exit.Exited(0)),
                    () -> "the package systemctl cannot be downloaded: " + log);
        }
        return Files.copy(
                folder.resolve("usr/bin/systemctl"), script, StandardCopyOption.REPLACE_EXISTING);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MACHINE")
    void theSameServersRunByBoth(PlainContainer.Setting setting) throws Exception {
        Checkout.requireForAll();
        boolean isOfUser = isOfUser(setting);
        List<Server> servers = Server.of(isOfUser ? "ordinary-user.txt" : "servers.txt", Set.of());
        List<String> table = new ArrayList<>();
        List<Run> ours;
        List<Run> theirs;
        Path script = rival();
        try {
            String user = isOfUser ? " --user" : "";
            List<String> up = new ArrayList<>(List.of(PlainContainer.HOLDFAST, "up"));
            up.addAll(isOfUser ? List.of("--user", "holdfast.target") : List.of("holdfast.target"));
            ours = run(setting, "ours", servers, up, "systemctl" + user, "holdfast: ready");
            List<String> init =
                    new ArrayList<>(
                            List.of("/usr/bin/python3", script.toString(), "--now", "init"));
            if (isOfUser) {
                init.add(2, "--user");
            }
            theirs = run(setting, "theirs", servers, init, "python3 " + script + user, "");
        } finally {
            Files.delete(script);
        }
        for (int i = 0; i < servers.size(); i++) {
            table.add("| %s | %s | %s |".formatted(servers.get(i), ours.get(i), theirs.get(i)));
        }
        System.out.printf(
                "%s: Holdfast %d of %d without a fault, median start %d ms;"
                        + " docker-systemctl-replacement %d, %d ms%n%s%n",
                setting,
                good(ours),
                ours.size(),
                median(ours),
                good(theirs),
                median(theirs),
                String.join("\n", table));
        assertThat(good(ours)).isGreaterThanOrEqualTo(servers.size() - MOST_FAULTY);
    }

    private static boolean isOfUser(PlainContainer.Setting setting) {
        return setting == PlainContainer.Setting.ORDINARY_USER;
    }

    /** The script ends at once if its user has no account. */
    private String withAccount(String config) {
        Path accounts = folder.resolve("passwd");
        try {
            Files.writeString(
                    accounts,
                    Files.readString(Path.of("/etc/passwd"))
                            + "plain:x:1000:1000::/tmp/home:/bin/sh\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String mount =
                """
                {"destination": "/etc/passwd", "type": "bind", "source": "%s", "options": ["bind", "ro"]},
                """
                        .formatted(accounts);
        return config.replaceFirst("(\"mounts\": \\[)", "$1" + Matcher.quoteReplacement(mount));
    }

    private static long good(List<Run> runs) {
        return runs.stream().filter(Run::isGood).count();
    }

    private static long median(List<Run> runs) {
        return runs.stream()
                .mapToLong(Run::millis)
                .sorted()
                .skip(runs.size() / 2)
                .findFirst()
                .orElse(0);
    }

    private List<Run> run(
            PlainContainer.Setting setting,
            String name,
            List<Server> servers,
            List<String> init,
            String systemctl,
            String ready)
            throws Exception {
        List<Run> runs = new ArrayList<>();
        Path own = Files.createDirectory(folder.resolve(name));
        try (PlainContainer container =
                PlainContainer.start(
                        setting,
                        own,
                        init,
                        isOfUser(setting) ? this::withAccount : config -> config)) {
            container.init().await(ready);
            Await.until(() -> container.answers("true", ""));
            boolean _ = container.answers(FOLDERS, "");
            if (isOfUser(setting)) {
                String _ = container.run(PlainContainer.resource("ordinary-user.sh"));
            }
            for (Server server : servers) {
                String unit = server.installed().orElse(server.unit());
                boolean _ = container.answers(server.preparation(), "");
                boolean _ = container.answers(systemctl + " daemon-reload", "");
                String variables =
                        "systemctl='%s' unit='%s' file=%s/%s\n"
                                .formatted(
                                        systemctl,
                                        unit,
                                        isOfUser(setting)
                                                ? "~/.config/systemd/user"
                                                : "/usr/lib/systemd/system",
                                        unit.replaceFirst("@.*\\.", "@."));
                String texts =
                        "client=$(cat <<'END'\n%s\nEND\n)\nanswer='%s'\n"
                                .formatted(server.client(), server.answer());
                runs.add(
                        Run.of(
                                container.run(
                                        variables + texts + PlainContainer.resource("drive.sh"),
                                        OF_ONE)));
            }
        }
        return runs;
    }
}
