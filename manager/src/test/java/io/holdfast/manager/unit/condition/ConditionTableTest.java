package io.holdfast.manager.unit.condition;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.sys.Libc;
import io.holdfast.manager.unit.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests each condition, plain and negated, on a machine whose files are in a folder. */
class ConditionTableTest {
    /** Those of systemd.unit(5) of version 258. */
    private static final String SYSTEMD =
            """
            ACPower Architecture CPUFeature CPUPressure CPUs Capability ControlGroupController
            Credential DirectoryNotEmpty Environment FileIsExecutable FileNotEmpty Firmware
            FirstBoot Group Host IOPressure KernelCommandLine KernelModuleLoaded KernelVersion
            Memory MemoryPressure NeedsUpdate OSRelease PathExists PathExistsGlob PathIsDirectory
            PathIsEncrypted PathIsMountPoint PathIsReadWrite PathIsSymbolicLink Security User
            Version Virtualization
            """;

    /** {@code HERE} stands for the folder of the machine. */
    private static final String HOLD =
            """
            PathExists=HERE/file
            PathExistsGlob=HERE/fi*
            PathExistsGlob=HERE/{nothing,fi*}
            PathIsDirectory=HERE
            PathIsSymbolicLink=HERE/link
            PathIsMountPoint=/
            PathIsMountPoint=/proc
            PathIsReadWrite=HERE
            PathIsEncrypted=HERE
            DirectoryNotEmpty=HERE
            FileNotEmpty=HERE/file
            FileIsExecutable=HERE/program
            NeedsUpdate=HERE/old
            NeedsUpdate=HERE/nothing
            FirstBoot=yes
            Architecture=x86-64
            Architecture=native
            Virtualization=vm
            Virtualization=kvm
            Virtualization=YES
            Virtualization=private-users
            Host=box.*
            Host=BOX.EXAMPLE.ORG
            Host=0123456789abcdef0123456789abcdef
            Host=01234567-89ab-cdef-0123-456789abcdef
            KernelCommandLine=quiet
            KernelCommandLine=root
            KernelCommandLine=root=/dev/sda1
            KernelVersion=>=5.10
            KernelVersion=>= 5.10 <7
            KernelVersion=6.18.*
            KernelVersion=">= 5" "< 7"
            KernelVersion=!=6.1
            Version=>=5
            Version=kernel >= 5
            Version=systemd >= 250 <=257
            Version=systemd>=250
            Version=
            OSRelease=ID=debian
            OSRelease=ID=debian VERSION_ID>=12
            OSRelease=ID$=deb*
            OSRelease=ID!=fedora
            KernelModuleLoaded=built-in
            KernelModuleLoaded=loaded
            Environment=FOO
            Environment=FOO=bar
            Environment=EMPTY
            Credential=token
            Security=apparmor
            Security=audit
            Security=ima
            Security=tomoyo
            Security=uefi-secureboot
            Security=tpm2
            Security=measured-uki
            User=root
            User=0
            User=@system
            Group=0
            Group=root
            Group=27
            Group=sudo
            Capability=CAP_SYS_ADMIN
            Capability=cap_chown
            Firmware=uefi
            Firmware=device-tree
            Firmware=device-tree-compatible(acme,board)
            Firmware=smbios-field(board_name=Board)
            Firmware=smbios-field(bios_version >= 1.2)
            Firmware=smbios-field(board_name $= B*d)
            ACPower=no
            Memory=1G
            Memory=<= 2G
            CPUs=5
            CPUs=< 6
            CPUFeature=sse4_2
            CPUFeature=PCLMUL
            ControlGroupController=v2
            ControlGroupController=cpu memory
            ControlGroupController=unknown
            MemoryPressure=25%
            MemoryPressure=0.5%/10sec
            CPUPressure=30% / 1min
            CPUPressure=nosuch.slice:0%
            IOPressure=app-web.slice:5%/5min
            """;

    private static final String DO_NOT_HOLD =
            """
            PathExists=HERE/link
            PathExistsGlob=HERE/x*
            PathIsDirectory=HERE/file
            PathIsSymbolicLink=HERE/file
            PathIsMountPoint=HERE
            PathIsReadWrite=HERE/nothing
            PathIsEncrypted=HERE/nothing
            DirectoryNotEmpty=HERE/empty
            DirectoryNotEmpty=HERE/nothing
            DirectoryNotEmpty=HERE/file
            DirectoryNotEmpty=HERE/leftovers
            FileNotEmpty=HERE/hollow
            FileNotEmpty=HERE
            FileIsExecutable=HERE/file
            FileIsExecutable=HERE
            NeedsUpdate=HERE/new
            FirstBoot=no
            Architecture=arm64
            Virtualization=container
            Virtualization=xen
            Virtualization=no
            Host=other
            KernelCommandLine=qui
            KernelCommandLine=root=/dev/sdb
            KernelVersion=<6
            KernelVersion==6
            Version=glibc < 2
            Version=systemd > 257
            OSRelease=ID=fedora
            OSRelease=NONE=x
            KernelModuleLoaded=coming
            KernelModuleLoaded=nothing
            KernelModuleLoaded=..
            Environment=FOO=baz
            Environment=NONE
            Credential=none
            Credential=../file
            Security=selinux
            Security=smack
            Security=cvm
            Security=unknown
            User=nobody
            Group=12345
            Group=daemon
            Capability=CAP_SYS_BOOT
            Firmware=unknown
            Firmware=device-tree-compatible(acme)
            Firmware=smbios-field(none=x)
            ACPower=yes
            Memory=4G
            CPUs=6
            CPUFeature=avx2
            CPUFeature=avx512f
            ControlGroupController=v1
            ControlGroupController=pids
            MemoryPressure=19%
            MemoryPressure=0.4%/10sec
            CPUPressure=29%/1min
            IOPressure=app-web.slice:4%/5min
            """;

    @TempDir private Path folder;

    @BeforeEach
    void describe() throws IOException {
        Tree tree = new Tree(folder);
        Files.createDirectories(folder.resolve("empty"));
        Files.createFile(folder.resolve("hollow"));
        Files.createSymbolicLink(folder.resolve("link"), Path.of("nowhere"));
        Files.createFile(
                folder.resolve("program"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        tree.write("file", "x")
                .write("leftovers/.hidden", "")
                .write("leftovers/a~", "")
                .write("leftovers/a.dpkg-old", "")
                .write("leftovers/lost+found/a", "")
                .write("usr/a", "")
                .write("old/.updated", "")
                .write("new/.updated", "")
                .write("credentials/token", "")
                .write("run/systemd/first-boot", "")
                .write("etc/group", "root:x:0:\nsudo:x:27:\ndaemon:x:1:\n")
                .write(
                        "proc/self/status",
                        """
                        Gid:\t0\t0\t0\t0
                        Groups:\t4 27\s
                        CapBnd:\t0000000000200001
                        Cpus_allowed_list:\t0-3,6
                        """)
                .write("proc/self/uid_map", "0 100000 65536\n")
                .write("proc/self/cgroup", "0::/init.scope\n")
                .write("proc/meminfo", "MemTotal:        2097152 kB\n")
                .write("proc/cpuinfo", "flags\t: fpu sse4_2 pclmulqdq hypervisor\n")
                .write("proc/net/netlink", "sk Eth Pid\n0000 9 0\n")
                .write("proc/device-tree/compatible", "acme,board\0acme,soc\0")
                .write("proc/pressure/memory", pressure("0.50", "9.00", "20.00"))
                .write("proc/pressure/cpu", pressure("0.00", "0.00", "0.00"))
                .write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n")
                .write("sys/fs/cgroup/app.slice/app-web.slice/io.pressure", pressure("0", "0", "5"))
                .write("sys/firmware/efi/x", "")
                .write("sys/firmware/devicetree/x", "")
                .write("sys/firmware/acpi/tables/TPM2", "")
                .write("sys/class/tpmrm/tpmrm0/dev", "")
                .write(variable("SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"), "\6\0\0\0\1")
                .write(
                        variable("StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"),
                        "\6\0\0\0" + "1\0" + "1\0" + "\0\0")
                .write("sys/class/dmi/id/board_name", "Board\n")
                .write("sys/class/dmi/id/bios_version", "1.10\n")
                .write("sys/kernel/security/ima/x", "")
                .write("sys/kernel/security/tomoyo/version", "2.6\n")
                .write("sys/module/apparmor/parameters/enabled", "Y\n")
                .write("sys/module/built_in/x", "")
                .write("sys/module/loaded/initstate", "live\n")
                .write("sys/module/coming/initstate", "coming\n")
                .write("sys/class/power_supply/AC/type", "Mains\n")
                .write("sys/class/power_supply/AC/online", "0\n")
                .write("sys/class/power_supply/mouse/type", "Battery\n")
                .write("sys/class/power_supply/mouse/scope", "Device\n")
                .write("sys/class/power_supply/BAT0/type", "Battery\n")
                .write("sys/class/power_supply/BAT0/status", "Discharging\n")
                .write("sys/dev/block/" + device() + "/slaves/dm-0/dm/uuid", "CRYPT-LUKS2-1\n");
        Files.setLastModifiedTime(folder.resolve("usr"), FileTime.fromMillis(2_000_000));
        Files.setLastModifiedTime(folder.resolve("old/.updated"), FileTime.fromMillis(1_000_000));
        Files.setLastModifiedTime(folder.resolve("new/.updated"), FileTime.fromMillis(2_000_000));
    }

    private static String pressure(String ten, String sixty, String most) {
        String averages = "avg10=" + ten + " avg60=" + sixty + " avg300=" + most + " total=1\n";
        return "some avg10=9.00 avg60=30.00 avg300=90.00 total=1\nfull " + averages;
    }

    private static String variable(String name) {
        return "sys/firmware/efi/efivars/" + name;
    }

    private String device() throws IOException {
        long device = (Long) Files.getAttribute(folder, "unix:dev");
        return ((device >>> 8) & 0xfff) + ":" + ((device & 0xff) | ((device >>> 12) & 0xffffff00L));
    }

    private MachineFacts machine() {
        return new MachineFacts(
                folder,
                Tree.HOST,
                Tree.SYSTEM.account(),
                Map.of("FOO", "bar", "EMPTY", ""),
                Map.of("CREDENTIALS_DIRECTORY", folder.resolve("credentials").toString()));
    }

    private boolean met(String line) {
        Condition condition = ConditionCheckTest.condition(line.replace("HERE", folder.toString()));
        return new ConditionCheck(machine()).check(List.of(condition)).met();
    }

    private static String negated(String line) {
        return line.replaceFirst("=", "=!");
    }

    @Test
    void eachHoldsWhereItShouldAndNotNegated() {
        List<String> wrong = new ArrayList<>();
        for (String line : HOLD.lines().toList()) {
            if (!met(line)) {
                wrong.add(line);
            }
            if (met(negated(line))) {
                wrong.add(negated(line));
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void eachFailsWhereItShouldAndHoldsNegated() {
        List<String> wrong = new ArrayList<>();
        for (String line : DO_NOT_HOLD.lines().toList()) {
            if (met(line)) {
                wrong.add(line);
            }
            if (!met(negated(line))) {
                wrong.add(negated(line));
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyConditionOfSystemdIsEvaluatedAndHasCasesHere() {
        Set<String> systemd = new TreeSet<>(List.of(SYSTEMD.split("\\s+")));

        assertThat(ConditionTable.names()).containsExactlyElementsOf(systemd);
        assertThat(names(HOLD)).containsExactlyElementsOf(systemd);
        assertThat(names(DO_NOT_HOLD)).containsExactlyElementsOf(systemd);
    }

    private static Set<String> names(String lines) {
        Set<String> names = new TreeSet<>();
        lines.lines().forEach(line -> names.add(line.substring(0, line.indexOf('='))));
        return names;
    }

    @Test
    void aMachineWithoutBatteriesIsOnPower() throws IOException {
        Files.writeString(folder.resolve("sys/class/power_supply/BAT0/status"), "Full\n");
        assertThat(met("ACPower=yes")).isTrue();
        Files.writeString(folder.resolve("sys/class/power_supply/BAT0/status"), "Discharging\n");
        Files.writeString(folder.resolve("sys/class/power_supply/AC/online"), "1\n");
        assertThat(met("ACPower=yes")).isTrue();
    }

    @Test
    void theLimitOfAContainerIsItsMemory() throws IOException {
        Files.writeString(folder.resolve("sys/fs/cgroup/memory.max"), "1073741824\n");
        assertThat(met("Memory=1G")).isTrue();
        assertThat(met("Memory=2G")).isFalse();
    }

    @Test
    void theOldCgroupTreesHaveControllersToo() throws IOException {
        Files.delete(folder.resolve("sys/fs/cgroup/cgroup.controllers"));
        Files.createDirectories(folder.resolve("sys/fs/cgroup/cpuacct"));
        assertThat(met("ControlGroupController=v1")).isTrue();
        assertThat(met("ControlGroupController=cpuacct")).isTrue();
        assertThat(met("ControlGroupController=memory")).isFalse();
        assertThat(met("CPUPressure=app.slice:0%")).isTrue();
    }

    @Test
    void pressureThatIsNotMeasuredIsNoReasonToWait() throws IOException {
        Files.delete(folder.resolve("proc/pressure/cpu"));
        Files.delete(folder.resolve("proc/pressure/memory"));
        Files.delete(folder.resolve("proc/pressure"));
        assertThat(met("CPUPressure=0%")).isTrue();
        assertThat(met("CPUPressure=!0%")).isFalse();
    }

    @Test
    void theTimeInTheFileDecidesWhereTheFileSystemHasNoFractions() throws IOException {
        Path stamp = folder.resolve("old/.updated");
        Files.setLastModifiedTime(folder.resolve("usr"), FileTime.fromMillis(2_000_500));
        Files.writeString(stamp, "TIMESTAMP_NSEC=2000600000000\n");
        Files.setLastModifiedTime(stamp, FileTime.fromMillis(2_000_000));
        assertThat(met("NeedsUpdate=HERE/old")).isFalse();
        Files.writeString(stamp, "TIMESTAMP_NSEC=2000400000000\n");
        Files.setLastModifiedTime(stamp, FileTime.fromMillis(2_000_000));
        assertThat(met("NeedsUpdate=HERE/old")).isTrue();
    }

    @Test
    void theVersionOfGlibcIsKnown() {
        assertThat(Libc.glibcVersion()).matches("[0-9]+\\.[0-9]+.*");
        assertThat(met("Version=glibc >= 2.17")).isTrue();
        assertThat(met("Version=glibc=" + Libc.glibcVersion())).isTrue();
    }
}
