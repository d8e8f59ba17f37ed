package io.holdfast.core.sys.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SysInetTest {
    private static Fd listen(String host) {
        InetAddress address = InetAddress.ofLiteral(host);
        int family = SysInet.familyOf(address);
        Fd socket = Fd.adopt(SysInet.socket(family, SysSocket.SOCK_STREAM, 0), "socket", host);
        ErrnoException.check(SysInet.bind(socket, new InetSocketAddress(address, 0)), "bind", host);
        ErrnoException.check(SysSocket.listen(socket, 4), "listen", host);
        return socket;
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void aConnectionKnowsBothAddresses(String host) throws Exception {
        try (Fd listener = listen(host)) {
            InetSocketAddress here = SysInet.getsockname(listener);
            assertThat(here.getAddress()).isEqualTo(InetAddress.ofLiteral(host));
            try (Socket client = new Socket(here.getAddress(), here.getPort());
                    Fd accepted = Fd.adopt(SysSocket.accept(listener), "accept4", listener)) {
                assertThat(SysInet.getsockname(accepted)).isEqualTo(here);
                assertThat(SysInet.getpeername(accepted)).isEqualTo(client.getLocalSocketAddress());
            }
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> SysInet.getpeername(listener));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anIpv4PeerOfADualSocketHasAnIpv4Address(boolean only) throws Exception {
        InetAddress any = InetAddress.ofLiteral("::");
        try (Fd listener =
                Fd.adopt(
                        SysInet.socket(SysInet.AF_INET6, SysSocket.SOCK_STREAM, 0),
                        "socket",
                        any)) {
            int value = only ? 1 : 0;
            ErrnoException.check(
                    SysInet.setOption(listener, SysInet.IPPROTO_IPV6, SysInet.IPV6_V6ONLY, value),
                    "setsockopt",
                    listener);
            ErrnoException.check(
                    SysInet.bind(listener, new InetSocketAddress(any, 0)), "bind", any);
            ErrnoException.check(SysSocket.listen(listener, 4), "listen", any);
            int port = SysInet.getsockname(listener).getPort();
            if (only) {
                assertThatExceptionOfType(java.net.ConnectException.class)
                        .isThrownBy(
                                () -> new Socket(InetAddress.ofLiteral("127.0.0.1"), port).close());
                return;
            }
            try (Socket _ = new Socket(InetAddress.ofLiteral("127.0.0.1"), port);
                    Fd accepted = Fd.adopt(SysSocket.accept(listener), "accept4", listener)) {
                assertThat(SysInet.getpeername(accepted).getAddress())
                        .isInstanceOf(Inet4Address.class);
            }
        }
    }
}
