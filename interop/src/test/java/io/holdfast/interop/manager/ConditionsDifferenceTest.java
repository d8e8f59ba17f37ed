package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.condition.Condition;
import io.holdfast.manager.unit.condition.ConditionCheck;
import io.holdfast.manager.unit.condition.MachineFacts;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Specifiers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that conditions hold on this machine exactly where systemd-analyze(1) finds that they do,
 * plain and negated.
 */
@Needs(programs = "systemd-analyze")
class ConditionsDifferenceTest {
    private static final Host HOST = Host.read();
    private static final ManagerScope SCOPE = ManagerScope.system(Map.of());
    private static final String UNKNOWN = "Cannot parse";

    /** {@code HERE} stands for a folder with files. */
    private static final String LINES =
            """
            PathExists=/
            PathExists=HERE/nothing
            PathExists=HERE/link
            PathExistsGlob=/et*
            PathExistsGlob=HERE/{nothing,file}
            PathExistsGlob=HERE/{nothing,none}
            PathExistsGlob=HERE/{fi{la,le},none}
            PathExistsGlob=HERE/.*
            PathExistsGlob=HERE/[a-f]ile
            PathIsDirectory=HERE
            PathIsDirectory=HERE/file
            PathIsSymbolicLink=HERE/link
            PathIsSymbolicLink=HERE/file
            PathIsMountPoint=/
            PathIsMountPoint=/proc
            PathIsMountPoint=/proc/1
            PathIsMountPoint=HERE
            PathIsReadWrite=HERE
            PathIsReadWrite=/proc
            PathIsReadWrite=HERE/nothing
            PathIsEncrypted=/
            PathIsEncrypted=HERE/nothing
            DirectoryNotEmpty=HERE
            DirectoryNotEmpty=HERE/empty
            DirectoryNotEmpty=HERE/hidden
            DirectoryNotEmpty=HERE/backup
            DirectoryNotEmpty=HERE/nothing
            DirectoryNotEmpty=HERE/file
            FileNotEmpty=HERE/file
            FileNotEmpty=HERE/hollow
            FileNotEmpty=/etc
            FileIsExecutable=/bin/sh
            FileIsExecutable=HERE/file
            FileIsExecutable=/etc
            NeedsUpdate=/etc
            NeedsUpdate=/var
            NeedsUpdate=/proc
            FirstBoot=yes
            FirstBoot=no
            FirstBoot=perhaps
            Architecture=native
            Architecture=x86-64
            Architecture=arm64
            Architecture=unknown
            Firmware=uefi
            Firmware=device-tree
            Firmware=device-tree-compatible(x)
            Firmware=unknown
            Firmware=smbios-field(sys_vendor=x)
            Firmware=smbios-field(sys_vendor != x)
            Firmware=smbios-field(sys_vendor $= "*")
            Firmware=smbios-field(sys_vendor)
            Firmware=smbios-field(nothing=x)
            Firmware=smbios-field(a/b=x)
            Virtualization=yes
            Virtualization=NO
            Virtualization=vm
            Virtualization=container
            Virtualization=kvm
            Virtualization=docker
            Virtualization=private-users
            Host=*
            Host=nobody-has-this-name
            Host=00000000000000000000000000000000
            KernelCommandLine=quiet
            KernelCommandLine=root
            KernelCommandLine=nobody.sets.this
            KernelVersion=>=4
            KernelVersion=>= 4 <1000
            KernelVersion=">= 4" "< 1000"
            KernelVersion=<4
            KernelVersion==4
            KernelVersion=*
            KernelVersion=$=[0-9]*
            KernelVersion=>
            Version=kernel >= 4
            Version=glibc >= 2
            Version=glibc >= 1000
            Version=systemd >= 200
            Credential=nothing
            Credential=../x
            Security=selinux
            Security=smack
            Security=apparmor
            Security=audit
            Security=ima
            Security=tomoyo
            Security=uefi-secureboot
            Security=tpm2
            Security=cvm
            Security=measured-uki
            Security=unknown
            Capability=CAP_SYS_ADMIN
            Capability=CAP_CHOWN
            Capability=cap_mac_admin
            Capability=CAP_NONE
            ACPower=yes
            ACPower=no
            ACPower=perhaps
            Memory=1M
            Memory=<= 1G
            Memory=> 1T
            Memory=1.5M
            Memory=some
            CPUs=1
            CPUs=> 4096
            CPUs=some
            CPUs=!= 1
            Environment=PATH
            Environment=NOBODY_SETS_THIS
            Environment=PATH=x
            User=root
            User=0
            User=@system
            User=nobody
            User=12345
            Group=root
            Group=0
            Group=daemon
            Group=12345
            ControlGroupController=v1
            ControlGroupController=v2
            ControlGroupController=cpu
            ControlGroupController=cpuset
            ControlGroupController=memory
            ControlGroupController=memory pids
            ControlGroupController=io
            ControlGroupController=blkio
            ControlGroupController=bpf-firewall
            ControlGroupController=unknown
            OSRelease=ID=debian
            OSRelease=ID!=debian
            OSRelease=ID$=de*
            OSRelease=ID!$=de*
            OSRelease=VERSION_ID>=12 ID=debian
            OSRelease=VERSION_ID<12
            OSRelease=NOTHING=
            OSRelease=NOTHING=x
            OSRelease=ID
            OSRelease=ID= debian
            MemoryPressure=100%
            MemoryPressure=0
            CPUPressure=100.00%
            CPUPressure=100% / 10sec
            CPUPressure=100%/2min
            CPUPressure=100%/1min
            CPUPressure=nothing.slice:0%
            IOPressure=100‰/5min
            IOPressure=10000‱
            KernelModuleLoaded=nothing
            """;

    /** The names of systemd and of /proc/cpuinfo. */
    private static final List<String> FEATURES =
            List.of(
                    "fpu", "tsc", "cx8", "mmx", "SSE", "sse2", "ht", "pni", "pclmul", "ssse3",
                    "fma3", "cx16", "sse4_1", "sse4_2", "movbe", "popcnt", "aes", "xsave",
                    "osxsave", "avx", "f16c", "rdrand", "bmi1", "avx2", "bmi2", "rdseed", "adx",
                    "sha_ni", "syscall", "rdtscp", "lm", "lahf_lm", "abm", "avx512f", "nothing");

    @TempDir private Path folder;

    private record Answer(String line, boolean systemd, boolean ours) {}

    @Test
    void eachConditionHoldsWhereItHoldsForSystemd() throws Exception {
        Files.writeString(folder.resolve("file"), "x");
        Files.createFile(folder.resolve("hollow"));
        Files.createSymbolicLink(folder.resolve("link"), Path.of("nowhere"));
        for (String name : List.of("empty", "hidden", "backup")) {
            Files.createDirectory(folder.resolve(name));
        }
        Files.createFile(folder.resolve("hidden/.a"));
        Files.createFile(folder.resolve("backup/a~"));
        Files.createFile(folder.resolve("backup/a.dpkg-old"));
        List<String> lines =
                Stream.concat(
                                LINES.lines(),
                                FEATURES.stream().map(feature -> "CPUFeature=" + feature))
                        .toList();

        List<Answer> different = new ArrayList<>();
        int compared = 0;
        for (String each : lines) {
            String line = each.replace("HERE", folder.toString());
            for (String form : List.of(line, line.replaceFirst("=", "=!"))) {
                Optional<Boolean> systemd = systemd(form);
                if (systemd.isPresent()) {
                    compared++;
                    Answer answer = new Answer(form, systemd.get(), ours(form));
                    if (answer.systemd() != answer.ours()) {
                        different.add(answer);
                    }
                }
            }
        }

        assertThat(different).isEmpty();
        assertThat(compared).isGreaterThan(lines.size());
    }

    /** Returns systemd's answer; empty if this version does not have the condition. */
    private static Optional<Boolean> systemd(String line) throws Exception {
        RunResult result = Run.of("systemd-analyze", "condition", "Condition" + line).run();
        return result.error().contains(UNKNOWN)
                ? Optional.empty()
                : Optional.of(result.exit().isSuccess());
    }

    private static boolean ours(String line) {
        int equals = line.indexOf('=');
        Condition condition =
                Condition.parse(
                        line.substring(0, equals),
                        false,
                        line.substring(equals + 1),
                        new UnitFilePlace("here", 1),
                        new Specifiers(UnitName.of("a.service"), Optional.empty(), HOST, SCOPE));
        MachineFacts machine =
                new MachineFacts(
                        Path.of("/"), HOST, SCOPE.account(), System.getenv(), System.getenv());
        return new ConditionCheck(machine).check(List.of(condition)).met();
    }
}
