package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.socket.UnixName;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class UnixAddressTest {
    @ParameterizedTest
    @ValueSource(strings = {"/run/x.sock", "relative", "@name", "@", "@io.holdfast/a b", "/ü/€"})
    void isReadFromWhatItPrints(String text) {
        assertThat(UnixAddress.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/run/x.sock", "relative", "@name", "@", "/ü/€", "@ü"})
    void survivesTheKernelsForm(String text) {
        UnixAddress address = UnixAddress.parse(text);
        assertThat(KernelAddress.address(KernelAddress.of(address))).isEqualTo(address);
    }

    @Test
    void isAPathOrAnAbstractNameOrNothing() {
        assertThat(UnixAddress.path(Path.of("/x"))).isEqualTo(new UnixAddress.PathName("/x"));
        assertThat(UnixAddress.abstractName("x")).isEqualTo(new UnixAddress.AbstractName("x"));
        assertThat(UnixAddress.unnamed()).hasToString("(unnamed)");
        assertThat(UnixAddress.path(Path.of("/x"))).isNotEqualTo(UnixAddress.abstractName("/x"));
    }

    @Test
    void aPathOf108BytesOrANameOf107FitsAndALongerOneIsRefused() {
        for (String kind : new String[] {"/", "@"}) {
            assertThat(UnixAddress.parse(kind + "x".repeat(107))).isNotNull();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> UnixAddress.parse(kind + "x".repeat(108)))
                    .withMessageContaining("108");
            // bytes count, not characters
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> UnixAddress.parse(kind + "ü".repeat(54)));
        }
    }

    @Test
    void aPathWithNothingOrANulIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> UnixAddress.parse(""));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UnixAddress.parse("/a\0b"))
                .withMessageContaining("NUL");
        assertThat(UnixAddress.abstractName("a\0b")).hasToString("@a@b");
    }

    @Test
    void aNameThatIsNoTextIsKeptByteForByte() {
        for (byte first : new byte[] {0, 'x'}) {
            byte[] bytes = new byte[108];
            Arrays.fill(bytes, (byte) 0xFF);
            bytes[0] = first;
            UnixName name = UnixName.of(bytes);
            assertThat(KernelAddress.of(KernelAddress.address(name))).isEqualTo(name);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/x/\udcff", "x/\udcff", "\u00fc"})
    void aPathKeepsTheBytesThatAreNoText(String text) {
        assertThat(UnixAddress.path(KernelPath.of(text))).isEqualTo(UnixAddress.parse(text));
    }
}
