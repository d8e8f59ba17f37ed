package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Containers that lack something: one line says what, and the units run where they can. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl"})
class PoorContainerTest {
    private static final String TMP =
            "{\"destination\": \"/tmp\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"mode=1777\"]},";
    private static final String RUN =
            "{\"destination\": \"/run\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"mode=0755\"]},";

    /** A service, in a folder that exists wherever /dev does. */
    private static final String UNIT =
            "mkdir /dev/units; printf '[Unit]\\\\nDefaultDependencies=no\\\\n[Service]\\\\nExecStart=/bin/sleep"
                    + " 1000\\\\n' >/dev/units/a.service; ";

    @TempDir private Path folder;

    private PlainContainer start(UnaryOperator<String> change, String before, String after)
            throws Exception {
        Checkout.requireForAll();
        String script =
                UNIT
                        + before
                        + "exec "
                        + PlainContainer.HOLDFAST
                        + " init --units /dev/units a.service"
                        + after;
        return PlainContainer.start(
                PlainContainer.Setting.DEFAULT, folder, List.of("/bin/sh", "-c", script), change);
    }

    private static void assertRuns(PlainContainer container) throws Exception {
        container.init().await("holdfast: ready");
        assertThat(container.run("systemctl is-active a.service")).isEqualTo("active");
        container.end();
    }

    private static String readOnly(String config) {
        return config.replace("\"readonly\": false", "\"readonly\": true");
    }

    private static List<String> lines(PlainContainer container, String text) {
        return container.init().written().lines().filter(line -> line.contains(text)).toList();
    }

    @Test
    void itRunsWithoutAWritableRootOrTmp() throws Exception {
        try (PlainContainer container =
                start(config -> readOnly(config).replace(TMP, ""), "", "")) {
            assertRuns(container);
            assertThat(lines(container, "cannot"))
                    .filteredOn(line -> !line.contains("a leftover: /tmp/")) // the machine's /tmp
                    .isEmpty();
        }
    }

    @Test
    void itEndsWithOneLineWithoutAWritableRun() throws Exception {
        try (PlainContainer container =
                start(config -> readOnly(config).replace(RUN, ""), "", "")) {
            assertThat(container.init().end()).isEqualTo(new Exit.Exited(1));
            assertThat(lines(container, "--tmpfs /run")).hasSize(1);
        }
    }

    @Test
    void itRunsWithAFullRun() throws Exception {
        try (PlainContainer container =
                start(
                        config ->
                                config.replace(RUN, RUN.replace("\"mode", "\"size=64k\", \"mode")),
                        "cat /dev/zero >/run/full 2>/dev/null; ",
                        "")) {
            assertRuns(container);
            assertThat(lines(container, "cannot record the manager's state")).hasSize(1);
            assertThat(lines(container, "a.service is lost if the manager crashes")).hasSize(1);
        }
    }

    @Test
    void itMakesAMachineIdOfItsOwn() throws Exception {
        try (PlainContainer container =
                start(config -> config, "mv /etc/machine-id /etc/machine-id.image; ", "")) {
            container.init().await("holdfast: ready");
            assertThat(container.run("cat /etc/machine-id")).matches("[0-9a-f]{32}");
            container.end();
        }
    }

    @Test
    void aUnitThatIsNotThereDoesNotKeepTheOthersFromRunning() throws Exception {
        try (PlainContainer container = start(config -> config, "", " nowhere.service")) {
            container.init().await("cannot start nowhere.service: there is no such unit");
            assertThat(container.run("systemctl is-active a.service")).isEqualTo("active");
            assertThat(container.stop()).isEqualTo(new Exit.Exited(1));
            assertThat(lines(container, "nowhere.service")).hasSize(1);
        }
    }

    @Test
    void itEndsWithOneLineIfNoUnitIsThere() throws Exception {
        Checkout.requireForAll();
        try (PlainContainer container = PlainContainer.start(folder, "init", "nowhere.service")) {
            assertThat(container.init().end()).isEqualTo(new Exit.Exited(1));
            assertThat(lines(container, "nowhere.service"))
                    .singleElement()
                    .asString()
                    .contains("cannot start nowhere.service: there is no such unit");
        }
    }

    @Test
    void itEndsAsSystemctlSaysWithoutAComplaint() throws Exception {
        try (PlainContainer container = start(config -> config, "", "")) {
            container.init().await("holdfast: ready");
            String _ = container.run("systemctl exit 5");
            assertThat(container.init().end()).isEqualTo(new Exit.Exited(5));
            assertThat(lines(container, "Exception")).isEmpty();
        }
    }

    @Test
    void itRunsWithClosedStandardStreams() throws Exception {
        try (PlainContainer container = start(config -> config, "", " <&- >&- 2>&-")) {
            Await.until(() -> container.answers("systemctl is-active a.service", "active"));
            container.end();
            assertThat(container.init().written()).isEmpty();
        }
    }
}
