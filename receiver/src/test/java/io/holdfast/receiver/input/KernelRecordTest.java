package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.journal.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records of /dev/kmsg and of the audit. */
@Timeout(60)
class KernelRecordTest {
    private static Optional<KernelRecord> parse(String text) {
        byte[] record = text.getBytes(UTF_8);
        return KernelRecord.parse(record, record.length);
    }

    private static String value(String record, String name) {
        return parse(record).orElseThrow().fields().stream()
                .filter(field -> field.hasName(name))
                .map(Field::text)
                .findFirst()
                .orElse("");
    }

    @Test
    void aRecordOfTheKernelNamesIt() {
        String record = "6,339,5140900,-,caller=T1;NET: Registered \\x0a\\xc3\\xa9\\x5c\n";
        assertThat(parse(record).orElseThrow().sequence()).isEqualTo(339);
        assertThat(value(record, "PRIORITY")).isEqualTo("6");
        assertThat(value(record, "SYSLOG_FACILITY")).isEqualTo("0");
        assertThat(value(record, "SYSLOG_IDENTIFIER")).isEqualTo("kernel");
        assertThat(value(record, "MESSAGE")).isEqualTo("NET: Registered \né\\");
        assertThat(value(record, "_SOURCE_MONOTONIC_TIMESTAMP")).isEqualTo("5140900");
    }

    @Test
    void aRecordOfAProgramNamesTheProgram() {
        String record = "30,1,2,-;name[77]: text: more\n";
        assertThat(value(record, "SYSLOG_FACILITY")).isEqualTo("3");
        assertThat(value(record, "SYSLOG_IDENTIFIER")).isEqualTo("name");
        assertThat(value(record, "SYSLOG_PID")).isEqualTo("77");
        assertThat(value(record, "MESSAGE")).isEqualTo("text: more");
        assertThat(value("30,1,2,-;no name\n", "MESSAGE")).isEqualTo("no name");
    }

    @Test
    void aDeviceIsNamedByTheLinesBelow() {
        String record =
                """
                7,160,424069,-;pci_root PNP0A03:00: host bridge
                 SUBSYSTEM=acpi
                 DEVICE=+acpi:PNP0A03:00
                BAD=1
                 b=2
                """;
        assertThat(value(record, "_KERNEL_SUBSYSTEM")).isEqualTo("acpi");
        assertThat(value(record, "_KERNEL_DEVICE")).isEqualTo("+acpi:PNP0A03:00");
        assertThat(value(record, "MESSAGE")).isEqualTo("pci_root PNP0A03:00: host bridge");
        assertThat(value(record, "_KERNEL_BAD")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ";", "6,1;x", "x,1,2,-;x", "6,99999999999999999999,2,-;x", "6,1,2,-\nx"})
    void whatIsNoRecordIsNone(String text) {
        assertThat(parse(text)).isEmpty();
    }

    private static byte[] netlink(int type, int length, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return ByteBuffer.allocate(16 + (bytes.length + 3) / 4 * 4)
                .order(ByteOrder.nativeOrder())
                .putInt(length)
                .putShort((short) type)
                .position(16)
                .put(bytes)
                .array();
    }

    @Test
    void aRecordOfTheAuditHasItsTypeAndNumber() {
        String text = "audit(1764547200.123:45): pid=1 uid=0";
        byte[] message = netlink(1130, 16 + text.length(), text);
        List<List<Field>> entries = AuditRecord.parse(message, message.length);
        assertThat(entries)
                .singleElement()
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(Field.class))
                .contains(
                        Field.of("MESSAGE", "pid=1 uid=0"),
                        Field.of("_AUDIT_TYPE", "1130"),
                        Field.of("_AUDIT_ID", "45"),
                        Field.of("_SOURCE_REALTIME_TIMESTAMP", "1764547200123000"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 15, -1, 1000, Integer.MAX_VALUE})
    void aWrongLengthOfAnAuditRecordEndsTheMessage(int length) {
        byte[] message = netlink(1130, length, "audit(1764547200.123:45): pid=1");
        assertThat(AuditRecord.parse(message, message.length)).isEmpty();
    }
}
