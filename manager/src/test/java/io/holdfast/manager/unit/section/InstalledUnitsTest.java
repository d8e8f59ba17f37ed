package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitIndex;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests with the unit files of this machine's packages: systemd's and all others. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class InstalledUnitsTest {
    private static final Path SYSTEM = Path.of("/usr/lib/systemd/system");
    private static final Path USER = Path.of("/usr/lib/systemd/user");
    private static final Path SYSTEMD = Path.of("/usr/lib/systemd/systemd");

    private static List<Unit> readAll(Path folder) {
        assumeTrue(Files.isDirectory(folder), folder + " is not here");
        UnitLoader loader = UnitLoader.scan(new LoadPath(List.of(folder)));
        UnitReader reader = new UnitReader(Tree.HOST, Tree.SYSTEM);
        List<Unit> units = new ArrayList<>();
        for (UnitName name : loader.names()) {
            UnitName one = name.isTemplate() ? name.withInstance("test") : name;
            units.add(reader.read(loader.load(one)));
        }
        assertThat(loader.diagnostics()).isEmpty();
        return units;
    }

    @ParameterizedTest
    @ValueSource(strings = {"/usr/lib/systemd/system", "/usr/lib/systemd/user"})
    void everyUnitFileOfThePackagesIsUnderstood(String folder) {
        List<Unit> units = readAll(Path.of(folder));
        assertThat(units).isNotEmpty();
        for (Unit unit : units) {
            if (unit.source().state() == UnitSource.State.LOADED) {
                assertThat(unit.diagnostics())
                        .as(unit.name().text())
                        .filteredOn(d -> d.severity() == Diagnostic.Severity.ERROR)
                        .isEmpty();
                assertThat(unit.diagnostics())
                        .as(unit.name().text())
                        .filteredOn(d -> d.kind() == Diagnostic.Kind.IGNORED)
                        .isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis-server.service",
                "redis-server@one.service",
                "memcached.service",
                "cron.service",
                "nginx.service",
                "ssh.service",
                "ssh@1.service"
            })
    void wellKnownServicesCanBeStarted(String name) {
        UnitSource source = UnitLoader.scan(new LoadPath(List.of(SYSTEM))).load(UnitName.of(name));
        assumeTrue(source.state() == UnitSource.State.LOADED, name + " is not installed");
        Unit unit = Tree.read(source);
        assertThat(unit.isRefused()).isFalse();
        assertThat(((ServiceUnit) unit).service().commands().start()).isNotEmpty();
    }

    /** A directive of the installed systemd that we do not know would be reported as misspelled. */
    @Test
    void everyDirectiveOfTheInstalledSystemdIsKnown() throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(SYSTEMD), "systemd is not installed");
        ProcessBuilder dump = new ProcessBuilder(SYSTEMD.toString(), "--dump-configuration-items");
        dump.environment().putAll(Map.of("SYSTEMD_LOG_TARGET", "console", "SYSTEMD_PAGER", ""));
        Process process = dump.redirectErrorStream(true).start();
        String section = "";
        Set<String> unknown = new TreeSet<>();
        int known = 0;
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int equals = line.indexOf('=');
                if (line.startsWith("[")) {
                    section = line.substring(1, line.length() - 1);
                } else if (equals > 0) {
                    String key = line.substring(0, equals);
                    if (DirectiveTable.isKnown(section, key)) {
                        known++;
                    } else {
                        unknown.add(section + "." + key);
                    }
                }
            }
        }
        assumeTrue(process.waitFor() == 0 && known > 0, "this systemd tells no directives");
        assertThat(unknown).isEmpty();
    }

    static Stream<Gen> generated() {
        return Gen.cases(300);
    }

    private static final String SHAPES =
            """
            [Unit]
            Description=Mutated %i %n %p
            Wants=a.service b@.service
            After=network.target
            ConditionPathExists=|!/x
            StartLimitIntervalSec=1min 30s
            [Service]
            Type=notify
            ExecStartPre=-/bin/sh -c 'exec "$@"' \\
                # comment
                sh ${A} $B \\x41
            ExecStart=/usr/bin/thing --flag "a b"
            Environment="A=1 2" B='x'
            CapabilityBoundingSet=~CAP_SYS_ADMIN
            LimitNOFILE=1024:infinity
            RuntimeDirectory=a/b c:d
            User=someone
            KillSignal=SIGTERM
            SuccessExitStatus=1 SIGKILL TEMPFAIL
            WorkingDirectory=-~
            StandardOutput=append:/var/log/x
            Slice=a-b.slice
            [Install]
            WantedBy=multi-user.target
            """;

    private static final List<String> REAL = realFiles();

    /** Returns a file of ours and the installed ones, if there are any. */
    private static List<String> realFiles() {
        List<String> texts = new ArrayList<>(List.of(SHAPES));
        for (Path folder : List.of(SYSTEM, USER)) {
            for (Path file : UnitIndex.list(folder)) {
                if (file.toString().endsWith(".service") && Files.isRegularFile(file)) {
                    texts.add(SmallFile.read(file));
                }
            }
        }
        return texts;
    }

    @ParameterizedTest
    @MethodSource("generated")
    void noMutationOfARealFileMakesTheReadingThrow(Gen gen, @TempDir Path root) throws IOException {
        Tree tree = new Tree(root);
        String alphabet = "[]=%\\\"'#;\n\0$~!|-:@é x0\ud83d";
        String name = gen.oneOf("m.service", "m@i.service", "m.socket", "m.slice", "m.target");
        tree.write("a/" + name, gen.mutate(gen.oneOf(REAL), alphabet).replace("\ud83d", "\u00e9"));
        tree.write("b/" + name + ".d/o.conf", gen.mutate(SHAPES, alphabet).replace("\ud83d", "?"));
        Files.write(root.resolve("b/" + name + ".d/p.conf"), gen.bytes(500));
        Unit unit = Tree.read(tree.load(name));
        assertThat(unit.name()).isEqualTo(UnitName.of(name));
        assertThat(unit.diagnostics()).allSatisfy(d -> assertThat(d.toString()).isNotBlank());
    }

    @ParameterizedTest
    @MethodSource("generated")
    void noValueOfAnyDirectiveMakesTheReadingThrow(Gen gen) {
        List<String> keys = List.copyOf(DirectiveTable.of("Service"));
        StringBuilder text = new StringBuilder("[Service]\n");
        for (int i = 0; i < 40; i++) {
            text.append(gen.oneOf(keys))
                    .append('=')
                    .append(gen.string("01259abKM.:/-~!+|@%in$\\x\"' CAP_SIG", 14))
                    .append('\n');
        }
        Unit unit = Tree.service("fuzz@i.service", text.toString());
        assertThat(unit.diagnostics()).hasSizeLessThanOrEqualTo(Diagnostic.LIMIT + 2);
    }
}
