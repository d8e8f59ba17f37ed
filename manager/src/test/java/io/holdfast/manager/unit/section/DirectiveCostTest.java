package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostic.Severity;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.section.UnitReader.Support;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Tests which protection a unit lacks, and whether that affects security. */
@SameOnEveryKernel
class DirectiveCostTest {
    /** Directives that systemd-analyze(1) security assesses, except users and privileges. */
    private static final List<String> ASSESSED =
            List.of(
                    "AppArmorProfile",
                    "CapabilityBoundingSet",
                    "RestrictNetworkInterfaces",
                    "SocketBindDeny",
                    "KeyringMode",
                    "LockPersonality",
                    "MemoryDenyWriteExecute",
                    "NoNewPrivileges",
                    "PrivateDevices",
                    "PrivateMounts",
                    "PrivateNetwork",
                    "PrivateTmp",
                    "PrivateUsers",
                    "ProcSubset",
                    "ProtectClock",
                    "ProtectControlGroups",
                    "ProtectHome",
                    "ProtectHostname",
                    "ProtectKernelLogs",
                    "ProtectKernelModules",
                    "ProtectKernelTunables",
                    "ProtectProc",
                    "ProtectSystem",
                    "RestrictAddressFamilies",
                    "RestrictNamespaces",
                    "RestrictRealtime",
                    "RestrictSUIDSGID",
                    "RootDirectory",
                    "SystemCallArchitectures",
                    "SystemCallFilter",
                    "UMask");

    @Test
    void everyDirectiveOfTheTableIsOneOfSystemd() {
        Set<String> known = new TreeSet<>(DirectiveTable.of("Service"));
        known.addAll(DirectiveTable.of("Socket"));

        assertThat(known).containsAll(DirectiveCost.directives());
    }

    @Test
    void whatConfinesAServiceIsKnownAsItsSecurity() {
        assertThat(ASSESSED)
                .allSatisfy(directive ->
                        assertThat(DirectiveCost.of(directive))
                                .as(directive)
                                .hasValueSatisfying(cost -> assertThat(cost.security()).isTrue()));
        Set<String> unapplied = new TreeSet<>(DirectiveTable.of("Service"));
        unapplied.removeAll(UnitReader.directives(UnitType.SERVICE, "Service", Support.APPLIED));
        assertThat(unapplied)
                .filteredOn(directive ->
                        directive.matches("(Protect|Restrict|Private|SystemCall).*")
                                && !directive.equals("SystemCallErrorNumber"))
                .isNotEmpty()
                .allSatisfy(directive ->
                        assertThat(DirectiveCost.of(directive)).as(directive).isPresent());
    }

    private static List<Diagnostic> diagnostics(String... lines) {
        String text = "[Service]\nExecStart=/x\n" + String.join("\n", lines) + "\n";
        return Tree.service("a.service", text).diagnostics();
    }

    @Test
    void aProtectionThatIsNotAppliedIsAWarningThatSaysWhatHoldsInstead() {
        assertThat(diagnostics("SocketBindDeny=tcp", "SocketBindDeny=any"))
                .singleElement()
                .satisfies(each -> {
                    assertThat(each.isSecurity()).isTrue();
                    assertThat(each.severity()).isEqualTo(Severity.WARNING);
                    assertThat(each.toString())
                            .endsWith(
                                    ":3: SocketBindDeny= is not supported: sockets can be bound to every"
                                            + " port");
                });
    }

    @Test
    void aProtectionWhoseValueCannotBeReadIsOneToo() {
        assertThat(diagnostics("ProtectSystem=stirct"))
                .singleElement()
                .satisfies(each -> {
                    assertThat(each.isSecurity()).isTrue();
                    assertThat(each.kind()).isEqualTo(Diagnostic.Kind.IGNORED);
                    assertThat(each.text())
                            .endsWith("; ignored: the files of the system are writable");
                });
    }

    @Test
    void whatAsksForNoProtectionLosesNone() {
        assertThat(
                        diagnostics(
                                "RestrictNamespaces=no",
                                "SystemCallFilter=",
                                "ProtectProc=default",
                                "ProcSubset=all",
                                "KeyringMode=inherit",
                                "DevicePolicy=auto"))
                .isEmpty();
        assertThat(diagnostics("RestrictFileSystems=", "RestrictFileSystems=ext4")).hasSize(1);
    }

    @Test
    void whatDynamicUserImpliesIsApplied() {
        assertThat(diagnostics("DynamicUser=yes", "RestrictSUIDSGID=yes")).isEmpty();
    }

    @Test
    void otherDirectivesAreNoMatterOfSecurity() {
        assertThat(diagnostics("CoredumpFilter=default", "MemoryKSM=yes"))
                .allSatisfy(each -> {
                    assertThat(each.isSecurity()).isFalse();
                    assertThat(each.severity()).isEqualTo(Severity.NOTICE);
                })
                .extracting(Diagnostic::text)
                .containsExactly("CoredumpFilter= is not supported", "MemoryKSM= is not supported");
    }
}
