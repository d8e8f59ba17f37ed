package io.holdfast.manager.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that exposures are those of systemd-analyze(1) security. */
@Timeout(120)
class SecurityAssessmentTest {
    private static final Pattern TEST =
            Pattern.compile(
                    "\\{\"set\":[^,]*,\"name\":\"([^\"]*)\",[^{}]*?\"exposure\":(null|\"?[0-9.]+\"?)\\}");

    @TempDir private Path folder;

    private static SecurityAssessment assessed(String text) {
        return SecurityAssessment.of(Tree.service("a.service", text));
    }

    private Map<String, String> ofSystemd(String text) throws Exception {
        Path file = Files.writeString(folder.resolve("a.service"), text);
        try (Child child =
                Spawn.of(
                                "systemd-analyze",
                                "security",
                                "--offline=true",
                                "--json=short",
                                file.toString())
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull())
                        .start()) {
            String json = new String(child.stdout().readAllBytes(), UTF_8);
            Map<String, String> exposures = new TreeMap<>();
            for (MatchResult each : TEST.matcher(json).results().toList()) {
                String exposure = each.group(2).replace("\"", "");
                exposures.put(each.group(1), exposure.equals("null") ? "0.0" : exposure);
            }
            assertThat(exposures).as(json).hasSizeGreaterThan(70);
            return exposures;
        }
    }

    @ParameterizedTest
    @Needs(programs = "systemd-analyze")
    @ValueSource(
            strings = {
                "",
                "User=nobody|NotifyAccess=all",
                "User=daemon|SupplementaryGroups=adm",
                "DynamicUser=yes",
                "PrivateDevices=yes|ProtectClock=yes|ProtectKernelModules=yes|ProtectKernelLogs=yes",
                "ProtectSystem=yes|ProtectHome=tmpfs|PrivateTmp=disconnected|UMask=0077",
                "ProtectSystem=full|ProtectHome=read-only|PrivateTmp=yes|UMask=0027",
                "ProtectSystem=strict|ProtectHome=yes|PrivateNetwork=yes|UMask=0000",
                "UMask=0002|NoNewPrivileges=yes|AmbientCapabilities=CAP_KILL",
                "SystemCallArchitectures=native|SystemCallFilter=@system-service",
                "SystemCallArchitectures=native x86|SystemCallFilter=~@clock @mount",
                "SystemCallFilter=@system-service|SystemCallFilter=~@privileged @resources",
                "SystemCallFilter=@clock reboot|SystemCallFilter=~@clock:EPERM",
                "SystemCallFilter=~adjtimex",
                "RestrictNamespaces=yes|RestrictRealtime=yes|RestrictSUIDSGID=yes",
                "RestrictNamespaces=user uts|LockPersonality=yes|MemoryDenyWriteExecute=yes",
                "RestrictAddressFamilies=AF_UNIX AF_INET",
                "RestrictAddressFamilies=AF_NETLINK AF_CAN",
                "RestrictAddressFamilies=~AF_UNIX AF_CAN",
                "RestrictAddressFamilies=~AF_PACKET",
                "RestrictAddressFamilies=none|PrivateMounts=no",
                "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID|ProtectHostname=yes",
                "CapabilityBoundingSet=|ProtectControlGroups=yes|ProtectKernelTunables=yes",
                "CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_NICE CAP_MAC_ADMIN CAP_SYSLOG",
                "IPAddressDeny=any|DevicePolicy=closed",
                "IPAddressDeny=any|IPAddressAllow=localhost|DevicePolicy=strict|DeviceAllow=/dev/null r",
                "IPAddressDeny=any|IPAddressAllow=localhost 10.0.0.0/8|DeviceAllow=char-rtc r",
                "IPAddressDeny=0.0.0.0/0|PrivateDevices=yes|ProtectClock=yes",
                "User=daemon|RemoveIPC=yes|PrivateUsers=yes|KeyringMode=private|ProcSubset=pid",
                "PrivateUsers=identity|KeyringMode=shared|ProtectProc=invisible|Delegate=yes",
                "PrivateUsers=self|KeyringMode=inherit|ProtectProc=noaccess|Delegate=cpu memory",
                "PrivateUsers=no|ProtectProc=ptraceable|ProcSubset=all|Delegate=",
                "PrivateUsers=yes|PrivateUsers=wrong|ProtectProc=invisible|ProtectProc=wrong",
                "Delegate=yes|Delegate=no|PrivateMounts=wrong|KeyringMode=shared|KeyringMode=wrong",
                "PrivateTmp=yes|ProtectSystem=strict|[Unit]|DefaultDependencies=no"
            })
    void eachTestHasTheNumberOfSystemd(String directives) throws Exception {
        String text = "[Service]\nExecStart=/bin/true\n" + directives.replace('|', '\n') + "\n";
        Map<String, String> theirs = ofSystemd(text);
        SecurityAssessment ours = assessed(text);
        Map<String, String> all = new TreeMap<>();
        for (SecurityAssessment.Test test : ours.tests()) {
            long exposure = ours.exposure(test);
            all.put(test.name(), exposure / 10 + "." + exposure % 10);
        }
        theirs.keySet().forEach(name -> all.putIfAbsent(name, "0.0")); // of no matter for the unit
        assertThat(all).isEqualTo(theirs);
    }

    @Test
    void theLevelFollowsFromTheExposure() {
        assertThat(assessed("[Service]\nExecStart=/bin/true\n").level()).isEqualTo("UNSAFE");
        var test = new SecurityAssessment.Test("a", 100, 1, 100);
        assertThat(new SecurityAssessment("a.service", List.of(test)).level()).isEqualTo("SAFE");
    }
}
