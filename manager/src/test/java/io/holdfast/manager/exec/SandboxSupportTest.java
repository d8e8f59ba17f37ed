package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.Capability;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs(root = true) // an ordinary user lacks all for one reason
class SandboxSupportTest {
    @TempDir private Path folder;

    private List<String> unapplied(
            Map<Kind, String> lacking, Set<Capability> capabilities, String... lines) {
        ManagerScope scope = TestUnits.scopeIn(folder);
        ServiceUnit unit = TestUnits.service(scope, lines);
        return new SandboxSupport(SandboxSupport.Mode.AS_FOUND, lacking, capabilities)
                .unapplied(unit.source(), unit.exec()).stream().map(Diagnostic::toString).toList();
    }

    @Test
    void aDirectiveWithoutItsNamespaceIsListedWithLineReasonAndConsequence() {
        assertThat(
                        unapplied(
                                Map.of(Kind.NET, "it is refused"),
                                Capability.all(),
                                "PrivateTmp=yes",
                                "PrivateNetwork=yes",
                                "ExecStart=/bin/true"))
                .singleElement()
                .asString()
                .matches(
                        ".*:3: PrivateNetwork= is not applied: it is refused: the network of the"
                                + " machine is accessible");
    }

    @Test
    void aPathOutsideOfTheRootIsListed() {
        String root = "RootDirectory=" + folder;
        assertThat(unapplied(Map.of(), Capability.all(), root, "ReadOnlyPaths=+/ " + folder))
                .isEmpty();
        assertThat(unapplied(Map.of(), Capability.all(), "ReadOnlyPaths=/")).isEmpty();
        assertThat(unapplied(Map.of(), Capability.all(), root, "ReadOnlyPaths=/"))
                .singleElement()
                .asString()
                .contains("ReadOnlyPaths= is not applied: it names a path outside");
    }

    @Test
    void directivesWithoutTheirCapabilityAreListedWithWhatAContainerHasToGrant() {
        assertThat(
                        unapplied(
                                Map.of(),
                                Set.of(Capability.CHOWN, Capability.KILL),
                                "CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SYS_TIME",
                                "AmbientCapabilities=CAP_KILL CAP_SYS_TIME",
                                "SecureBits=noroot",
                                "Nice=-5",
                                "ProtectClock=yes",
                                "ExecStart=/bin/true"))
                .satisfiesExactlyInAnyOrder(
                        line -> lacks(line, "CapabilityBoundingSet", "SETPCAP"),
                        line -> lacks(line, "SecureBits", "SETPCAP"),
                        line -> lacks(line, "ProtectClock", "SETPCAP"),
                        line -> lacks(line, "AmbientCapabilities", "SYS_TIME"),
                        line -> lacks(line, "Nice", "SYS_NICE"));
    }

    private static void lacks(String line, String directive, String capability) {
        assertThat(line)
                .contains(
                        directive
                                + "= is not applied: the manager has no CAP_"
                                + capability
                                + "; a container gets it with --cap-add "
                                + capability);
    }
}
