package io.holdfast.authority.action;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Compares with what polkitd reads from the same files, according to pkaction --verbose. */
@Needs(
        root = true,
        programs = {"pkaction", "dbus-daemon", "unshare", "mount"})
@Timeout(120)
class PkactionTest {
    private static final Path POLKITD = Path.of("/usr/lib/polkit-1/polkitd");
    private static final Path INSTALLED = Path.of("/usr/share/polkit-1/actions");

    /** One case for each file, without those that polkitd reads differently. */
    private static final Map<String, String> FILES =
            Map.of(
                    "a-whole",
                    """
                    <!DOCTYPE policyconfig SYSTEM "http://nowhere.invalid/x.dtd">
                    <policyconfig><vendor>V</vendor><icon_name>i</icon_name>
                    <action id="t.whole"><description>Do</description><message>Say</message>
                    <description xml:lang="de">Tu</description><vendor_url>u</vendor_url>
                    <defaults><allow_any>auth_self</allow_any><allow_active>yes</allow_active>
                    </defaults><annotate key="k">v</annotate><annotate key="k">w</annotate>
                    <annotate key="org.freedesktop.policykit.imply">t.none</annotate></action>
                    <action id="t.twice"><defaults><allow_any>yes</allow_any></defaults></action>
                    </policyconfig>
                    """,
                    "b-twice",
                    """
                    <policyconfig><action id="t.twice"><defaults><allow_any>auth_admin</allow_any>
                    </defaults></action></policyconfig>
                    """,
                    "c-bad-value",
                    """
                    <policyconfig><action id="t.before"/><action id="t.bad"><defaults><allow_any> yes
                    </allow_any></defaults></action><action id="t.behind"/></policyconfig>
                    """,
                    "d-bad-icon",
                    """
                    <policyconfig><action id="t.icon"><icon_name>x.png</icon_name></action>
                    </policyconfig>
                    """,
                    "e-unknown",
                    """
                    <policyconfig><x><action id="t.inside"/></x><action id="t.unknown"><y><defaults>
                    <allow_any>yes</allow_any></defaults></y><z>t</z></action></policyconfig>
                    """,
                    "f-not-well-formed",
                    "<policyconfig><action id=\"t.first\"/><action id=\"t.open\"><message>",
                    "g-more-attributes",
                    "<policyconfig><action id=\"t.more\" x=\"y\"/></policyconfig>",
                    "h-deep",
                    "<policyconfig>"
                            + "<d>".repeat(31)
                            + "</d>".repeat(31)
                            + "<action id=\"t.deep\"/></policyconfig>",
                    "i-deeper",
                    "<policyconfig><action id=\"t.shallow\"/>"
                            + "<d>".repeat(32)
                            + "</d>".repeat(32)
                            + "<action id=\"t.deeper\"/></policyconfig>",
                    ".hidden",
                    "<policyconfig><action id=\"t.hidden\"/></policyconfig>");

    @TempDir private Path folder;
    private Path actions;

    @BeforeEach
    void makeFolder() throws IOException {
        actions = Files.createDirectory(folder.resolve("actions"));
        Files.setPosixFilePermissions(actions, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String verbose() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path config = folder.resolve("bus.conf");
        Files.writeString(
                config,
                """
                <busconfig>
                  <type>session</type>
                  <listen>unix:path=%s</listen>
                  <auth>EXTERNAL</auth>
                  <policy context="default">
                    <allow send_destination="*" eavesdrop="true"/>
                    <allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
                  </policy>
                </busconfig>
                """
                        .formatted(folder.resolve("bus")));
        String address = "unix:path=" + folder.resolve("bus");
        Spawn bus =
                Spawn.of("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1")
                        .arguments(List.of("--config-file=" + config))
                        .stdout(Stdio.pipe());
        Spawn authority =
                Spawn.of(
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount --bind \"$0\" \"$1\" && exec \"$2\" --no-debug",
                                actions.toString(),
                                INSTALLED.toString(),
                                POLKITD.toString())
                        .environment("DBUS_SYSTEM_BUS_ADDRESS", address)
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.to(folder.resolve("polkitd.log")));
        try (Child daemon = bus.start()) {
            try {
                assertThat(
                                new BufferedReader(new InputStreamReader(daemon.stdout(), UTF_8))
                                        .readLine())
                        .startsWith("unix:path=");
                try (Child polkitd = authority.start()) {
                    try {
                        return askedUntilThere(address, polkitd);
                    } finally {
                        end(polkitd);
                    }
                }
            } finally {
                end(daemon);
            }
        }
    }

    private static void end(Child child) throws InterruptedException {
        var _ = child.signal(Signal.KILL);
        var _ = child.await();
    }

    /** Runs pkaction repeatedly until polkitd is on the bus. */
    private static String askedUntilThere(String address, Child polkitd) throws Exception {
        while (true) {
            assertThat(polkitd.pidFd().isAlive()).isTrue();
            Spawn ask =
                    Spawn.of("pkaction", "--verbose")
                            .environment("DBUS_SYSTEM_BUS_ADDRESS", address)
                            .environment("LC_ALL", "C")
                            .stdout(Stdio.pipe())
                            .stderr(Stdio.devNull());
            try (Child pkaction = ask.start()) {
                String answer = new String(pkaction.stdout().readAllBytes(), UTF_8);
                if (pkaction.await().isSuccess()) {
                    return answer;
                }
            }
        }
    }

    /** Groups the lines by the id of their action. */
    private static Map<String, Set<String>> byId(String verbose) {
        Map<String, Set<String>> actions = new TreeMap<>();
        Set<String> lines = Set.of();
        for (String line : verbose.lines().toList()) {
            if (line.endsWith(":") && !line.startsWith(" ")) {
                lines = new TreeSet<>();
                actions.put(line.substring(0, line.length() - 1), lines);
            } else if (!line.isBlank()) {
                lines.add(line.strip());
            }
        }
        return actions;
    }

    private static Map<String, Set<String>> ours(ActionPool pool) {
        Map<String, Set<String>> actions = new TreeMap<>();
        for (Action action : pool.actions()) {
            Set<String> lines = new TreeSet<>();
            lines.add(("description:       " + action.description()).strip());
            lines.add(("message:           " + action.message()).strip());
            lines.add(("vendor:            " + action.vendor()).strip());
            lines.add(("vendor_url:        " + action.vendorUrl()).strip());
            lines.add(("icon:              " + action.iconName()).strip());
            lines.add("implicit any:      " + action.any());
            lines.add("implicit inactive: " + action.inactive());
            lines.add("implicit active:   " + action.active());
            action.annotations()
                    .forEach((key, value) ->
                            lines.add("annotation:        " + key + " -> " + value));
            actions.put(action.id(), lines);
        }
        return actions;
    }

    private void compare() throws Exception {
        assumeTrue(Files.isExecutable(POLKITD), "polkitd is not installed");
        Map<String, Set<String>> ours = ours(ActionPool.read(List.of(actions)));
        assertThat(ours).isNotEmpty();
        Map<String, Set<String>> theirs = byId(verbose());
        assertThat(text(ours)).isEqualTo(text(theirs));
    }

    private static String text(Map<String, Set<String>> actions) {
        return actions.entrySet().stream()
                .map(action -> action.getKey() + "\n" + String.join("\n", action.getValue()))
                .collect(Collectors.joining("\n\n"));
    }

    @Test
    void itReadsUnusualFilesAsWeDo() throws Exception {
        for (Map.Entry<String, String> file : FILES.entrySet()) {
            Files.writeString(actions.resolve(file.getKey() + ".policy"), file.getValue());
        }
        compare();
    }

    @Test
    void itReadsTheFilesOfThisMachineAsWeDo() throws Exception {
        try (var files = Files.newDirectoryStream(INSTALLED)) {
            for (Path file : files) {
                Files.copy(file, actions.resolve(file.getFileName().toString()));
            }
        }
        compare();
    }
}
