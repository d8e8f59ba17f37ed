package io.holdfast.manager.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.testkit.FilterMachine;
import io.holdfast.core.testkit.FilterMachine.Call;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.host.Architecture;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.SystemCallGroups;
import io.holdfast.manager.unit.value.SystemCallList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Compiles filters for AArch64, on any machine, and checks what they decide. */
@Timeout(120)
class ArmFiltersTest {
    private static final List<Architecture> MACHINE = List.of(Architecture.ARM, Architecture.ARM64);
    private static final int ARM64 = 0xc000_00b7;
    private static final int ARM = 0x4000_0028;
    private static final int UNKNOWN_CALL = 1000;
    private static final int EPERM = Libseccomp.ERRNO + Errno.EPERM;

    private static SandboxSettings settings(String... lines) {
        String text = "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n";
        return Tree.service("a.service", text).exec().sandbox();
    }

    private static int answer(List<byte[]> programs, Call call) {
        return FilterMachine.answer(SystemCallFilters.checked(programs), call);
    }

    /** Returns the numbers of the calls that AArch64 has, by name. */
    private static Map<String, Integer> calls() {
        Map<String, Integer> calls = new TreeMap<>();
        for (String name : SystemCallGroups.ofKernels()) {
            int number = Libseccomp.load().numberOf(name, ARM64);
            if (number >= 0) {
                calls.put(name, number);
            }
        }
        return calls;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@aio",
                "@basic-io",
                "@chown",
                "@clock",
                "@cpu-emulation",
                "@debug",
                "@default",
                "@file-system",
                "@io-event",
                "@ipc",
                "@keyring",
                "@known",
                "@memlock",
                "@module",
                "@mount",
                "@network-io",
                "@obsolete",
                "@pkey",
                "@privileged",
                "@process",
                "@raw-io",
                "@reboot",
                "@resources",
                "@sandbox",
                "@setuid",
                "@signal",
                "@swap",
                "@sync",
                "@system-service",
                "@timer"
            })
    void aGroupPermitsAndForbidsTheCallsOfItsNames(String group) {
        Map<String, Integer> calls = calls();
        assertThat(calls).hasSizeGreaterThan(300).containsEntry("mkdirat", 34);
        for (String value : List.of(group, "~" + group)) {
            SandboxSettings settings =
                    settings("SystemCallFilter=" + value, "SystemCallErrorNumber=EPERM");
            List<byte[]> programs = SystemCallRules.programs(settings, MACHINE);
            SystemCallList list = settings.systemCalls().filter().orElseThrow().permitting("write");
            calls.forEach((name, number) -> {
                int expected = list.permits(name) ? Libseccomp.ALLOW : EPERM;
                int actual = answer(programs, new Call(ARM64, number, new long[6]));
                assertThat(actual).as("%s: %s", value, name).isEqualTo(expected);
            });
            int otherwise = list.permits() ? Libseccomp.ERRNO + Errno.ENOSYS : Libseccomp.ALLOW;
            assertThat(answer(programs, new Call(ARM64, UNKNOWN_CALL, new long[6])))
                    .isEqualTo(otherwise);
        }
    }

    /** The numbers are those of {@code asm-generic/unistd.h}. */
    @ParameterizedTest
    @CsvSource({
        "LockPersonality=yes, 92, 8, 0, 0",
        "MemoryDenyWriteExecute=yes, 222, 0, 0, 7",
        "MemoryDenyWriteExecute=yes, 226, 0, 0, 5",
        "ProtectClock=yes, 112, 0, 0, 0",
        "ProtectHostname=yes, 161, 0, 0, 0",
        "ProtectKernelLogs=yes, 116, 0, 0, 0",
        "ProtectKernelModules=yes, 105, 0, 0, 0",
        "RestrictNamespaces=yes, 97, 0x10000000, 0, 0",
        "RestrictRealtime=yes, 119, 0, 1, 0",
        "RestrictSUIDSGID=yes, 53, 0, 0, 04755",
        "SystemCallFilter=~fchmodat:EPERM, 53, 0, 0, 0",
    })
    void aDirectiveForbidsItsCall(
            String directive, int number, String first, String second, String third) {
        long[] arguments = {Long.decode(first), Long.decode(second), Long.decode(third), 0, 0, 0};
        List<byte[]> programs = SystemCallRules.programs(settings(directive), MACHINE);
        assertThat(answer(programs, new Call(ARM64, number, arguments)))
                .isIn(EPERM, Libseccomp.ERRNO + Errno.ENOSYS);
        assertThat(answer(List.of(), new Call(ARM64, number, arguments)))
                .isEqualTo(Libseccomp.ALLOW);
    }

    @Test
    void socketsOfOtherFamiliesAreRefused() {
        List<byte[]> programs =
                SystemCallRules.programs(settings("RestrictAddressFamilies=AF_UNIX"), MACHINE);
        int socket = 198;
        assertThat(answer(programs, new Call(ARM64, socket, 1, 0, 0, 0, 0, 0)))
                .isEqualTo(Libseccomp.ALLOW);
        assertThat(answer(programs, new Call(ARM64, socket, 2, 0, 0, 0, 0, 0)))
                .isEqualTo(Libseccomp.ERRNO + 97);
    }

    @Test
    void callsOfTheOtherArchitectureEndTheProcess() {
        List<byte[]> programs =
                SystemCallRules.programs(settings("SystemCallArchitectures=native"), MACHINE);
        int getpid = 172;
        int getpidOfArm = 20;
        assertThat(answer(programs, new Call(ARM64, getpid, new long[6])))
                .isEqualTo(Libseccomp.ALLOW);
        assertThat(answer(programs, new Call(ARM, getpidOfArm, new long[6])))
                .isNotEqualTo(Libseccomp.ALLOW);
    }
}
