package io.holdfast.manager.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.verify.UnitVerifier.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SameOnEveryKernel
class UnitVerifierTest {
    @TempDir private Path folder;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private UnitVerifier verifier() {
        return new UnitVerifier(
                ManagerScope.system(Map.of()),
                new LoadPath(List.of()),
                List.of(folder),
                Optional.empty());
    }

    private Verdict verify(String name) throws InterruptedException {
        return verifier().verify(UnitName.of(name));
    }

    /** Returns the lines without the path of the folder. */
    private List<String> lines(Verdict verdict) {
        return verdict.diagnostics().stream()
                .map(line -> line.toString().replace(folder + "/", ""))
                .toList();
    }

    @Test
    void aUnitThatWorksGetsNoLine() throws Exception {
        write("a.service", "[Service]\nExecStart=/bin/true\nUser=root\nGroup=root\n");
        Verdict verdict = verify("a.service");
        assertThat(verdict.diagnostics()).isEmpty();
        assertThat(verdict.isGood()).isTrue();
        assertThat(verdict.fragment()).contains(folder.resolve("a.service"));
    }

    @Test
    void programsUsersAndGroupsThatAreNotThereAreTold() throws Exception {
        Path notExecutable = write("data", "x");
        write(
                "a.service",
                "[Service]\nExecStartPre=/bin/true\nExecStart=/no/such/program -x\nExecStop="
                        + notExecutable
                        + "\nExecStopPost=no-such-program\nUser=no-such-user\nGroup=no-such-group\n");
        Verdict verdict = verify("a.service");
        assertThat(lines(verdict))
                .satisfiesExactly(
                        line ->
                                assertThat(line)
                                        .isEqualTo(
                                                "a.service:3: /no/such/program: there is no such file"),
                        line ->
                                assertThat(line)
                                        .startsWith("a.service:4: ")
                                        .contains("data: it cannot be executed"),
                        line ->
                                assertThat(line)
                                        .startsWith("a.service:5: no-such-program: it is not in /"),
                        line -> assertThat(line).startsWith("a.service:6: User=no-such-user: "),
                        line -> assertThat(line).startsWith("a.service:7: Group=no-such-group: "));
        assertThat(verdict.isGood()).isFalse();
    }

    @Test
    void theUserOfADynamicOneIsMadeUp() throws Exception {
        write("a.service", "[Service]\nExecStart=/bin/true\nUser=made-up\nDynamicUser=yes\n");
        assertThat(verify("a.service").diagnostics())
                .noneMatch(line -> line.kind() == Diagnostic.Kind.MISSING);
    }

    @Test
    void theOwnerOfASocketIsLookedUp() throws Exception {
        write("a.socket", "[Socket]\nListenStream=/run/x\nSocketUser=no-such-user\n");
        write("a.service", "[Service]\nExecStart=/bin/true\n");
        assertThat(lines(verify("a.socket")))
                .singleElement()
                .asString()
                .startsWith("a.socket:3: SocketUser=no-such-user: ");
    }

    @Test
    void aRequiredUnitThatIsNotThereIsToldAlsoOfWhatIsPulledIn() throws Exception {
        write("a.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/true\n");
        write(
                "b.service",
                "[Unit]\nDescription=b\nRequires=c.service d.service\n[Service]\nExecStart=/bin/true\n");
        write("d.service", "[Service]\nExecStart=/bin/true\n");
        assertThat(lines(verify("a.service")))
                .containsExactly(
                        "b.service:3: Requires=c.service: there is no such unit, but b.service requires it");
    }

    @Test
    void aMissingUnitThatATimerOrAPathStartsIsReported() throws Exception {
        write("t.timer", "[Timer]\nOnBootSec=1\nUnit=nothing.service\n");
        write("p.path", "[Path]\nPathExists=/x\n");
        assertThat(lines(verify("t.timer")))
                .containsExactly(
                        "t.timer:3: Unit=nothing.service: there is no such unit, but t.timer"
                                + " requires it");
        assertThat(lines(verify("p.path")))
                .singleElement()
                .asString()
                .contains("Unit=p.service: there is no such unit");
    }

    @Test
    void anOrderingCycleIsReported() throws Exception {
        write(
                "a.service",
                "[Unit]\nWants=b.service\nAfter=b.service\n[Service]\nExecStart=/bin/true\n");
        write("b.service", "[Unit]\nWants=c.service\n[Service]\nExecStart=/bin/true\n");
        write(
                "c.service",
                "[Unit]\nBefore=b.service\nAfter=a.service\n[Service]\nExecStart=/bin/true\n");
        assertThat(lines(verify("a.service")))
                .containsExactly(
                        "a.service: ordering cycle: a.service → b.service → c.service → a.service,"
                                + " each after the next");
    }

    @Test
    void whatIsNotSupportedIsToldAndIsNoMistake() throws Exception {
        write("a.service", "[Service]\nExecStart=/bin/true\nRestrictFileSystems=ext4\n");
        Verdict verdict = verify("a.service");
        assertThat(verdict.diagnostics())
                .singleElement()
                .satisfies(line -> {
                    assertThat(line.isSecurity()).isTrue();
                    assertThat(line.kind()).isEqualTo(Diagnostic.Kind.NOT_APPLIED);
                });
        assertThat(verdict.isGood()).isTrue();
    }

    @Test
    void aFileIsVerifiedWithItsDropInsAndTheUnitsBesideIt() throws Exception {
        Path own = Files.createDirectory(folder.resolve("own"));
        Path file = Files.writeString(own.resolve("x.service"), "[Unit]\nRequires=y.service\n");
        Files.writeString(own.resolve("y.service"), "[Service]\nExecStart=/bin/true\n");
        Path dropIns = Files.createDirectory(own.resolve("x.service.d"));
        Files.writeString(
                dropIns.resolve("1.conf"), "[Service]\nExecStart=/bin/true\nRestrat=no\n");
        assertThat(lines(verifier().verify(file)))
                .singleElement()
                .asString()
                .startsWith("own/x.service.d/1.conf:3: unknown directive \"Restrat\"");
    }

    @Test
    void aRequiredUnitThatIsMaskedIsTold() throws Exception {
        write("a.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/true\n");
        write("b.service", "");
        assertThat(lines(verify("a.service")))
                .containsExactly("b.service: masked, but a.service depends on it");
    }

    @Test
    void aUnitThatIsNotThereIsTold() throws Exception {
        assertThat(lines(verify("none.service")))
                .containsExactly("none.service: there is no such unit");
        Path file = write("note.txt", "x");
        assertThatThrownBy(() -> verifier().verify(file))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aFileIsReadOnce() throws Exception {
        write("a.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/true\n");
        write("c.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/true\n");
        Path shared = write("b.service", "[Service]\nExecStart=/bin/true\n");
        UnitVerifier verifier = verifier();
        assertThat(verifier.verify(UnitName.of("a.service")).isGood()).isTrue();
        Files.delete(shared);
        assertThat(verifier.verify(UnitName.of("c.service")).isGood()).isTrue();
        assertThat(verify("c.service").isGood()).isFalse();
    }

    @Test
    void aPathWithoutWhichTheSandboxCannotBeMadeIsReported() throws Exception {
        write(
                "a.service",
                """
                [Service]
                ExecStart=/bin/true
                BindReadOnlyPaths=/no/such/log:/var/lib/a -/no/such/optional /etc
                ReadWritePaths=/no/such/folder
                RuntimeDirectory=made-by-a
                ReadOnlyPaths=/run/made-by-a/x
                RootImage=/usr
                """);
        write("b.service", "[Service]\nExecStart=/bin/true\nRootDirectory=/no/such/root\n");
        assertThat(lines(verify("b.service")))
                .contains("b.service:3: RootDirectory=/no/such/root: there is no such file");
        assertThat(lines(verify("a.service")))
                .contains(
                        "a.service:3: BindReadOnlyPaths=/no/such/log: there is no such file",
                        "a.service:4: ReadWritePaths=/no/such/folder: there is no such file",
                        "a.service:7: RootImage=/usr: an image is not supported, so the service"
                                + " does not start")
                .noneMatch(line -> line.contains("optional") || line.contains("made-by-a"));
    }

    @Test
    void anImageIsVerifiedByItsOwnFiles() throws Exception {
        Tree image =
                new Tree(folder)
                        .write("usr/bin/tool", "x")
                        .write("etc/passwd", "web:x:70:70::/:/bin/sh\n")
                        .write("etc/group", "web:x:70:\n")
                        .write(
                                "usr/lib/systemd/system/a.service",
                                """
                                [Unit]
                                Requires=b.service
                                [Service]
                                ExecStart=/bin/tool
                                User=web
                                BindPaths=/etc/passwd /run/later
                                ReadOnlyPaths=/usr/lib/none
                                Group=no-such-group
                                """)
                        .write("usr/lib/systemd/system/c.service", "[Service]\nExecStart=/bin/sh\n")
                        .write("etc/drop.conf", "[Unit]\nDescription=dropped\n")
                        .link("bin", "usr/bin")
                        .link("etc/systemd/system/b.service", "/usr/lib/systemd/system/c.service")
                        .link("etc/systemd/system/d.service", "/opt/d.service")
                        .write("opt/d.service", "[Service]\nExecStart=/opt/none\n");
        assertThat(image.root().resolve("usr/bin/tool").toFile().setExecutable(true)).isTrue();
        UnitVerifier verifier =
                new UnitVerifier(
                        ManagerScope.system(Map.of()),
                        LoadPath.system(Map.of()).below(new FileRoot(folder)),
                        List.of(),
                        Optional.empty());

        assertThat(lines(verifier.verify(UnitName.of("a.service"))))
                .containsExactly(
                        "usr/lib/systemd/system/a.service:8: Group=no-such-group: no such group:"
                                + " no-such-group",
                        "usr/lib/systemd/system/a.service:7: ReadOnlyPaths=/usr/lib/none: there is"
                                + " no such file");
        assertThat(lines(verifier.verify(UnitName.of("b.service"))))
                .containsExactly(
                        "usr/lib/systemd/system/c.service:2: /bin/sh: there is no such file");
        assertThat(lines(verifier.verify(UnitName.of("d.service"))))
                .containsExactly("opt/d.service:2: /opt/none: there is no such file");
    }
}
