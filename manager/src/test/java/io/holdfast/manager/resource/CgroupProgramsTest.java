package io.holdfast.manager.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.SysBpf;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.resource.AddressRange;
import io.holdfast.manager.unit.resource.AddressSettings;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.section.ServiceUnit;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@Needs(root = true, cgroup2 = true)
class CgroupProgramsTest {
    private static final int HEADERS = 28; // of IPv4 and UDP

    private final CgroupPrograms programs = new CgroupPrograms();
    private final List<String> problems = new ArrayList<>();
    private Cgroup cgroup;

    @BeforeEach
    void makeACgroup() {
        try (Cgroup own = Cgroup.own()) {
            cgroup = own.create("programs%d".formatted(ProcessHandle.current().pid()));
        }
    }

    @AfterEach
    void removeTheCgroup() {
        programs.close();
        cgroup.remove();
        cgroup.close();
    }

    private static ServiceUnit unit(String... lines) {
        return Tree.service(
                "a.service", "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n");
    }

    private void apply(String... lines) {
        ResourceSettings settings = unit(lines).cgroup().resources();
        programs.ofUnit("a.service", cgroup.fd(), settings, List.of(), problems::add);
    }

    /** Returns whether a process of the cgroup succeeds. */
    private boolean succeeds(String command) throws Exception {
        try (Child child =
                Spawn.of("/bin/sh", "-c", "( " + command + " ) 2>&-")
                        .stdin(Stdio.inherit())
                        .stdout(Stdio.inherit())
                        .cgroup(cgroup)
                        .start()) {
            return child.await().isSuccess();
        }
    }

    private int attached(SysBpf.Hook hook) {
        List<Fd> found = SysBpf.attached(cgroup.fd(), hook, "holdfast");
        found.forEach(Fd::close);
        return found.size();
    }

    @Test
    void anEarlierProgramIsReplacedAndRemoved() throws Exception {
        apply("DevicePolicy=strict");
        assertThat(succeeds(": </dev/full")).isFalse();
        apply("DevicePolicy=strict", "DeviceAllow=/dev/full r");
        assertThat(attached(SysBpf.Hook.DEVICE)).isOne();
        assertThat(succeeds(": </dev/full")).isTrue();
        assertThat(succeeds(": >/dev/full")).isFalse();
        apply();
        assertThat(attached(SysBpf.Hook.DEVICE)).isZero();
        assertThat(succeeds(": >/dev/full")).isTrue();
        assertThat(problems).isEmpty();
    }

    /** As of a unit whose processes survived its stop, or of which another limit is changed. */
    @Test
    void aProgramThatIsAttachedAlreadyStays() throws Exception {
        for (int i = 0; i < 2; i++) {
            apply("DevicePolicy=strict", "IPAddressDeny=any");
            for (SysBpf.Hook hook : SysBpf.Hook.values()) {
                assertThat(attached(hook)).isOne();
            }
        }
        apply("DevicePolicy=closed");
        assertThat(programs.refusalOf(unit("DevicePolicy=closed").cgroup().resources())).isEmpty();
        assertThat(succeeds(": </dev/full")).isTrue();
    }

    @Test
    void moreProgramsThanStayLoadedAreApplied() throws Exception {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i <= CgroupPrograms.MOST_LOADED; i++) {
                String access = i % 2 == 0 ? "r" : "w";
                apply(
                        "DevicePolicy=strict",
                        "DeviceAllow=/dev/full " + access,
                        "DeviceAllow=char-" + (300 + i));
                assertThat(succeeds(": </dev/full")).isEqualTo(i % 2 == 0);
            }
        }
        assertThat(attached(SysBpf.Hook.DEVICE)).isOne();
    }

    @Test
    void anotherManagerRemovesTheProgramsOfAKilledOne() {
        apply("DevicePolicy=closed", "IPAddressDeny=any");
        try (CgroupPrograms next = new CgroupPrograms()) {
            next.ofUnit("a", cgroup.fd(), ResourceSettings.NONE, List.of(), problems::add);
        }
        for (SysBpf.Hook hook : SysBpf.Hook.values()) {
            assertThat(attached(hook)).isZero();
        }
    }

    @Test
    void packetsThatPassAreCounted() throws Exception {
        apply();
        assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(PacketCounts.UNKNOWN);
        apply("IPAccounting=yes");
        assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(new PacketCounts(0, 0, 0, 0));
        try (DatagramSocket peer = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            send(peer, "a letter");
            PacketCounts once = new PacketCounts(0, 0, 8 + HEADERS, 1);
            assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(once);
            // another limit is changed, and another manager takes over
            apply("IPAccounting=yes", "IPAddressDeny=192.0.2.1");
            try (CgroupPrograms next = new CgroupPrograms()) {
                ResourceSettings settings = unit("IPAccounting=yes").cgroup().resources();
                next.ofUnit("a", cgroup.fd(), settings, List.of(), problems::add);
            }
            assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(once);
            send(peer, "more");
            PacketCounts twice = new PacketCounts(0, 0, 12 + 2 * HEADERS, 2);
            assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(twice);
            apply("IPAccounting=yes", "IPAddressDeny=any");
            assertThat(
                            succeeds(
                                    "bash -c 'echo denied >/dev/udp/127.0.0.1/"
                                            + peer.getLocalPort()
                                            + "'"))
                    .isFalse();
            assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(twice);
        }
        apply();
        assertThat(PacketCounts.of(cgroup.fd())).isEqualTo(PacketCounts.UNKNOWN);
        assertThat(problems).isEmpty();
    }

    private void send(DatagramSocket peer, String text) throws Exception {
        String address = "/dev/udp/127.0.0.1/" + peer.getLocalPort();
        assertThat(succeeds("bash -c 'printf \"" + text + "\" >" + address + "'")).isTrue();
    }

    @Test
    void theProgramOfAnotherOwnerStays() throws Exception {
        byte[] code = AddressProgram.ofSent(AddressSettings.ALL);
        try (Fd foreign = SysBpf.load(SysBpf.Hook.EGRESS, "foreign", code)) {
            assertThat(SysBpf.attach(cgroup.fd(), SysBpf.Hook.EGRESS, foreign)).isZero();
            apply("IPAddressDeny=any");
            apply();
            List<Fd> left = SysBpf.attached(cgroup.fd(), SysBpf.Hook.EGRESS, "foreign");
            assertThat(left).hasSize(1);
            left.forEach(Fd::close);
        }
    }

    @Test
    void aDeviceThatIsMissingIsNotReportedAndAFileIs() {
        apply("DeviceAllow=/dev/no-such-device", "DeviceAllow=/dev/shm r");
        assertThat(problems).containsExactly("DeviceAllow=/dev/shm: it is not a device");
    }

    @Test
    void theKernelAcceptsLongListsOfAddresses() throws Exception {
        List<AddressRange> many = new ArrayList<>();
        IntStream.range(0, 500)
                .forEach(i -> {
                    many.addAll(AddressRange.parse("10.%d.%d.0/24".formatted(i / 250, i % 250)));
                    many.addAll(AddressRange.parse("fd00:%x::/77".formatted(i)));
                });
        AddressSettings settings = new AddressSettings(many, AddressRange.parse("any"));
        try (Fd received =
                        SysBpf.load(SysBpf.Hook.INGRESS, "a", AddressProgram.ofReceived(settings));
                Fd sent = SysBpf.load(SysBpf.Hook.EGRESS, "a", AddressProgram.ofSent(settings))) {
            assertThat(received).isNotEqualTo(sent);
        }
    }

    @Test
    void aListThatNoProgramCanHoldIsRefused() {
        List<AddressRange> many = new ArrayList<>();
        IntStream.range(0, 10_000)
                .forEach(i ->
                        many.addAll(
                                AddressRange.parse("10.%d.%d.0/24".formatted(i / 250, i % 250))));
        AddressSettings settings = new AddressSettings(many, AddressRange.parse("any"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AddressProgram.ofSent(settings))
                .withMessageContaining("too many addresses");
    }

    @Test
    void aManagerWithoutProgramsSaysWhatHoldsInstead() {
        ServiceUnit unit = unit("DevicePolicy=closed", "IPAddressDeny=any", "PrivateDevices=yes");
        ResourceSettings settings = unit.cgroup().resources();
        assertThat(CgroupPrograms.NONE.diagnostics(unit.source(), settings))
                .extracting(Diagnostic::text)
                .containsExactly(
                        "DevicePolicy= is not applied: its units have no cgroups: all devices are accessible",
                        "IPAddressDeny= is not applied: its units have no cgroups: packets of every address pass");
        assertThat(CgroupPrograms.NONE.refusalOf(settings)).isPresent();
        assertThat(CgroupPrograms.NONE.refusalOf(unit("PrivateDevices=yes").cgroup().resources()))
                .isEmpty();
    }
}
