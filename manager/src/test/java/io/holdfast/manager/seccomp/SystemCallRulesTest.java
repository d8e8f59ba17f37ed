package io.holdfast.manager.seccomp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.FilterMachine;
import io.holdfast.core.testkit.FilterMachine.Call;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.SandboxSettings;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks our filters against those that systemd installs, which were recorded. */
@Timeout(120)
class SystemCallRulesTest {
    private static final int X86_64 = 0xc000_003e;
    private static final int X86 = 0x4000_0003;
    private static final int ARM = 0x4000_0028;
    private static final int X32_BIT = 0x4000_0000;
    private static final int HIGHEST_CALL = 550;

    /** Values of arguments at which the rules decide, and their neighbours. */
    private static final long[] VALUES = {
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        10,
        16,
        17,
        40,
        46,
        0100,
        02000,
        04000,
        06000,
        0100_000,
        0100_100,
        0x0002_0000,
        0x0200_0000,
        0x0400_0000,
        0x0800_0000,
        0x1000_0000,
        0x2000_0000,
        0x4000_0000,
        0x7e02_0000,
        0xffff_ffffL,
        0x1_0000_0000L,
        -1
    };

    /**
     * A recording.
     *
     * @param programs the oldest first
     */
    record Recorded(String directives, List<byte[]> programs) {
        @Override
        public String toString() {
            return directives;
        }
    }

    static List<Recorded> recorded() throws IOException {
        try (InputStream in = open("systemd-filters.txt")) {
            return recorded(in);
        }
    }

    private static InputStream open(String file) {
        return Objects.requireNonNull(SystemCallRulesTest.class.getResourceAsStream(file));
    }

    private static List<Recorded> recorded(InputStream in) throws IOException {
        List<Recorded> all = new ArrayList<>();
        for (String line : new String(in.readAllBytes(), UTF_8).split("\n")) {
            if (line.startsWith("    ")) {
                all.getLast().programs.add(Base64.getDecoder().decode(line.strip()));
            } else if (!line.startsWith("#")) {
                all.add(new Recorded(line, new ArrayList<>()));
            }
        }
        return all;
    }

    private static SandboxSettings settings(String... lines) {
        ServiceUnit unit =
                Tree.service(
                        "a.service",
                        "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n");
        return unit.exec().sandbox();
    }

    @ParameterizedTest
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    @MethodSource("recorded")
    void aFilterDecidesAsThatOfSystemd(Recorded recorded) {
        SandboxSettings settings = settings(recorded.directives.split(" \\| "));
        List<byte[]> ours = SystemCallRules.programs(settings);
        for (int architecture : new int[] {X86_64, X86, ARM}) {
            for (int number = 0; number <= HIGHEST_CALL; number++) {
                assertSame(ours, recorded, architecture, number);
                assertSame(ours, recorded, architecture, number | X32_BIT);
            }
            assertSame(ours, recorded, architecture, -1);
        }
    }

    /** Random lists have no rules for arguments. */
    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void randomListsDecideAsThoseOfSystemd() throws IOException {
        List<Recorded> all;
        try (InputStream in = new GZIPInputStream(open("systemd-random-filters.txt.gz"))) {
            all = recorded(in);
        }
        assertThat(all).hasSizeGreaterThan(90);
        for (Recorded recorded : all) {
            List<byte[]> ours =
                    SystemCallRules.programs(settings(recorded.directives.split(" \\| ")));
            for (int architecture : new int[] {X86_64, X86, ARM}) {
                for (int number = 0; number <= HIGHEST_CALL; number++) {
                    check(ours, recorded, new Call(architecture, number));
                    check(ours, recorded, new Call(architecture, number | X32_BIT));
                }
            }
        }
    }

    private static void assertSame(
            List<byte[]> ours, Recorded recorded, int architecture, int number) {
        for (int argument = 0; argument < 4; argument++) {
            for (long value : VALUES) {
                long[] arguments = new long[6];
                arguments[argument] = value;
                check(ours, recorded, new Call(architecture, number, arguments));
                if (argument == 1 || argument == 2) { // O_CREAT and the mode of open and openat
                    for (long mode : new long[] {0644, 02755, 04755}) {
                        long[] both = arguments.clone();
                        both[argument + 1] = mode;
                        check(ours, recorded, new Call(architecture, number, both));
                    }
                }
            }
        }
    }

    private static void check(List<byte[]> ours, Recorded recorded, Call call) {
        int expected = FilterMachine.answer(recorded.programs, call);
        int actual = FilterMachine.answer(ours, call);
        if (expected != actual) { // an assertion for each call would take long
            assertThat(Integer.toHexString(actual))
                    .as("%s: %s", recorded, call)
                    .isEqualTo(Integer.toHexString(expected));
        }
    }

    @Test
    void noMemoryIsWritableAndExecutable() {
        List<byte[]> ours = SystemCallRules.programs(settings("MemoryDenyWriteExecute=yes"));
        int mmap = 9;
        int mprotect = 10;
        assertThat(FilterMachine.answer(ours, new Call(X86_64, mmap, 0, 0, 3, 0, 0, 0)))
                .isEqualTo(Libseccomp.ALLOW);
        assertThat(FilterMachine.answer(ours, new Call(X86_64, mmap, 0, 0, 5, 0, 0, 0)))
                .isEqualTo(Libseccomp.ALLOW);
        assertThat(FilterMachine.answer(ours, new Call(X86_64, mmap, 0, 0, 7, 0, 0, 0)))
                .isEqualTo(Libseccomp.ERRNO + Errno.EPERM);
        assertThat(FilterMachine.answer(ours, new Call(X86_64, mprotect, 0, 0, 5, 0, 0, 0)))
                .isEqualTo(Libseccomp.ERRNO + Errno.EPERM);
    }

    @Test
    void aFilterIsCompiledOnceForAllStarts() {
        SystemCallFilters filters = new SystemCallFilters();
        List<byte[]> first = filters.programs(settings("SystemCallFilter=~mkdir"));
        assertThat(first).isNotEmpty();
        assertThat(filters.programs(settings("SystemCallFilter=~mkdir"))).isSameAs(first);
        assertThat(filters.compilations()).isEqualTo(1);
        assertThat(filters.programs(settings("SystemCallFilter=~rmdir"))).isNotEqualTo(first);
        assertThat(filters.programs(settings("ProtectHome=yes"))).isEmpty();
        assertThat(filters.compilations()).isEqualTo(2);
    }

    @Test
    void aFilterThatIsLongerThanTheKernelAcceptsIsRefused() {
        byte[] longest =
                new byte[SystemCallFilters.MAX_INSTRUCTIONS * SystemCallFilters.INSTRUCTION_BYTES];
        byte[] longer = new byte[longest.length + SystemCallFilters.INSTRUCTION_BYTES];
        assertThat(SystemCallFilters.checked(List.of(longest))).containsExactly(longest);
        for (List<byte[]> refused : List.of(List.of(longer), Collections.nCopies(8, longest))) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> SystemCallFilters.checked(refused))
                    .withMessageContaining("E2BIG");
        }
    }

    @Test
    void theLargestFilterIsShortEnough() {
        SandboxSettings all =
                settings(
                        "SystemCallFilter=@system-service",
                        "SystemCallFilter=~@privileged:EACCES",
                        "SystemCallLog=@known",
                        "LockPersonality=yes",
                        "RestrictRealtime=yes",
                        "RestrictSUIDSGID=yes",
                        "RestrictNamespaces=yes",
                        "RestrictAddressFamilies=AF_UNIX AF_VSOCK",
                        "MemoryDenyWriteExecute=yes",
                        "ProtectClock=yes",
                        "ProtectKernelModules=yes",
                        "ProtectKernelLogs=yes",
                        "ProtectKernelTunables=yes",
                        "ProtectHostname=yes",
                        "PrivateDevices=yes");
        assertThat(new SystemCallFilters().programs(all)).isNotEmpty();
    }
}
