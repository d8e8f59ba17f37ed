package io.holdfast.manager;

import static io.holdfast.manager.HostilePath.DEVICE;
import static io.holdfast.manager.HostilePath.EXCHANGED;
import static io.holdfast.manager.HostilePath.FIFO;
import static io.holdfast.manager.HostilePath.HARD_LINK;
import static io.holdfast.manager.HostilePath.HUGE;
import static io.holdfast.manager.HostilePath.LEASED;
import static io.holdfast.manager.HostilePath.LINK;
import static io.holdfast.manager.HostilePath.LOCKED;
import static io.holdfast.manager.HostilePath.LOOP;
import static io.holdfast.manager.HostilePath.USER;
import static io.holdfast.manager.HostilePath.give;
import static io.holdfast.manager.HostilePath.other;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.Umask;
import io.holdfast.manager.HostilePath.Victims;
import io.holdfast.manager.exec.TestUnits;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.view.UnitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every path that a unit can name, in a directory of a user who puts hostile files there: no thread
 * hangs in an open, no file of root changes, a refused path is named, and other units start.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"gcc", "setpriv", "mknod"})
class HostileFileSystemTest {
    /** The expected result of a start. */
    private enum End {
        /** It fails, and the log names this path as the reason. */
        REFUSED,
        /** It works, and the log says what was left out. */
        SAID,
        WORKS,
        /** Any result: it depends on what the path is at the moment. */
        ANY
    }

    /**
     * A directive that names a path.
     *
     * @param text of the unit, with PATH for the path
     * @param otherwise the expected result where it is not a refusal
     */
    private record Row(
            String name,
            String suffix,
            boolean isDirectory,
            String text,
            Map<HostilePath, End> otherwise) {
        /** Makes a row for a service, with a line in [Service]. */
        static Row service(String name, String line) {
            String text = "[Service]\nType=oneshot\nTimeoutStartSec=60s\nExecStart=/bin/true\n";
            return new Row(name, ".service", false, text + line, Map.of());
        }

        /** Makes a row for a socket, with lines in [Socket]. */
        static Row socket(String name, String lines) {
            return new Row(name, ".socket", false, "[Socket]\n" + lines, Map.of());
        }

        /** Makes the row expect a directory. */
        Row directory() {
            return new Row(name, suffix, true, text, otherwise);
        }

        Row but(End end, HostilePath... of) {
            Map<HostilePath, End> more = new TreeMap<>(otherwise);
            for (HostilePath each : of) {
                more.put(each, end);
            }
            return new Row(name, suffix, isDirectory, text, more);
        }

        End end(HostilePath hostile) {
            return otherwise.getOrDefault(hostile, hostile == EXCHANGED ? End.ANY : End.REFUSED);
        }
    }

    /**
     * Makes a row for a stream, which may be a device, of any length, or locked by another process.
     */
    private static Row stream(String name, String line) {
        return Row.service(name, line).but(End.WORKS, DEVICE, HUGE, LOCKED);
    }

    private static final List<Row> ROWS =
            List.of(
                    Row.service("environment", "EnvironmentFile=PATH").but(End.WORKS, LOCKED),
                    stream("input", "StandardInput=file:PATH"),
                    stream("file", "StandardOutput=file:PATH"),
                    stream("append", "StandardOutput=append:PATH"),
                    stream("truncate", "StandardOutput=truncate:PATH"),
                    stream("error", "StandardError=append:PATH"),
                    new Row(
                                    "pid-file",
                                    ".service",
                                    false,
                                    "[Service]\nType=forking\nTimeoutStartSec=5s\n"
                                            + "ExecStart=/bin/sh -c 'sleep 1000 &'\nPIDFile=PATH",
                                    Map.of())
                            .but(End.ANY, LOCKED, HUGE),
                    Row.service("bind", "BindPaths=PATH:/mnt").directory().but(End.ANY, FIFO),
                    Row.service("bind-to", "BindPaths=/usr:PATH/in").directory(),
                    Row.service("read-only", "ReadOnlyPaths=PATH").directory().but(End.ANY, FIFO),
                    Row.service("writable", "ReadWritePaths=PATH").directory().but(End.ANY, FIFO),
                    Row.service("hidden", "InaccessiblePaths=PATH").directory().but(End.ANY, FIFO),
                    Row.service("programs", "ExecPaths=PATH").directory().but(End.ANY, FIFO),
                    Row.service("no-programs", "NoExecPaths=PATH").directory().but(End.ANY, FIFO),
                    Row.service("temporary", "TemporaryFileSystem=PATH").directory(),
                    Row.service("temporary-in", "TemporaryFileSystem=PATH/in").directory(),
                    Row.service("root", "RootDirectory=PATH").directory(),
                    Row.service("directory", "User=nobody\nWorkingDirectory=PATH").directory(),
                    Row.service("network", "NetworkNamespacePath=PATH"),
                    Row.service("ipc", "IPCNamespacePath=PATH"),
                    Row.service("credential", "LoadCredential=x:PATH").but(End.WORKS, LOCKED),
                    Row.service("credentials", "LoadCredential=x:PATH").directory(),
                    Row.service("encrypted", "LoadCredentialEncrypted=x:PATH").but(End.ANY, LOCKED),
                    stream("open", "OpenFile=PATH").but(End.WORKS, FIFO),
                    Row.service("terminal", "StandardInput=tty\nTTYPath=PATH").but(End.ANY, DEVICE),
                    Row.service("runtime", "RuntimeDirectory=UNIT/x").directory(),
                    Row.service("state", "StateDirectory=UNIT/x").directory(),
                    Row.service("cache", "CacheDirectory=UNIT/x").directory(),
                    Row.service("logs", "LogsDirectory=UNIT/x").directory(),
                    Row.service("configuration", "ConfigurationDirectory=UNIT/x").directory(),
                    Row.socket("stream", "ListenStream=PATH"),
                    Row.socket("datagram", "ListenDatagram=PATH"),
                    Row.socket("fifo", "ListenFIFO=PATH"),
                    Row.socket("below", "ListenStream=PATH/in/socket").directory(),
                    Row.socket("fifo-below", "ListenFIFO=PATH/in/fifo").directory(),
                    Row.socket("symlink", "ListenStream=PATH.own\nSymlinks=PATH")
                            .but(End.WORKS, LINK, LOOP) // links are replaced
                            .but(End.SAID, FIFO, HARD_LINK, DEVICE, LOCKED, LEASED, HUGE),
                    Row.socket("symlink-below", "ListenStream=PATH.own\nSymlinks=PATH/in/link")
                            .directory()
                            .but(End.SAID, FIFO, LINK, LOOP),
                    new Row("unit", ".service", false, "", Map.of()).but(End.ANY, LOCKED, HUGE),
                    new Row("drop-in", ".service", false, "", Map.of())
                            .but(End.SAID, FIFO, LINK, LOOP, HARD_LINK, DEVICE, LEASED, HUGE)
                            .but(End.WORKS, LOCKED));

    @TempDir private Path folder;
    private Path units;
    private ManagerScope scope;
    private Victims victims;

    @BeforeEach
    void makeVictims() throws IOException {
        Files.setPosixFilePermissions(folder, fromString("rwxr-xr-x"));
        Path root = Files.createDirectory(folder.resolve("root"));
        Path directory = Files.createDirectory(root.resolve("directory"));
        Files.writeString(directory.resolve("inner"), "root's");
        Files.setPosixFilePermissions(directory, fromString("rwx------"));
        Path file = Files.writeString(root.resolve("file"), "SECRET=root's\n");
        Files.setPosixFilePermissions(file, fromString("rw-------"));
        try (Directory held = Directory.open(root.toString())) {
            assertThat(held.makeFifo("fifo", 0600)).isTrue();
        }
        victims = new Victims(file, directory, root.resolve("fifo"));
        units = Files.createDirectory(folder.resolve("units"));
        scope = TestUnits.scopeIn(folder.resolve("scope"));
    }

    /** Returns all files of root, with their state. */
    private Map<Path, String> everythingOfRoots() throws IOException {
        Map<Path, String> found = new TreeMap<>();
        try (var paths = Files.walk(folder.resolve("root"))) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                String content = Files.isRegularFile(path) ? Files.readString(path) : "";
                found.put(path, SysStat.stat(path.toString()) + content);
            }
        }
        return found;
    }

    /** A row with the file that the user has put there. */
    private record Case(Row row, HostilePath hostile, String unit, Path path) {
        UnitName name() {
            return UnitName.of(unit + row.suffix());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 077})
    void nothingOfRootsChangesAndNobodyWaits(int umask) throws Exception {
        List<Case> cases = new ArrayList<>();
        for (Row row : ROWS) {
            for (HostilePath hostile : HostilePath.values()) {
                if (!row.isDirectory() || hostile.isOfDirectories()) {
                    cases.add(prepare(row, hostile));
                }
            }
        }
        write("innocent.service", "[Service]\nExecStart=/bin/sleep 1000");
        Map<Path, String> before = everythingOfRoots();
        Happenings happenings = new Happenings();
        Map<UnitName, JobResult> results;
        Map<UnitName, UnitStatus> states = new LinkedHashMap<>();
        try (HostileUser _ = HostileUser.locking(USER, paths(cases, LOCKED, Case::path));
                HostileUser _ = HostileUser.leasing(USER, paths(cases, LEASED, Case::path));
                HostileUser _ = HostileUser.exchanging(USER, exchanged(cases));
                Umask _ = Umask.of(umask)) {
            Manager manager = Manager.open(options(), happenings);
            Thread loop = Thread.ofPlatform().name("manager").start(manager::run);
            try {
                var starting = manager.start(cases.stream().map(Case::name).toList());
                UnitName innocent = UnitName.of("innocent.service");
                assertThat(Stage.get(manager.start(List.of(innocent))))
                        .containsEntry(innocent, JobResult.DONE);
                results = Stage.get(starting);
                for (Case each : cases) {
                    states.put(each.name(), Stage.get(manager.status(each.name())));
                }
                Await.until(HostileFileSystemTest::noWorkerWorks);
                Stage.get(manager.shutdown());
                assertThat(loop.join(Duration.ofSeconds(60))).isTrue();
            } finally {
                manager.close();
            }
            assertThat(manager.loop().errors()).isZero();
        }
        SoftAssertions all = new SoftAssertions();
        for (Case each : cases) {
            check(
                    all,
                    each,
                    Objects.requireNonNull(results.get(each.name())),
                    Objects.requireNonNull(states.get(each.name())),
                    happenings.lines());
        }
        all.assertThat(everythingOfRoots()).isEqualTo(before);
        all.assertAll();
    }

    private Case prepare(Row row, HostilePath hostile) throws IOException, InterruptedException {
        String unit = row.name() + "-" + hostile.name().toLowerCase(Locale.ROOT).replace('_', '-');
        Path own = Files.createDirectories(root(row).resolve(unit));
        give(own, USER);
        Path path = own.resolve("x");
        hostile.make(path, row.isDirectory(), row.name().equals("fifo"), victims);
        String text = row.text().replace("PATH", path.toString()).replace("UNIT", unit) + "\n";
        Path named = path;
        switch (row.name()) {
            case "unit" -> named = Files.createSymbolicLink(units.resolve(unit + ".service"), path);
            case "drop-in" -> {
                write(unit + ".service", "[Service]\nType=oneshot\nExecStart=/bin/true");
                Path folder = Files.createDirectory(units.resolve(unit + ".service.d"));
                named = Files.createSymbolicLink(folder.resolve("10.conf"), path);
            }
            default -> write(unit + row.suffix(), text);
        }
        if (row.suffix().equals(".socket")) {
            write(unit + ".service", "[Service]\nExecStart=/bin/true");
        }
        return new Case(row, hostile, unit, named);
    }

    /** Returns the folder that contains the directories of the user. */
    private Path root(Row row) {
        return switch (row.name()) {
            case "runtime" -> Path.of(scope.runtimeDirectory());
            case "state" -> Path.of(scope.stateDirectory());
            case "cache" -> Path.of(scope.cacheDirectory());
            case "logs" -> Path.of(scope.logsDirectory());
            case "configuration" -> Path.of(scope.configurationDirectory());
            default -> folder.resolve("home");
        };
    }

    private void write(String unit, String text) throws IOException {
        Files.writeString(units.resolve(unit), "[Unit]\nDefaultDependencies=no\n" + text + "\n");
    }

    private ManagerOptions options() {
        return ManagerOptions.system(Map.of())
                .withScope(scope)
                .withLoadPath(new LoadPath(List.of()))
                .withUnits(List.of(units))
                .withRuntimeDirectory(folder.resolve("manager"))
                .withSlice(Stage.freshSlice());
    }

    private static Path[] paths(List<Case> cases, HostilePath hostile, Function<Case, Path> path) {
        return cases.stream()
                .filter(each -> each.hostile() == hostile)
                .map(path)
                .toArray(Path[]::new);
    }

    private Path[] exchanged(List<Case> cases) throws IOException {
        List<Path> pairs = new ArrayList<>();
        for (Path path : paths(cases, EXCHANGED, Case::path)) {
            Path real = Files.isSymbolicLink(path) ? Files.readSymbolicLink(path) : path;
            Path own = real.startsWith(folder.resolve("root")) ? path : real;
            pairs.add(own);
            pairs.add(other(own));
        }
        return pairs.toArray(Path[]::new);
    }

    private static boolean noWorkerWorks() {
        return Stage.workers().stream()
                .flatMap(thread -> Arrays.stream(thread.getStackTrace()))
                .noneMatch(frame -> frame.getClassName().equals(Work.class.getName()));
    }

    private static final Set<JobResult> FAILED =
            Set.of(JobResult.FAILED, JobResult.TIMEOUT, JobResult.INVALID);

    private static void check(
            SoftAssertions all,
            Case each,
            JobResult result,
            UnitStatus status,
            List<String> lines) {
        End end = each.row().end(each.hostile());
        String named = each.path().toString();
        boolean said =
                lines.stream().anyMatch(line -> line.contains(each.unit()) && line.contains(named))
                        || status.diagnostics().toString().contains(named);
        switch (end) {
            case REFUSED -> {
                all.assertThat(FAILED).as("%s: %s", each.unit(), status).contains(result);
                all.assertThat(said).as("%s names its path: %s", each.unit(), status).isTrue();
            }
            case SAID -> {
                all.assertThat(result).as("%s: %s", each.unit(), status).isEqualTo(JobResult.DONE);
                all.assertThat(said).as("%s names its path: %s", each.unit(), status).isTrue();
            }
            case WORKS ->
                    all.assertThat(result)
                            .as("%s: %s", each.unit(), status)
                            .isEqualTo(JobResult.DONE);
            case ANY -> {}
        }
        all.assertThat(lines.toString()).as("what is secret is nowhere").doesNotContain("root's");
    }
}
