package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.value.ListenAddress;
import io.holdfast.manager.unit.value.TimeSpan;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SocketUnitTest {
    private static SocketUnit socket(String name, String text) {
        UnitSource source = UnitSource.inMemory(UnitName.of(name), UnitFile.parse("test", text));
        return (SocketUnit) Tree.read(source);
    }

    private static SocketUnit socket(String directives) {
        return socket("x.socket", "[Socket]\n" + directives);
    }

    private static SocketSection section(String directives) {
        SocketUnit unit = socket("ListenStream=/run/x\n" + directives);
        assertThat(Tree.messages(unit)).isEmpty();
        return unit.socket();
    }

    @Test
    void aSocketUnitIsReadWhole() {
        SocketUnit unit =
                socket(
                        """
                        ListenStream=%t/x/stream
                        ListenDatagram=@x-datagrams
                        ListenSequentialPacket=/run/x/packets
                        ListenFIFO=/run/x/fifo
                        ListenStream=80
                        ListenStream=127.0.0.1:81
                        ListenDatagram=[::1]:82
                        SocketMode=0660
                        SocketUser=root
                        SocketGroup=adm
                        DirectoryMode=0711
                        Backlog=7
                        FileDescriptorName=first
                        RemoveOnStop=yes
                        PassCredentials=yes
                        PassPIDFD=yes
                        BindIPv6Only=both
                        Service=other.service
                        """);

        assertThat(Tree.messages(unit)).isEmpty();
        SocketSection socket = unit.socket();
        assertThat(socket.listens())
                .extracting(Listen::toString)
                .containsExactly(
                        "/run/x/stream (Stream)",
                        "@x-datagrams (Datagram)",
                        "/run/x/packets (SequentialPacket)",
                        "/run/x/fifo (FIFO)",
                        "[::]:80 (Stream)",
                        "127.0.0.1:81 (Stream)",
                        "[0:0:0:0:0:0:0:1]:82 (Datagram)");
        assertThat(socket.nodes())
                .containsExactly("/run/x/stream", "/run/x/packets", "/run/x/fifo");
        assertThat(socket.mode()).isEqualTo(0660);
        assertThat(socket.directoryMode()).isEqualTo(0711);
        assertThat(socket.owner())
                .isEqualTo(new SocketSection.Owner(Optional.of("root"), Optional.of("adm")));
        assertThat(socket.backlog()).isEqualTo(7);
        assertThat(socket.descriptorName()).isEqualTo("first");
        assertThat(socket.removeOnStop()).isTrue();
        assertThat(socket.passCredentials()).isTrue();
        assertThat(socket.passPidfd()).isTrue();
        assertThat(socket.ipv6Only()).contains(false);
        assertThat(socket.service()).isEqualTo(UnitName.of("other.service"));
    }

    @Test
    void whatIsNotSaidIsAsInSystemd() {
        SocketSection socket = section("");
        assertThat(socket.mode()).isEqualTo(0666);
        assertThat(socket.directoryMode()).isEqualTo(0755);
        assertThat(socket.backlog()).isEqualTo(Integer.MAX_VALUE);
        assertThat(socket.maxConnections()).isEqualTo(64);
        assertThat(socket.maxConnectionsPerSource()).isZero();
        assertThat(socket.service()).isEqualTo(UnitName.of("x.service"));
        assertThat(socket.descriptorName()).isEqualTo("x.socket");
        assertThat(socket.triggerLimit())
                .isEqualTo(new UnitSection.StartLimit(TimeSpan.seconds(2), 20));
        assertThat(socket.pollLimit())
                .isEqualTo(new UnitSection.StartLimit(TimeSpan.seconds(2), 15));

        SocketSection accepting = section("Accept=yes\n");
        assertThat(accepting.service()).isEqualTo(UnitName.of("x@.service"));
        assertThat(accepting.triggerLimit().burst()).isEqualTo(200);
        assertThat(accepting.pollLimit().burst()).isEqualTo(150);
        assertThat(socket("a@b.socket", "[Socket]\nListenStream=1\n").socket().service())
                .isEqualTo(UnitName.of("a@b.service"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ListenStream=",
                "ListenStream=/x\nListenStream=\n",
                "ListenDatagram=/x\nAccept=yes",
                "ListenFIFO=/x\nListenStream=/y\nAccept=yes",
                "ListenStream=/x\nAccept=yes\nMaxConnections=0",
                "ListenStream=/x\nAccept=yes\nService=y.service",
                "ListenStream=/x\nListenStream=/y\nSymlinks=/z",
                "ListenStream=1\nSymlinks=/z",
                "ListenStream=/x\nSocketUser=a:b"
            })
    void whatMakesNoSocketIsRefused(String directives) {
        assertThat(socket(directives).isRefused()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ListenStream=relative",
                "ListenStream=@",
                "ListenStream=0",
                "ListenStream=65536",
                "ListenStream=localhost:80",
                "ListenStream=1.2.3:80",
                "ListenStream=::1:80",
                "ListenStream=[1.2.3.4]x:80",
                "ListenStream=vsock:2:80",
                "ListenFIFO=80",
                "ListenFIFO=@x",
                "ListenSequentialPacket=80",
                "Service=x.socket",
                "FileDescriptorName=a:b",
                "FileDescriptorName=\u00e9",
                "Backlog=-1",
                "BindIPv6Only=yes"
            })
    void aLineThatCannotBeReadCostsThatLine(String line) {
        SocketUnit unit = socket("ListenStream=/good\n" + line);
        assertThat(Tree.messages(unit)).singleElement().asString().endsWith("; ignored");
        assertThat(unit.socket().listens()).hasSize(1);
    }

    @Test
    void aPathIsAsLongAsTheKernelTakesIt() {
        String longest = "/" + "x".repeat(107);
        assertThat(ListenAddress.parse(longest)).isEqualTo(new ListenAddress.Node(longest));
        assertThatIllegalArgumentException().isThrownBy(() -> ListenAddress.parse(longest + "x"));
        assertThat(ListenAddress.parse("@" + "x".repeat(107))).isNotNull();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ListenAddress.parse("@" + "x".repeat(108)));
    }

    @Test
    void theLegacyFolderIsToldOf() {
        SocketUnit unit = socket("ListenStream=/var/run/x");
        assertThat(unit.socket().nodes()).containsExactly("/run/x");
        assertThat(Tree.messages(unit)).singleElement().asString().contains("/var/run");
    }

    @Test
    void whatHasNoEffectIsSaid() {
        assertThat(Tree.messages(socket("ListenStream=/x\nListenUSBFunction=/x")))
                .singleElement()
                .asString()
                .endsWith("is not supported");
    }

    @Test
    void aServiceNamesItsSockets() {
        ServiceUnit service = Tree.service("Sockets=a.socket b.socket x.service\nNonBlocking=yes");
        assertThat(service.service().sockets())
                .containsExactly(UnitName.of("a.socket"), UnitName.of("b.socket"));
        assertThat(service.service().nonBlocking()).isTrue();
        assertThat(Tree.messages(service)).hasSize(1);
        assertThat(socket("a.socket", "[Socket]\nListenStream=/x\n").triggers(service)).isTrue();
        assertThat(socket("c.socket", "[Socket]\nListenStream=/x\n").triggers(service)).isFalse();
        assertThat(socket("test.socket", "[Socket]\nListenStream=/x\n").triggers(service)).isTrue();
        Dependencies implied = ImpliedDependencies.of(service, Tree.SYSTEM);
        assertThat(implied.of(Dependency.WANTS)).contains(UnitName.of("a.socket"));
        assertThat(implied.of(Dependency.AFTER)).contains(UnitName.of("b.socket"));
    }

    @Test
    void aSocketComesBeforeItsServiceAndTheOthers() {
        Dependencies implied = ImpliedDependencies.of(socket("ListenStream=/x"), Tree.SYSTEM);
        assertThat(implied.of(Dependency.BEFORE))
                .contains(
                        UnitName.of("x.service"),
                        UnitName.of("sockets.target"),
                        UnitName.of("shutdown.target"));
        assertThat(implied.of(Dependency.AFTER))
                .containsExactly(UnitName.of("system.slice"), UnitName.of("sysinit.target"));
    }

    static Stream<Gen> generated() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void everyAddressIsReadAsItIsWritten(Gen gen) {
        ListenAddress address =
                switch (gen.between(0, 3)) {
                    case 0 -> new ListenAddress.Node("/" + gen.string("abc/.-_@: \u00e9", 40));
                    case 1 -> new ListenAddress.AbstractName("x" + gen.string("abc/.-@:", 40));
                    case 2 ->
                            new ListenAddress.Port(
                                    Optional.of(
                                            InetAddress.ofLiteral(
                                                    gen.between(0, 255)
                                                            + "."
                                                            + gen.between(0, 255)
                                                            + ".0.1")),
                                    gen.between(1, 65535));
                    default ->
                            new ListenAddress.Port(
                                    Optional.of(
                                            InetAddress.ofLiteral(
                                                    "fe80::"
                                                            + Integer.toHexString(
                                                                    gen.between(1, 65535)))),
                                    gen.between(1, 65535));
                };
        assertThat(ListenAddress.parse(address.toString())).isEqualTo(address);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void noValueOfAnyDirectiveMakesTheReadingThrow(Gen gen) {
        List<String> keys = List.copyOf(DirectiveTable.of("Socket"));
        StringBuilder text = new StringBuilder("[Socket]\n");
        for (int i = 0; i < 40; i++) {
            text.append(gen.oneOf(keys))
                    .append('=')
                    .append(gen.string("01259abKM.:/-~!+|@%in$\\x\"' [yes]", 14))
                    .append('\n');
        }
        SocketUnit unit = socket("fuzz@i.socket", text.toString());
        assertThat(unit.diagnostics()).hasSizeLessThanOrEqualTo(Diagnostic.LIMIT + 6);
    }
}
