package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class MessageWriterTest {
    private final MessageView view = new MessageView();

    private MessageView read(MemorySegment bytes) {
        int length = MessageView.lengthOf(bytes, 0);
        assertThat(length).isEqualTo((int) bytes.byteSize());
        view.read(bytes, 0, length);
        return view;
    }

    private static ByteOrder order(boolean little) {
        return little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCallIsReadAsItWasWritten(boolean little) {
        MemorySegment bytes =
                new MessageWriter(order(little))
                        .methodCall("/a/b", "org.example.Clock", "Tell")
                        .serial(7)
                        .flags(MessageFlags.NO_AUTO_START)
                        .destination("org.example.Clock")
                        .sender(":1.5")
                        .unixFds(2)
                        .body("sh")
                        .putString("grüß")
                        .putHandle(1)
                        .end()
                        .finish();

        read(bytes);

        assertThat(view.isLittleEndian()).isEqualTo(little);
        assertThat(view.type()).isEqualTo(MessageType.METHOD_CALL);
        assertThat(view.serial()).isEqualTo(7);
        assertThat(view.flags()).isEqualTo(MessageFlags.NO_AUTO_START);
        assertThat(view.path()).isEqualTo("/a/b");
        assertThat(view.interfaceName()).isEqualTo("org.example.Clock");
        assertThat(view.member()).isEqualTo("Tell");
        assertThat(view.destination()).isEqualTo("org.example.Clock");
        assertThat(view.sender()).isEqualTo(":1.5");
        assertThat(view.unixFds()).isEqualTo(2);
        assertThat(view.signature()).isEqualTo("sh");
        assertThat(view.argKind(0)).isEqualTo('s');
        assertThat(TextBytes.utf8(bytes, view.argOffset(0), view.argLength(0))).isEqualTo("grüß");
        assertThat(view.argKind(1)).isEqualTo('h');
        assertThat(view.argOffset(1)).isEqualTo(-1);
        assertThat(view.argKind(2)).isZero();
    }

    @Test
    void anErrorNamesItsCall() {
        read(
                new MessageWriter()
                        .error("org.example.Error.Late", 41)
                        .serial(2)
                        .body("s")
                        .putString("too late")
                        .end()
                        .finish());

        assertThat(view.type()).isEqualTo(MessageType.ERROR);
        assertThat(view.errorName()).isEqualTo("org.example.Error.Late");
        assertThat(view.replySerial()).isEqualTo(41);
    }

    @Test
    void aFieldThatComesOnceIsRefusedASecondTime() {
        MessageWriter writer = new MessageWriter();
        for (int i = 0; i < 2; i++) { // the rule holds for each message anew
            MessageWriter message =
                    writer.methodReturn(1).destination(":1.1").sender(":1.2").unixFds(1);

            assertThatIllegalStateException()
                    .isThrownBy(() -> message.destination(":1.3"))
                    .withMessage("DESTINATION a second time");
            assertThatIllegalStateException().isThrownBy(() -> message.sender(":1.3"));
            assertThatIllegalStateException().isThrownBy(() -> message.unixFds(2));
            read(message.serial(1).finish());
            assertThat(view.destination()).isEqualTo(":1.1");
        }
    }

    @Test
    void oneWriterWritesManyMessages() {
        MessageWriter writer = new MessageWriter();
        for (int i = 1; i < 10; i++) {
            read(
                    writer.signal("/", "a.b", "C")
                            .serial(i)
                            .body("ay")
                            .putBytes(new byte[i * 10_000])
                            .end()
                            .finish());
            assertThat(view.serial()).isEqualTo(i);
            assertThat(view.bodyLength()).isEqualTo(4 + i * 10_000);
        }
    }

    @Test
    void containersFollowTheSignature() {
        read(
                new MessageWriter()
                        .methodReturn(3)
                        .serial(1)
                        .body("a{sv}(ia(yx))aas")
                        .beginArray()
                        .beginDictEntry()
                        .putString("k")
                        .beginVariant(Signature.of("(su)"))
                        .beginStruct()
                        .putString("v")
                        .putUint32(5)
                        .endStruct()
                        .endVariant()
                        .endDictEntry()
                        .endArray()
                        .beginStruct()
                        .putInt32(-1)
                        .beginArray()
                        .beginStruct()
                        .putByte(1)
                        .putInt64(2)
                        .endStruct()
                        .endArray()
                        .endStruct()
                        .beginArray()
                        .beginArray()
                        .putString("x")
                        .putString("y")
                        .endArray()
                        .beginArray()
                        .endArray()
                        .endArray()
                        .end()
                        .finish());

        assertThat(view.argKind(0)).isEqualTo('a');
        assertThat(view.argKind(1)).isEqualTo('(');
        assertThat(view.argKind(2)).isEqualTo('a');
        assertThat(view.argKind(3)).isZero();
    }

    @Test
    void aValueOfAnotherTypeIsRefused() {
        BodyWriter body = new MessageWriter().methodReturn(1).serial(1).body("su");

        assertThatIllegalStateException()
                .isThrownBy(() -> body.putUint32(1))
                .withMessage("the signature 'su' has at character 0 's', not u");
        body.putString("");
        assertThatIllegalStateException().isThrownBy(body::endArray);
        assertThatIllegalStateException()
                .isThrownBy(body::end)
                .withMessage("a body of 'su' lacks what starts at character 1");
        body.putUint32(1);
        assertThatIllegalStateException()
                .isThrownBy(() -> body.putByte(1))
                .withMessage("the signature 'su' has at character 2 its end, not y");
    }

    @Test
    void whatCannotBeSentIsRefused() {
        MessageWriter writer = new MessageWriter();

        assertThatIllegalStateException().isThrownBy(writer::finish);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.methodCall("a", null, "B"))
                .withMessage("not valid as PATH: 'a'");
        assertThatIllegalArgumentException().isThrownBy(() -> writer.methodReturn(0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.methodReturn(1).destination("x"));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.methodReturn(1).unixFds(254));
        assertThatIllegalStateException()
                .isThrownBy(() -> writer.methodReturn(1).finish())
                .withMessage("a message without serial");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.methodReturn(1).body("s").putString("a\0"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.methodReturn(1).body("s").putString("a\ud800b"));
    }
}
