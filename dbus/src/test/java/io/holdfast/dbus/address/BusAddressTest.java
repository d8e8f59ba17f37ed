package io.holdfast.dbus.address;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.address.transport.BusListener;
import io.holdfast.dbus.address.transport.Transport;
import io.holdfast.dbus.address.transport.Transport.AbstractSocket;
import io.holdfast.dbus.address.transport.Transport.Folder;
import io.holdfast.dbus.address.transport.Transport.Inherited;
import io.holdfast.dbus.address.transport.Transport.Program;
import io.holdfast.dbus.address.transport.Transport.RuntimeSocket;
import io.holdfast.dbus.address.transport.Transport.SocketFile;
import io.holdfast.dbus.address.transport.Transport.Unsupported;
import io.holdfast.dbus.stream.ConnectedSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class BusAddressTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static final String GUID = "0123456789abcdef0123456789abcdef";

    private static void assertRefused(ThrowingCallable call, String... reasons) {
        assertThatExceptionOfType(BusAddressException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.getMessage()).contains(reasons));
    }

    @Test
    void everyTransportIsRead() {
        assertThat(Transport.of(BusAddress.parse("unix:path=/run/x")))
                .isEqualTo(new SocketFile(new UnixAddress.PathName("/run/x")));
        assertThat(Transport.of(BusAddress.parse("unix:abstract=/tmp/x")))
                .isEqualTo(new AbstractSocket(new UnixAddress.AbstractName("/tmp/x")));
        assertThat(Transport.of(BusAddress.parse("unix:dir=/tmp")))
                .isEqualTo(new Folder("dir", "/tmp"));
        assertThat(Transport.of(BusAddress.parse("unix:tmpdir=/tmp")))
                .isEqualTo(new Folder("tmpdir", "/tmp"));
        assertThat(Transport.of(BusAddress.parse("unix:runtime=yes")))
                .isEqualTo(new RuntimeSocket());
        assertThat(Transport.of(BusAddress.parse("systemd:"))).isEqualTo(new Inherited());
        assertThat(Transport.of(BusAddress.parse("unixexec:path=ssh,argv0=s,argv1=-xT,argv2=h")))
                .isEqualTo(new Program("ssh", Optional.of("s"), List.of("-xT", "h")));
    }

    @Test
    void theIdIsReadAndLowered() {
        assertThat(BusAddress.parse("unix:path=/x,guid=" + GUID).guid()).contains(GUID);
        assertThat(BusAddress.parse("unix:guid=0123456789ABCDEF0123456789ABCDEF,path=/x").guid())
                .contains(GUID);
        assertThat(BusAddress.parse("unix:path=/x").withGuid(GUID))
                .hasToString("unix:path=/x,guid=" + GUID);
    }

    @Test
    void listsAreReadInOrderAndMayEndWithASemicolon() {
        assertThat(BusAddress.parseList("unix:path=/a;unix:abstract=b;"))
                .extracting(BusAddress::toString)
                .containsExactly("unix:path=/a", "unix:abstract=b");
    }

    @Test
    void keysThatMayComeAreSkipped() {
        assertThat(BusAddress.parse("unix:path=/x,colour=blue")).hasToString("unix:path=/x");
    }

    @ParameterizedTest
    @CsvSource({
        "unix:path=/a%20b, /a b",
        "unix:path=/a%2cb%3B, '/a,b;'",
        "unix:path=/%c3%A9, /\u00e9",
        "unix:path=/a\\*b, /a\\*b"
    })
    void escapedValuesAreRead(String text, String path) {
        assertThat(Transport.of(BusAddress.parse(text)))
                .isEqualTo(new SocketFile(new UnixAddress.PathName(path)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|empty",
                ";unix:path=/x|number 1 is empty",
                "unix:path=/x;;unix:path=/y|number 2 is empty",
                "unix|transport",
                ":path=/x|transport",
                "unix:|none of the keys",
                "unix:guid=0123456789abcdef0123456789abcdef|none of the keys",
                "unix:path|\"path\" is no key=value",
                "unix:=x|no key=value",
                "unix:path=/x,|\"\" is no key=value",
                "unix:path=|empty socket path",
                "unix:path=/x,path=/x|duplicate key path",
                "unix:path=/x,abstract=y|exclude each other",
                "unix:runtime=yes,dir=/tmp|exclude each other",
                "unix:runtime=no|only be yes",
                "unix:dir=|empty",
                "unix:path=/a b|in the value of path must be escaped",
                "unix:path=/a:b|in the value of path must be escaped",
                "unix:path=/%|two hexadecimal digits in the value of path",
                "unix:path=/%4|two hexadecimal digits",
                "unix:path=/%zz|two hexadecimal digits",
                "unix:path=/%ff|not UTF-8",
                "unix:path=/%00|NUL",
                "unix:path=/x,guid=12|32 hexadecimal digits",
                "unix:path=/x,guid=|32 hexadecimal digits",
                "unixexec:argv1=x|path is missing",
                "unixexec:path=|path is missing",
                "unixexec:path=a,argv2=x|argv2 does not follow on argv0",
                "unixexec:path=a,argv1=x,argv3=y|argv3 does not follow on argv1",
                "unixexec:path=a,argvx=y|argvx"
            })
    void whatIsMalformedIsRefusedWithTheReason(String text, String reason) {
        assertRefused(() -> BusAddress.parseList(text), reason);
    }

    @Test
    void aPathThatNoSocketCanHaveIsRefused() {
        assertThat(Transport.of(BusAddress.parse("unix:path=/" + "x".repeat(107))))
                .isInstanceOf(SocketFile.class);
        assertRefused(() -> BusAddress.parse("unix:path=/" + "x".repeat(108)), "108");
    }

    @ParameterizedTest
    @CsvSource({
        "'tcp:host=localhost,port=1', network",
        "'nonce-tcp:host=localhost,port=1,noncefile=/x', network",
        "autolaunch:, DBUS_SESSION_BUS_ADDRESS",
        "launchd:env=X, no transport launchd"
    })
    void otherTransportsAreRefusedWhenUsedAndNotWhenRead(String text, String reason) {
        BusAddress address = BusAddress.parse(text);
        assertThat(Transport.of(address)).isInstanceOf(Unsupported.class);
        assertThat(address).hasToString(text);
        assertRefused(() -> ConnectedSocket.connect(address, LIMIT).close(), text, reason);
        assertRefused(() -> BusListener.listen(address), text, reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix:dir=/tmp", "unix:tmpdir=/tmp", "unix:runtime=yes", "systemd:"})
    void whatIsToListenOnCannotBeConnectedTo(String text) {
        assertRefused(
                () -> ConnectedSocket.connect(BusAddress.parse(text), LIMIT).close(),
                text,
                "to listen on");
    }

    @Test
    void theSystemBusIsWhereTheVariableSaysOrWhereItAlwaysIs() {
        assertThat(BusAddress.system(Map.of()))
                .extracting(BusAddress::toString)
                .containsExactly("unix:path=/run/dbus/system_bus_socket");
        assertThat(BusAddress.system(Map.of("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/s")))
                .containsExactly(BusAddress.ofPath("/s"));
        assertRefused(
                () -> BusAddress.system(Map.of("DBUS_SYSTEM_BUS_ADDRESS", "nonsense")), "nonsense");
    }

    @Test
    void theSessionBusIsWhereTheVariableSaysOrInTheRuntimeFolder() {
        assertThat(BusAddress.session(Map.of("XDG_RUNTIME_DIR", "/run/user/7")))
                .containsExactly(BusAddress.ofPath("/run/user/7/bus"));
        assertThat(
                        BusAddress.session(
                                Map.of(
                                        "XDG_RUNTIME_DIR",
                                        "/run/user/7",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "unix:path=/s;unix:path=/t")))
                .containsExactly(BusAddress.ofPath("/s"), BusAddress.ofPath("/t"));
        assertRefused(() -> BusAddress.session(Map.of()), "XDG_RUNTIME_DIR");
    }

    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatIsWrittenIsReadTheSame(Gen gen) {
        String value = "/" + gen.string("ab/-_.\\* ,;:=%\u00e9\u20ac'\"\n", 25);
        Transport transport =
                switch (gen.between(0, 3)) {
                    case 0 -> new SocketFile(new UnixAddress.PathName(value));
                    case 1 -> new AbstractSocket(new UnixAddress.AbstractName(value));
                    case 2 -> new Folder(gen.oneOf("dir", "tmpdir"), value);
                    default ->
                            new Program(
                                    value,
                                    gen.chance(0.5) ? Optional.of(value) : Optional.empty(),
                                    gen.list(12, () -> gen.string("ab ,;=%", 5)));
                };
        Optional<String> guid = gen.chance(0.5) ? Optional.of(GUID) : Optional.empty();
        BusAddress address = BusAddress.parse(transport.text(guid));
        assertThat(BusAddress.parse(address.toString())).isEqualTo(address);
        assertThat(BusAddress.parseList(address + ";" + address)).hasSize(2);
    }
}
