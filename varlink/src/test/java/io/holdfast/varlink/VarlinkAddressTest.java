package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.varlink.client.VarlinkClient;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VarlinkAddressTest {
    @Test
    void theFormsOfAddressesAreRead() {
        VarlinkAddress path = new VarlinkAddress.Unix(UnixAddress.path(Path.of("/run/x")));
        assertThat(VarlinkAddress.parse("/run/x")).isEqualTo(path);
        assertThat(VarlinkAddress.parse("unix:/run/x")).isEqualTo(path);
        assertThat(VarlinkAddress.parse("unix:@x/y"))
                .isEqualTo(new VarlinkAddress.Unix(UnixAddress.abstractName("x/y")));
        assertThat(VarlinkAddress.parse("exec:/bin/true"))
                .isEqualTo(new VarlinkAddress.Exec(Path.of("/bin/true")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/run/x", "unix:/run/x", "unix:@x/y", "exec:/bin/true"})
    void anAddressIsReadAgainFromItsText(String text) {
        VarlinkAddress address = VarlinkAddress.parse(text);
        assertThat(VarlinkAddress.parse(address.toString())).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "run/x",
                "unix:",
                "unix:x",
                "unix:@",
                "exec:",
                "exec:true",
                "ssh:host:/x",
                "tcp:1.2.3.4:5",
                "unix:/x;mode=0600",
                "unix:@x?y",
                "/x#y",
                "unix:/\0x"
            })
    void whatIsNoAddressIsRefused(String text) {
        assertThatThrownBy(() -> VarlinkAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Varlink address");
    }

    @Test
    void anAddressWhereNobodyListensIsNamed() {
        assertThatThrownBy(() -> VarlinkClient.connect("unix:/nonexistent/socket"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("/nonexistent/socket")
                .hasMessageContaining("ENOENT");
    }
}
