package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each row of docs/systemctl.md is true: the unmodified tools of systemd, in a container. */
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "crun",
            "unshare",
            "nsenter",
            "systemctl",
            "systemd-analyze",
            "varlinkctl",
            "script"
        })
class SystemctlVerbsTest {
    private static final Path TABLE = Path.of("../docs/systemctl.md");
    private static final Pattern ROW =
            Pattern.compile("\\| `([^|]+)` \\| (\\d+) \\| (?:`([^|]+)` )?\\|");

    private static final String UNITS =
            """
            cd /etc/systemd/system
            printf '[Unit]\\nDescription=A\\n[Service]\\nExecStart=/bin/sleep 1000\\nExecReload=/bin/true\\n' >a.service
            printf '[Install]\\nWantedBy=calm.target\\n' >>a.service
            printf '[Unit]\\nDefaultDependencies=no\\nAllowIsolate=yes\\n' >calm.target
            printf '[Service]\\nExecStart=/bin/true\\n' >/opt/far.service
            printf '#!/bin/sh\\nfor file; do :; done; sed -i "2a [Unit]\\\\nDescription=B" "$file"\\n' >/opt/editor
            chmod +x /opt/editor
            mkdir -p /etc/systemd/system-preset
            echo 'enable a.service' >/etc/systemd/system-preset/00-a.preset
            """;

    private record Row(String command, String status, String text) {}

    @TempDir private static Path folder;

    private static List<Row> rows() throws IOException {
        return Files.readAllLines(TABLE).stream()
                .map(ROW::matcher)
                .filter(Matcher::matches)
                .map(row ->
                        new Row(
                                row.group(1),
                                row.group(2),
                                row.group(3) == null ? "" : row.group(3)))
                .toList();
    }

    @Test
    void eachVerbAnswersAsTheTableSays() throws Exception {
        Checkout.requireForAll();
        try (PlainContainer container = PlainContainer.start(folder, "init", "holdfast.target")) {
            container.init().await("holdfast: ready");
            String _ = container.run(UNITS);
            SoftAssertions all = new SoftAssertions();
            List<Row> rows = rows();
            all.assertThat(rows).hasSizeGreaterThan(80);
            for (Row row : rows) {
                String answer = container.run(script(row.command()));
                int end = answer.lastIndexOf('\n');
                all.assertThat(answer.substring(end + 1))
                        .as("%s: %s", row.command(), answer)
                        .isEqualTo(row.status());
                all.assertThat(answer.replaceAll("[ \\t]+", " "))
                        .as(row.command())
                        .contains(row.text());
                if (!row.status().equals("0")) {
                    all.assertThat(answer).doesNotContain("internal error", "Exception");
                }
            }
            all.assertAll();
            assertThat(container.stop()).isEqualTo(new Exit.Exited(0));
        }
    }

    /** Only an editor gets a terminal. The exit status is the last line. */
    private static String script(String command) {
        String words = command.replace("systemctl ", "systemctl --no-pager ");
        String limited =
                command.contains(" edit ")
                        ? "script -qec '" + words + "' /dev/null"
                        : "timeout 60 sh -c '" + words.replace("'", "'\\''") + "'";
        return "export COLUMNS=200 SYSTEMD_COLORS=0; "
                + limited
                + " </dev/null 2>&1 | tr -d '\\r'; s=${PIPESTATUS[0]}; echo; echo $s";
    }
}
